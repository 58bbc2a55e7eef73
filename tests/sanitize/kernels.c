/* Random octets through the C of osrec_drivers.e1 and .dsp, built with ASan and UBSan; `make test-sanitize` runs it.
 *
 * All blocks lie in memory of their exact size, so that a read or write of one octet too many is seen. Both ends are
 * joined where there are two, and what comes back is compared: a harness that feeds nothing would prove nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "dsp/_g711.c"
#include "dsp/blocks.h"
#include "dsp/dtmf.h"
#include "e1/hdb3.h"
#include "e1/hdlc_decoder.h"
#include "e1/hdlc_encoder.h"
#include "e1/prbs.h"

static uint64_t seed = 1;

static uint32_t dice(uint32_t sides) /* xorshift */
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % sides;
}

static void must(int holds, const char *rule)
{
    if (holds)
        return;
    fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, rule);
    exit(1);
}

static uint8_t *block(size_t count) /* random, some of it mostly ones, zeros or flags */
{
    static const uint8_t often[] = {0x00, 0xFF, 0x7E, 0xD5};
    uint8_t *octets = malloc(count ? count : 1), usual = often[dice(4)];
    uint32_t share = dice(4);
    for (size_t i = 0; i < count; i++)
        octets[i] = dice(4) < share ? usual : (uint8_t)dice(256);
    return octets;
}

#include "line.h"

static void hdlc_takes_anything(void)
{
    hdlc_decoder *d = malloc(sizeof *d);
    uint32_t shortest = 1 + dice(4), longest = shortest + dice(dice(8) ? 300 : HDLC_LONGEST - 4);
    size_t octets_room = longest + HDLC_FCS + 16, room = HDLC_WORD_EVENTS + dice(40);
    hdlc_event *events = malloc(room * sizeof *events);
    uint8_t *octets = malloc(octets_room); /* the least that is allowed */
    hdlc_decoder_init(d, shortest, longest, 0);
    hdlc_encoder *e = malloc(sizeof *e);
    hdlc_encoder_init(e, 0, 0);
    for (int round = 0; round < 20; round++) {
        size_t count = dice(700), done = 0, size = 1 + dice(longest + 2 < HDLC_LONGEST ? longest + 2 : HDLC_LONGEST);
        uint8_t *line = block(count), *frame = block(size);
        if (dice(3)) { /* flags, a frame about as long as the limits, noise behind it */
            hdlc_send(e, frame, size);
            hdlc_pull(e, line, count ? count - dice((uint32_t)count) / 4 : 0);
        }
        free(frame);
        while (done < count) {
            hdlc_sink sink = {events, octets, room, octets_room, 0, 0};
            done += hdlc_feed(d, line + done, count - done, &sink);
        }
        hdlc_sink sink = {events, octets, room, octets_room, 0, 0};
        if (dice(4) == 0)
            hdlc_skip(d, dice(1000), &sink);
        free(line);
    }
    free(e);
    free(octets);
    free(events);
    free(d);
}

static void hdlc_comes_back(void)
{
    hdlc_encoder *e = malloc(sizeof *e);
    hdlc_decoder *d = malloc(sizeof *d);
    hdlc_event events[64];
    uint8_t *found = malloc(64 * 1024);
    uint64_t queued = 0;
    hdlc_encoder_init(e, (int)dice(2), 0);
    hdlc_decoder_init(d, 1, HDLC_LONGEST, 0);
    for (int round = 0; round < 60; round++) {
        size_t size = dice(12) ? 1 + dice(270) : HDLC_LONGEST;
        uint8_t *frame = block(size);
        queued += (unsigned)hdlc_send(e, frame, size);
        free(frame);
        size_t count = dice(400), done = 0;
        uint8_t *line = malloc(count ? count : 1);
        hdlc_pull(e, line, count);
        while (done < count) {
            hdlc_sink sink = {events, found, 64, 64 * 1024, 0, 0};
            done += hdlc_feed(d, line + done, count - done, &sink);
        }
        free(line);
    }
    while (e->head != e->tail) {
        uint8_t line[16];
        hdlc_sink sink = {events, found, 64, 64 * 1024, 0, 0};
        hdlc_pull(e, line, sizeof line);
        must(hdlc_feed(d, line, sizeof line, &sink) == sizeof line, "the sink is large enough");
    }
    must(d->counts[HDLC_GOOD] == queued && e->frames == queued, "every frame comes back");
    free(found);
    free(d);
    free(e);
}

static void hdb3_takes_anything_and_comes_back(void)
{
    hdb3_encoder e = {0};
    int wide = dice(2) && hdb3_wide();
    hdb3_decoder d = {0}, wild = {0};
    for (int round = 0; round < 20; round++) {
        size_t count = 1 + dice(1300);
        uint8_t *octets = block(count), *p = malloc(count), *n = malloc(count), *out = malloc(count);
        size_t marks = hdb3_encode(&e, octets, count, p, n, wide);
        if (marks)
            hdb3_decode(&d, p, n, marks, out, wide);
        hdb3_decode(&wild, octets, p, marks, out, wide); /* marks of no line */
        free(out);
        free(n);
        free(p);
        free(octets);
    }
    must(d.code_errors == 0 && d.zero_runs == 0 && d.both == 0, "HDB3 of our own is without error");
}

static void prbs_takes_anything(void)
{
    static prbs_pattern patterns[3];
    static const unsigned taps[3][3] = {{9, 5, 0}, {11, 9, 0}, {15, 14, 1}};
    unsigned which = dice(3), phase = 0;
    prbs_pattern *p = &patterns[which];
    if (!p->period)
        prbs_pattern_init(p, taps[which][0], taps[which][1], (int)taps[which][2]);
    prbs_checker c = {0};
    for (int round = 0; round < 20; round++) {
        size_t count = 1 + dice(9000);
        uint8_t *octets = dice(3) ? malloc(count) : block(count);
        phase = prbs_generate(p, phase, octets, dice(3) ? count : dice((uint32_t)count));
        memset(octets, dice(256) & 0xFF, dice(2) ? 0 : dice((uint32_t)count));
        prbs_change change;
        int changed;
        for (size_t done = 0; done < count;)
            done += prbs_check(&c, p, octets + done, count - done, &change, &changed);
        free(octets);
    }
}

static void dsp_takes_anything(void)
{
    size_t count = dice(1300);
    uint8_t *left = block(count), *right = block(count), *back = malloc(count ? count : 1);
    int16_t *stereo = malloc(4 * count + 1), *samples = malloc(2 * count + 1);
    blocks_level levels[2], portable;
    blocks_listen(left, right, count, stereo, levels, blocks_wide());
    g711_alaw_decode(left, count, samples);
    portable = blocks_measure(samples, count, 0);
    must(portable.peak == levels[0].peak && portable.squares == levels[0].squares, "levels are the same both ways");
    g711_alaw_encode(samples, count, back);
    must(memcmp(left, back, count) == 0, "A-law comes back");
    g711_ulaw_decode(left, count, samples);
    g711_ulaw_encode(samples, count, back);
    free(samples);
    free(stereo);
    free(back);
    free(right);
    free(left);
}

static void dtmf_takes_anything(void)
{
    dtmf_channel channel;
    dtmf_event event;
    int ended;
    dtmf_channel_init(&channel, (float)dice(100000), dice(2) && dtmf_wide());
    for (int block = 0; block < 20; block++) {
        size_t count = 1 + dice(600), done = 0;
        int16_t *samples = malloc(count * sizeof *samples);
        for (size_t i = 0; i < count; i++)
            samples[i] = (int16_t)dice(65536);
        while (done < count)
            done += dtmf_feed(&channel, samples + done, count - done, &event, &ended);
        must(done == count, "DTMF takes all samples and no more");
        free(samples);
    }
    must(channel.position <= 20 * 600, "DTMF counts samples");
    dtmf_finish(&channel, &event);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 300;
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : 1;
    g711_setup();
    hdlc_setup();
    dtmf_setup();
    e1_crc4_setup();
    audio_setup();
    for (int round = 0; round < rounds; round++) {
        hdlc_takes_anything();
        hdlc_comes_back();
        hdb3_takes_anything_and_comes_back();
        prbs_takes_anything();
        dsp_takes_anything();
        dtmf_takes_anything();
        line_comes_back();
        line_takes_anything();
    }
    printf("%d rounds without a finding\n", rounds);
    return 0;
}
