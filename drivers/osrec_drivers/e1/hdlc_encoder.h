/* HDLC frames -> time slot octets, as many as are asked for; see hdlc.h.
 *
 * A frame becomes the bits of the line when it is queued, so that pulling, which the line's transmitter does in step
 * with its clock, copies bits and flags and never waits: no delay of the sender makes an underrun inside a frame. */
#pragma once
#include "hdlc.h"

enum { HDLC_QUEUE_WORDS = 1024 }; /* 64 kbit: a second of a D channel, a power of two */

typedef struct {
    int lsb_first;
    int ones;              /* idle by ones, else by flags */
    uint64_t head, tail;   /* bits pulled and queued since construction */
    unsigned filled;       /* bits of a flag that fills, already sent; of eight ones: fewer between flags are no idling */
    uint64_t frames;       /* queued since construction */
    uint64_t queue[HDLC_QUEUE_WORDS];
} hdlc_encoder;

static inline void hdlc_push(hdlc_encoder *e, uint64_t value, unsigned count)
{
    unsigned at = e->tail & 63;
    uint64_t *word = &e->queue[(e->tail >> 6) % HDLC_QUEUE_WORDS];
    *word = (at ? *word : 0) | value << at;
    if (at + count > 64)
        e->queue[((e->tail >> 6) + 1) % HDLC_QUEUE_WORDS] = value >> (64 - at);
    e->tail += count;
}

static inline void hdlc_encoder_init(hdlc_encoder *e, int ones, int lsb_first)
{
    memset(e, 0, sizeof *e);
    e->ones = ones;
    e->lsb_first = lsb_first;
    if (!ones)
        hdlc_push(e, HDLC_FLAG, 8); /* opens the first frame; each further one is opened by the flag before it */
}

static inline unsigned hdlc_push_octet(hdlc_encoder *e, unsigned ones, uint8_t octet)
{
    uint32_t stuffed = hdlc_stuffed[ones][octet];
    hdlc_push(e, stuffed & 0xFFFF, stuffed >> 16 & 0xFF);
    return stuffed >> 24;
}

/* Queues a frame of 1 octet or more without its FCS; 0: no room, and nothing was queued. */
static inline int hdlc_send(hdlc_encoder *e, const uint8_t *octets, size_t count)
{
    uint64_t most = 8 * (count + HDLC_FCS) * 6 / 5 + 1 + 16; /* all ones, and two flags */
    if (count > HDLC_LONGEST || e->tail - e->head + most > 64 * (HDLC_QUEUE_WORDS - 1))
        return 0;
    unsigned fcs = ~hdlc_fcs(octets, count), ones = 0;
    if (e->ones)
        hdlc_push(e, HDLC_FLAG, 8);
    for (size_t i = 0; i < count; i++)
        ones = hdlc_push_octet(e, ones, octets[i]);
    ones = hdlc_push_octet(e, ones, (uint8_t)fcs);
    hdlc_push_octet(e, ones, (uint8_t)(fcs >> 8));
    hdlc_push(e, HDLC_FLAG, 8); /* the next frame may follow it at once, Q.921 2.2 */
    e->frames++;
    return 1;
}

static inline uint64_t hdlc_fill(hdlc_encoder *e, unsigned count) /* bits of idling, up to 64 */
{
    uint64_t idle = e->ones ? ~0ull : HDLC_FLAG * 0x0101010101010101ull;
    if (e->filled)
        idle = idle >> e->filled | idle << (64 - e->filled);
    e->filled = (e->filled + count) & 7;
    return idle & hdlc_low(count);
}

static inline uint64_t hdlc_pop(hdlc_encoder *e, unsigned count) /* queued bits, up to 64 */
{
    unsigned at = e->head & 63;
    uint64_t value = e->queue[(e->head >> 6) % HDLC_QUEUE_WORDS] >> at;
    if (at + count > 64)
        value |= e->queue[((e->head >> 6) + 1) % HDLC_QUEUE_WORDS] << (64 - at);
    e->head += count;
    return value & hdlc_low(count);
}

static inline uint64_t hdlc_pull_bits(hdlc_encoder *e, unsigned wanted)
{
    uint64_t word = 0;
    for (unsigned done = 0; done < wanted;) {
        uint64_t queued = e->tail - e->head;
        unsigned rest = wanted - done;
        if (e->filled || !queued) { /* a flag, or eight ones, that was begun is finished first */
            unsigned count = queued && rest > 8 - e->filled ? 8 - e->filled : rest;
            word |= hdlc_fill(e, count) << done;
            done += count;
        } else {
            unsigned count = queued < rest ? (unsigned)queued : rest;
            word |= hdlc_pop(e, count) << done;
            done += count;
        }
    }
    return word;
}

static inline void hdlc_pull(hdlc_encoder *e, uint8_t *octets, size_t count)
{
    for (size_t i = 0; i < count; i += 8) {
        unsigned size = count - i < 8 ? (unsigned)(count - i) : 8;
        uint64_t word = hdlc_pull_bits(e, 8 * size);
        if (!e->lsb_first)
            word = hdlc_reverse(word);
        memcpy(octets + i, &word, size);
    }
}
