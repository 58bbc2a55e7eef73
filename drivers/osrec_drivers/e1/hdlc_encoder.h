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

/* Bits on their way to the queue; kept in registers while a frame is stuffed. */
typedef struct {
    uint64_t *queue;
    size_t word;
    uint64_t bits;   /* of that word, those in front of `filled` */
    unsigned filled; /* 0..63 */
    unsigned ones;   /* at the end of what was put, 0..4 */
} hdlc_stuffer;

/* Zeros go behind each five ones of 48 bits, the first of them lowest; with the ones in front of them and all that can
 * be put in they fit a word. Most have one run or none, so two are done without looking. */
static inline __attribute__((always_inline)) void hdlc_stuff(hdlc_stuffer *s, uint64_t data, unsigned count)
{
    unsigned before = s->ones, size = count + before;
    uint64_t bits = data << before | hdlc_low(before);
    uint64_t runs = bits & bits >> 1;
    runs &= runs >> 2 & bits >> 4; /* a bit where five ones begin */
    for (int step = 0; step < 2; step++) {
        uint64_t first = runs & -runs, behind = -(first << 5); /* no run: nothing is behind it */
        bits += bits & behind;
        runs = (runs & behind) << 1;
        size += first != 0;
    }
    while (__builtin_expect(runs != 0, 0)) {
        uint64_t behind = -((runs & -runs) << 5);
        bits += bits & behind;
        runs = (runs & behind) << 1;
        size++;
    }
    unsigned last = (unsigned)__builtin_clzll(~(data << (64 - count))); /* ones that it ends with, whatever was before */
    s->ones = (last < count ? last : before + count) % 5;
    bits >>= before; /* they have been put already */
    size -= before;
    s->bits |= bits << s->filled;
    s->queue[s->word] = s->bits;
    uint64_t over = bits >> 1 >> (63 - s->filled);
    s->filled += size;
    unsigned full = s->filled >> 6;
    s->bits = full ? over : s->bits;
    s->word = (s->word + full) % HDLC_QUEUE_WORDS;
    s->filled &= 63;
}

static inline uint64_t hdlc_load48(const uint8_t *octets) /* in order on a machine of either kind */
{
    return octets[0] | (uint64_t)octets[1] << 8 | (uint64_t)octets[2] << 16 | (uint64_t)octets[3] << 24
           | (uint64_t)octets[4] << 32 | (uint64_t)octets[5] << 40;
}

/* Queues the bits of a frame, its FCS behind it. */
static inline void hdlc_queue(hdlc_encoder *e, const uint8_t *octets, size_t count)
{
    unsigned fcs = ~hdlc_fcs(octets, count) & 0xFFFF;
    unsigned filled = e->tail & 63;
    size_t word = (e->tail >> 6) % HDLC_QUEUE_WORDS;
    hdlc_stuffer s = {e->queue, word, filled ? e->queue[word] : 0, filled, 0};
    size_t i = 0;
    for (; i + 6 <= count; i += 6)
        hdlc_stuff(&s, hdlc_load48(octets + i), 48);
    for (; i < count; i++)
        hdlc_stuff(&s, octets[i], 8);
    hdlc_stuff(&s, fcs, 16);
    s.queue[s.word] = s.bits;
    size_t words = (s.word - word) % HDLC_QUEUE_WORDS; /* a frame is far shorter than the queue */
    e->tail += 64 * words + s.filled - filled;
}

/* Queues a frame of 1 octet or more without its FCS; 0: no room, and nothing was queued. */
static inline int hdlc_send(hdlc_encoder *e, const uint8_t *octets, size_t count)
{
    uint64_t most = 8 * (count + HDLC_FCS) * 6 / 5 + 1 + 16; /* all ones, and two flags */
    if (count > HDLC_LONGEST || e->tail - e->head + most > 64 * (HDLC_QUEUE_WORDS - 1))
        return 0;
    if (e->ones)
        hdlc_push(e, HDLC_FLAG, 8);
    hdlc_queue(e, octets, count);
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
    size_t i = 0;
    for (; i + 8 <= count && !e->filled && e->tail - e->head >= 64; i += 8) { /* in the middle of what is queued */
        uint64_t word = hdlc_pop(e, 64);
        if (!e->lsb_first)
            word = hdlc_reverse(word);
        memcpy(octets + i, &word, 8);
    }
    for (; i < count; i += 8) {
        unsigned size = count - i < 8 ? (unsigned)(count - i) : 8;
        uint64_t word = hdlc_pull_bits(e, 8 * size);
        if (!e->lsb_first)
            word = hdlc_reverse(word);
        memcpy(octets + i, &word, size);
    }
}
