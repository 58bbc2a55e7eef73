/* Time slot octets -> HDLC frames, 64 bits at a time; see hdlc.h.
 *
 * The last six bits, and by shifting all 64 positions at once, tell what a bit is: behind five ones a zero that was
 * inserted, behind six ones the end of a flag, a seventh one the begin of an abort. The bits of a frame gather with the
 * seven bits `0111111` of its closing flag, which are taken off at its end. */
#pragma once
#include "hdlc.h"

typedef enum { HDLC_GOOD, HDLC_ABORT, HDLC_BAD_FCS, HDLC_NOT_OCTETS, HDLC_LONG, HDLC_SHORT, HDLC_KINDS } hdlc_kind;

enum { HDLC_WORD_EVENTS = 9 }; /* a flag or abort with something before it takes eight bits */

typedef struct {
    int64_t end;    /* number of the time slot octet that has the last bit of its closing flag */
    uint32_t first; /* of its octets in the sink */
    uint32_t count;
    hdlc_kind kind;
} hdlc_event;

/* Where frames go; full when it has no room for what one word may bring. */
typedef struct {
    hdlc_event *events;
    uint8_t *octets;
    size_t events_room, octets_room; /* at least HDLC_WORD_EVENTS, and the longest frame + 16 */
    size_t events_used, octets_used;
} hdlc_sink;

typedef struct {
    int lsb_first;
    uint32_t shortest, longest; /* octets of a frame, FCS left out */
    uint64_t before;            /* the last 64 bits, the newest in the highest place */
    uint64_t part;              /* bits not yet in `frame` */
    uint32_t bits;              /* of the frame so far, its closing flag included; in whole words in `frame` */
    int inside;                 /* behind a flag, no abort since */
    int64_t position;           /* octets taken */
    uint64_t counts[HDLC_KINDS];
    uint8_t frame[HDLC_LONGEST + HDLC_FCS + 24];
} hdlc_decoder;

static inline void hdlc_decoder_init(hdlc_decoder *d, uint32_t shortest, uint32_t longest, int lsb_first)
{
    memset(d, 0, sizeof *d);
    d->shortest = shortest;
    d->longest = longest;
    d->lsb_first = lsb_first;
}

static inline void hdlc_restart(hdlc_decoder *d, int inside)
{
    d->inside = inside;
    d->bits = 0;
    d->part = 0;
}

static inline uint32_t hdlc_most_bits(const hdlc_decoder *d)
{
    return 8 * (d->longest + HDLC_FCS) + 7;
}

/* Adds up to 64 bits to the frame; there is room, hdlc_take saw to it. */
static inline void hdlc_add(hdlc_decoder *d, uint64_t value, unsigned count)
{
    unsigned held = d->bits & 63;
    value &= hdlc_low(count);
    d->part |= value << held;
    if (held + count >= 64) {
        memcpy(d->frame + (d->bits >> 6) * 8, &d->part, 8);
        d->part = held ? value >> (64 - held) : 0;
    }
    d->bits += count;
}

static inline void hdlc_tell(hdlc_decoder *d, hdlc_sink *sink, hdlc_kind kind, uint32_t octets, int64_t end)
{
    hdlc_event *event = &sink->events[sink->events_used++];
    d->counts[kind]++;
    *event = (hdlc_event){end, (uint32_t)sink->octets_used, octets, kind};
    memcpy(sink->octets + sink->octets_used, d->frame, octets);
    sink->octets_used += octets;
}

static inline void hdlc_flush(hdlc_decoder *d) /* the last bits of the frame to where its others are */
{
    memcpy(d->frame + (d->bits >> 6) * 8, &d->part, 8);
}

/* A flag ends here: judges the frame, invalid ones by Q.921 2.9, and begins the next. */
static inline void hdlc_flag(hdlc_decoder *d, hdlc_sink *sink, int64_t end)
{
    if (d->inside && d->bits > 7) { /* else a flag behind a flag, perhaps with one zero for both */
        uint32_t bits = d->bits - 7, octets = bits >> 3;
        hdlc_flush(d);
        if (octets < d->shortest + HDLC_FCS)
            hdlc_tell(d, sink, HDLC_SHORT, octets, end);
        else if (bits & 7)
            hdlc_tell(d, sink, HDLC_NOT_OCTETS, octets, end);
        else if (hdlc_fcs(d->frame, octets) != HDLC_FCS_GOOD)
            hdlc_tell(d, sink, HDLC_BAD_FCS, octets, end);
        else
            hdlc_tell(d, sink, HDLC_GOOD, octets - HDLC_FCS, end);
    }
    hdlc_restart(d, 1);
}

/* A seventh one, or octets that did not arrive. */
static inline void hdlc_abort(hdlc_decoder *d, hdlc_sink *sink, int64_t end)
{
    if (d->inside && d->bits > 7) { /* else the line goes idle by ones behind a flag */
        hdlc_flush(d);
        hdlc_tell(d, sink, HDLC_ABORT, (d->bits - 7) >> 3, end);
    }
    hdlc_restart(d, 0);
}

/* The bits of `word` in `kept`, but for the inserted zeros among them. */
static inline void hdlc_add_kept(hdlc_decoder *d, uint64_t word, unsigned first, unsigned end, uint64_t inserted)
{
    unsigned count = end - first;
    word = first < 64 ? word >> first : 0;
    inserted = first < 64 ? inserted >> first & hdlc_low(count) : 0;
    while (inserted) { /* two of them in 64 random bits: as fast as PEXT and everywhere */
        unsigned at = 63 - (unsigned)__builtin_clzll(inserted); /* from the top, so that those below stay in place */
        uint64_t below = hdlc_low(at);
        word = (word & below) | (word >> 1 & ~below);
        inserted ^= 1ull << at;
        count--;
    }
    hdlc_add(d, word, count);
}

/* One bit after the other: where a frame comes near its limit, which must be kept to the bit. */
static inline void hdlc_take_slowly(hdlc_decoder *d, uint64_t word, unsigned bits, hdlc_sink *sink)
{
    for (unsigned i = 0; i < bits; i++) {
        unsigned bit = word >> i & 1, ones = d->before == ~0ull ? 64 : (unsigned)__builtin_clzll(~d->before);
        int64_t here = d->position + (i >> 3);
        d->before = d->before >> 1 | (uint64_t)bit << 63;
        if (!bit && ones == 6)
            hdlc_flag(d, sink, here);
        else if (bit && ones == 6)
            hdlc_abort(d, sink, here);
        else if (d->inside && (bit || ones != 5)) {
            hdlc_add(d, bit, 1);
            if (d->bits > hdlc_most_bits(d)) {
                hdlc_flush(d);
                hdlc_tell(d, sink, HDLC_LONG, d->longest + HDLC_FCS, here);
                hdlc_restart(d, 0);
            }
        }
    }
}

/* Up to 64 bits. */
static inline void hdlc_take(hdlc_decoder *d, uint64_t word, unsigned bits, hdlc_sink *sink)
{
    if (d->bits + bits > hdlc_most_bits(d)) {
        hdlc_take_slowly(d, word, bits, sink);
        return;
    }
#define BACK(k) (word << (k) | d->before >> (64 - (k)))
    uint64_t five = BACK(1) & BACK(2) & BACK(3) & BACK(4) & BACK(5), back6 = BACK(6);
    uint64_t inserted = five & ~back6 & ~word;
    uint64_t events = five & back6 & ~BACK(7) & hdlc_low(bits);
#undef BACK
    unsigned first = 0;
    for (; events; events &= events - 1) {
        unsigned at = (unsigned)__builtin_ctzll(events);
        if (d->inside)
            hdlc_add_kept(d, word, first, at, inserted);
        if (word >> at & 1)
            hdlc_abort(d, sink, d->position + (at >> 3));
        else
            hdlc_flag(d, sink, d->position + (at >> 3));
        first = at + 1;
    }
    if (d->inside)
        hdlc_add_kept(d, word, first, bits, inserted);
    d->before = bits == 64 ? word : d->before >> bits | word << (64 - bits);
}

/* Flags or ones all over, at any bit offset: the same octet again and again. */
static inline int hdlc_is_idle(uint64_t word)
{
    unsigned octet = word & 0xFF, pair = (octet << 8 | octet) & 0xFFFF;
    if (word != octet * 0x0101010101010101ull)
        return 0;
    for (unsigned i = 0; i < 8; i++)
        if ((pair >> i & 0xFF) == HDLC_FLAG)
            return 1;
    return octet == 0xFF;
}

static inline uint64_t hdlc_load(const uint8_t *octets)
{
    uint64_t word;
    memcpy(&word, octets, 8);
    return word;
}

/* Octets that only repeat eight octets of idling, which leave the decoder as it is. */
static inline size_t hdlc_idle(const uint8_t *octets, size_t count)
{
    uint64_t word = hdlc_load(octets);
    size_t i = 8;
    for (; i + 32 <= count; i += 32)
        if ((hdlc_load(octets + i) ^ word) | (hdlc_load(octets + i + 8) ^ word) | (hdlc_load(octets + i + 16) ^ word)
            | (hdlc_load(octets + i + 24) ^ word))
            break;
    while (i + 8 <= count && hdlc_load(octets + i) == word)
        i += 8;
    return i;
}

/* Takes octets until they or the sink end; returns how many. */
static inline size_t hdlc_feed(hdlc_decoder *d, const uint8_t *octets, size_t count, hdlc_sink *sink)
{
    size_t i = 0;
    while (i < count && sink->events_used + HDLC_WORD_EVENTS <= sink->events_room
           && sink->octets_used + d->longest + HDLC_FCS + 16 <= sink->octets_room) {
        unsigned size = count - i < 8 ? (unsigned)(count - i) : 8;
        uint64_t word = 0;
        memcpy(&word, octets + i, size);
        if (!d->lsb_first)
            word = hdlc_reverse(word);
        if (size == 8 && word == d->before && hdlc_is_idle(word)) {
            size_t idle = hdlc_idle(octets + i, count - i);
            d->position += (int64_t)idle;
            i += idle;
            continue;
        }
        hdlc_take(d, word, 8 * size, sink);
        d->position += size;
        i += size;
    }
    return i;
}

/* Octets that did not arrive: what was under way is lost; nothing is known of the bits before the next. */
static inline void hdlc_skip(hdlc_decoder *d, int64_t count, hdlc_sink *sink)
{
    if (d->inside && d->bits > 7)
        hdlc_abort(d, sink, d->position);
    hdlc_restart(d, 0);
    d->before = 0;
    d->position += count;
}
