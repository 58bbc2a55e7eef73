/* A whole line through its engine: any octets, any losses, any chunks, with CAS, D channels, queues and loops. Two
 * engines, one with AVX2 and one without, take the same, each from memory of its exact size, and must agree. */
#pragma once
#include "e1/audio.h"
#include "e1/engine.h"

static const e1_criteria line_criteria = {3, 3, 1000, 915, 64, 255, 255, 32, 2, 3, 8, 3200, 3, 2, 1, 0, 1, 3, 2};

static uint8_t *line_octets(e1_transmitter *sender, size_t frames, unsigned shift) /* E1, later by `shift` bits */
{
    size_t count = frames * E1_FRAME;
    uint8_t *octets = block(count);
    int told = 0;
    e1_backward back = {(int)dice(2), 1, &told};
    e1_transmit(sender, &back, octets, frames, octets);
    for (size_t i = count; shift && i-- > 1;)
        octets[i] = (uint8_t)(octets[i] >> shift | octets[i - 1] << (8 - shift));
    for (uint32_t wrong = dice(6) ? 0 : dice(40); wrong && count; wrong--)
        octets[dice((uint32_t)count)] ^= (uint8_t)(1 << dice(8));
    return octets;
}

static e1_engine *line_open(int crc4, int wide, size_t capacity)
{
    e1_engine *engine = malloc(sizeof *engine);
    must(e1_engine_open(engine, &line_criteria, crc4, capacity, 0, wide) == 0, "an engine opens");
    return engine;
}

static void line_sends(e1_engine *engine, size_t count)
{
    uint8_t *frames = block(count * E1_FRAME), *out = malloc(count * E1_FRAME + 1);
    e1_engine_transmit(engine, frames, count, out);
    free(out);
    free(frames);
}

static void line_agrees(const e1_engine *a, const e1_engine *b)
{
    must(memcmp(&a->receiver.counters, &b->receiver.counters, sizeof a->receiver.counters) == 0, "counters agree");
    must(a->receiver.alarms == b->receiver.alarms && a->ring.head == b->ring.head, "alarms and heads agree");
    must(a->cas.aligned == b->cas.aligned && a->cas.losses == b->cas.losses, "CAS agrees");
    int64_t from = e1_ring_oldest(&a->ring);
    size_t count = (size_t)(a->ring.head - from);
    uint8_t *left = malloc(count + 1), *right = malloc(count + 1);
    for (int slot = 0; slot < E1_FRAME; slot++) {
        e1_ring_read(&a->ring, slot, from, count, left);
        e1_ring_read(&b->ring, slot, from, count, right);
        must(memcmp(left, right, count) == 0, "samples agree");
    }
    int16_t *stereo = malloc(4 * count + 1), *other = malloc(4 * count + 1);
    audio_sum sums[2] = {{0, 0}, {0, 0}}, others[2] = {{0, 0}, {0, 0}};
    audio_pair(left, right, count, stereo, sums, 0);
    audio_pair(left, right, count, other, others, e1_wide());
    must(memcmp(stereo, other, 4 * count) == 0, "stereo agrees");
    for (int side = 0; side < 2; side++)
        must(sums[side].squares == others[side].squares && sums[side].code == others[side].code, "levels agree");
    free(other);
    free(stereo);
    free(right);
    free(left);
}

static void line_comes_back(void)
{
    enum { FRAMES = 400 };
    e1_engine *engine = line_open(1, (int)dice(2) && e1_wide(), 1024);
    e1_transmitter sender = {.crc4 = 1, .sa = (int)dice(32)};
    int told = 0;
    e1_backward back = {0, 1, &told};
    uint8_t *frames = malloc(FRAMES * E1_FRAME), *sent = malloc(FRAMES * E1_FRAME), *got = malloc(FRAMES);
    for (size_t i = 0; i < FRAMES * E1_FRAME; i++)
        frames[i] = (uint8_t)dice(256);
    e1_transmit(&sender, &back, frames, FRAMES, sent);
    size_t cut = dice(FRAMES * E1_FRAME);
    e1_engine_receive(engine, sent, cut);
    e1_engine_receive(engine, sent + cut, FRAMES * E1_FRAME - cut);
    const e1_receiver *r = &engine->receiver;
    must(engine->ring.head == FRAMES && r->multiframe && r->sa == sender.sa, "a line is found");
    must(r->counters.crc_errors + r->counters.fas_errors + r->counters.losses == 0, "and is without error");
    for (int slot = 1; slot < E1_FRAME; slot++) {
        e1_ring_read(&engine->ring, slot, 0, FRAMES, got);
        for (size_t i = 0; i < FRAMES; i++)
            must(got[i] == frames[i * E1_FRAME + slot], "octets come back in their slots");
    }
    e1_engine_close(engine);
    free(got);
    free(sent);
    free(frames);
    free(engine);
}

static void line_takes_anything(void)
{
    int crc4 = (int)dice(2), signalling = (int)dice(3);
    e1_engine *both[2] = {line_open(crc4, 0, 1024), line_open(crc4, e1_wide(), 1024)};
    e1_transmitter sender = {.crc4 = (int)dice(4) > 0, .sa = 31};
    unsigned shift = dice(8);
    for (int i = 0; i < 2; i++)
        if (signalling == 1)
            e1_engine_begin_cas(both[i]);
        else if (signalling == 2)
            must(e1_engine_open_channel(both[i], 16, 2, 264) != NULL, "a D channel opens");
    for (int round = 0; round < 12; round++) {
        size_t frames = dice(200), count = frames * E1_FRAME, chunk = 1 + dice(4000), miss = dice(5) ? 0 : dice(9000);
        uint8_t *octets = dice(6) ? line_octets(&sender, frames, shift) : block(count);
        size_t skip = count && !dice(6) ? dice((uint32_t)count) : 0; /* a slip */
        for (int i = 0; i < 2; i++) {
            for (size_t at = skip; at < count; at += chunk) {
                size_t size = count - at < chunk ? count - at : chunk;
                uint8_t *exact = malloc(size);
                memcpy(exact, octets + at, size);
                e1_engine_receive(both[i], exact, size);
                free(exact);
            }
            e1_engine_miss(both[i], (int64_t)miss, E1_GAP_PACKET_LOSS);
        }
        line_agrees(both[0], both[1]);
        free(octets);
        line_sends(both[0], 1 + dice(60));
        line_sends(both[1], 1 + dice(60));
    }
    e1_loop_set(&both[0]->loop, (e1_loop_kind)dice(3));
    for (int round = 0; round < 5; round++) {
        uint8_t *octets = block(700);
        e1_engine_receive(both[0], octets, 700);
        e1_engine_miss(both[0], dice(70000), E1_GAP_NO_PACKETS);
        line_sends(both[0], 1 + dice(400));
        free(octets);
    }
    for (int i = 0; i < 2; i++) {
        e1_engine_close(both[i]);
        free(both[i]);
    }
}
