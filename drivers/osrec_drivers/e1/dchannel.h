/* A D channel of a line: HDLC on one time slot, taken and given in step with the line and under its lock, so that no
 * delay of whoever reads and sends frames makes an abort. */
#pragma once
#include "hdlc_decoder.h"
#include "hdlc_encoder.h"
#include <stdlib.h>

enum {
    E1_D_EVENTS = 1024,     /* frames that wait to be fetched */
    E1_D_OCTETS = 1 << 17,  /* of them */
    E1_D_SPARE = 16,        /* frames looked at and thrown away at a time when nobody fetches any */
};

typedef struct {
    int64_t start;          /* sample number of the first octet taken */
    hdlc_decoder decoder;
    hdlc_encoder encoder;
    hdlc_sink sink;
    uint64_t overruns;
    uint64_t refused;
} e1_dchannel;

static inline e1_dchannel *e1_dchannel_open(uint32_t shortest, uint32_t longest, int64_t sample)
{
    e1_dchannel *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->start = sample;
    hdlc_decoder_init(&d->decoder, shortest, longest, 0);
    hdlc_encoder_init(&d->encoder, 0, 0);
    d->sink.events = malloc(E1_D_EVENTS * sizeof *d->sink.events);
    d->sink.octets = malloc(E1_D_OCTETS);
    d->sink.events_room = E1_D_EVENTS;
    d->sink.octets_room = E1_D_OCTETS;
    if (d->sink.events && d->sink.octets)
        return d;
    free(d->sink.events);
    free(d->sink.octets);
    free(d);
    return NULL;
}

static inline void e1_dchannel_close(e1_dchannel *d)
{
    free(d->sink.events);
    free(d->sink.octets);
    free(d);
}

static inline int64_t e1_dchannel_next(const e1_dchannel *d) /* sample number of the next octet */
{
    return d->start + d->decoder.position;
}

static inline void e1_dchannel_take(e1_dchannel *d, const uint8_t *octets, size_t count)
{
    size_t done = hdlc_feed(&d->decoder, octets, count, &d->sink);
    while (done < count) { /* nobody fetches: the newest are lost, and counted */
        hdlc_event events[E1_D_SPARE];
        uint8_t spare[HDLC_LONGEST + HDLC_FCS + 16];
        hdlc_sink sink = {events, spare, E1_D_SPARE, sizeof spare, 0, 0};
        done += hdlc_feed(&d->decoder, octets + done, count - done, &sink);
        d->overruns += sink.events_used;
    }
}

/* Octets did not arrive up to sample `end`. */
static inline void e1_dchannel_skip(e1_dchannel *d, int64_t end)
{
    int64_t count = end - e1_dchannel_next(d);
    if (count <= 0)
        return;
    if (d->sink.events_used < d->sink.events_room
        && d->sink.octets_used + HDLC_LONGEST + HDLC_FCS + 16 <= d->sink.octets_room) {
        hdlc_skip(&d->decoder, count, &d->sink);
    } else {
        hdlc_event event;
        uint8_t spare[HDLC_LONGEST + HDLC_FCS + 16];
        hdlc_sink sink = {&event, spare, 1, sizeof spare, 0, 0};
        hdlc_skip(&d->decoder, count, &sink);
        d->overruns += sink.events_used;
    }
}

/* Hands over what has come, for the caller to free. Returns how many; none, and they stay, when there is no memory. */
static inline size_t e1_dchannel_fetch(e1_dchannel *d, hdlc_event **events, uint8_t **octets)
{
    size_t count = d->sink.events_used;
    *events = count ? malloc(count * sizeof **events) : NULL;
    *octets = count ? malloc(d->sink.octets_used + 1) : NULL;
    if (!*events || !*octets)
        return 0;
    memcpy(*events, d->sink.events, count * sizeof **events);
    memcpy(*octets, d->sink.octets, d->sink.octets_used);
    d->sink.events_used = d->sink.octets_used = 0;
    return count;
}
