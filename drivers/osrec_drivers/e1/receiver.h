/* Finds the frames in the raw bits of an E1 line and follows them: G.704, G.706, G.775.
 *
 * Octets come in at any bit offset and in any chunks; whole frames go out to a sink, each with a sample number:
 * origin + (bit position / 256). Frames that cannot be had become gaps, so the numbers never lose step with the bits.
 * Work is done in units of one frame's length on the grid of the stream, so chunking changes nothing that is seen. */
#pragma once
#include "bits.h"
#include "ring.h"

typedef struct { /* Criteria in criteria.py, member for member */
    int bad_fas, bad_nfas, crc_blocks, crc_bad_blocks, multiframe_frames;
    int los_zeros, los_window, los_ones, ais_zeros, rai_times, lof_frames;
} e1_criteria;

enum { E1_ALARM_LOS = 1, E1_ALARM_LOF = 2, E1_ALARM_AIS = 4, E1_ALARM_RAI = 8, E1_ALARM_NO_PACKETS = 16 };
enum {
    E1_UNIT = 32,        /* octets the detectors look at in one step */
    E1_PIECE = 8192,     /* octets framed in one step */
    E1_CARRY = 160,      /* octets kept between steps; the search needs 66 and one frame before them */
    E1_SEARCH = 2 * 256 + 8, /* bits that decide on one position: FAS, NFAS, FAS */
};

typedef struct {
    void *context;
    void (*frames)(void *context, const uint8_t *frames, size_t count); /* held until the next publish */
    void (*publish)(void *context);
    void (*gap)(void *context, int64_t first, int64_t end, e1_cause cause); /* takes back what is held from `first` */
    void (*changed)(void *context, unsigned alarm, int raised, int64_t sample);
} e1_sink;

typedef struct {
    uint64_t frames, fas_errors, crc_errors, remote_crc_errors, losses;
} e1_receive_counters;

typedef struct {
    e1_criteria criteria;
    e1_sink sink;
    e1_receive_counters counters;
    int crc4;            /* whether to look for the CRC-4 multiframe */
    unsigned alarms;     /* standing */
    unsigned outside;    /* alarms that others than the bits know of: no packets, R bit */

    uint8_t carry[E1_CARRY];
    size_t carried;
    uint8_t part[E1_UNIT]; /* of a unit */
    size_t parted;
    int64_t base;        /* octet number of carry[0] in the stream */
    int64_t origin;      /* sample number of bit 0 */
    int64_t next;        /* bit number: of the next frame, or of the first position not searched */
    int64_t valid_from;  /* bit number: nothing known before it */
    int64_t tail;        /* sample number after the last one given to the sink */

    int aligned, nfas;   /* nfas: the next frame carries no FAS */
    int bad_fas, bad_nfas;
    int64_t bad_from;    /* sample number: start of the present run of errors; -1: none */
    int64_t hunted;      /* sample where the search began */

    int rai_run, rai;
    int multiframe, mf;  /* mf: number of the next frame in the multiframe */
    unsigned si_history; /* bit 1 of the last frames without FAS */
    int64_t mfas_seen[8]; /* frame count at which the pattern last ended in each phase; < 0: never */
    int64_t counted;     /* frames since alignment */
    unsigned crc, crc_previous, crc_received;
    int smf_whole, previous_whole;
    int crc_window, crc_window_bad;
    int far_errors;      /* errored sub-multiframes that our E bits have yet to tell */

    int64_t zero_run;    /* bits */
    int los, los_seen, los_seen_ones;
    int ais, ais_half, ais_zeros_seen, ais_run;
} e1_receiver;

static inline void e1_receiver_open(e1_receiver *r, const e1_criteria *criteria, int crc4, int64_t origin)
{
    memset(r, 0, sizeof *r);
    r->criteria = *criteria;
    r->crc4 = crc4;
    r->origin = r->tail = r->hunted = origin;
    r->bad_from = -1;
}

static inline int64_t e1_sample(const e1_receiver *r, int64_t bit)
{
    return r->origin + (bit >> 8);
}

static inline int64_t e1_received_octets(const e1_receiver *r)
{
    return r->base + (int64_t)r->carried + (int64_t)r->parted;
}

/* ---- alarms ---- */

static inline void e1_update_alarms(e1_receiver *r, int64_t sample)
{
    unsigned now = r->outside;
    if (r->los)
        now |= E1_ALARM_LOS;
    else if (r->ais)
        now |= E1_ALARM_AIS;
    else if (!r->aligned && (r->counters.losses || r->tail - r->hunted >= r->criteria.lof_frames))
        now |= E1_ALARM_LOF;
    if (r->rai)
        now |= E1_ALARM_RAI;
    unsigned changed = now ^ r->alarms;
    r->alarms = now;
    for (unsigned alarm = 1; changed; alarm <<= 1, changed >>= 1)
        if (changed & 1)
            r->sink.changed(r->sink.context, alarm, (now & alarm) != 0, sample);
}

static inline void e1_detect_los(e1_receiver *r, const uint8_t *unit, int64_t bit)
{
    for (int i = 0; i < E1_UNIT; i++)
        for (int b = 7; b >= 0; b--) {
            int one = unit[i] >> b & 1;
            bit++;
            r->zero_run = one ? 0 : r->zero_run + 1;
            if (!r->los) {
                if (r->zero_run >= r->criteria.los_zeros) {
                    r->los = 1;
                    r->los_seen = r->los_seen_ones = 0;
                    e1_update_alarms(r, e1_sample(r, bit));
                }
                continue;
            }
            r->los_seen_ones += one;
            if (r->los_seen_ones >= r->criteria.los_ones) {
                r->los = 0;
                e1_update_alarms(r, e1_sample(r, bit));
            } else if (++r->los_seen >= r->criteria.los_window) {
                r->los_seen = r->los_seen_ones = 0;
            }
        }
}

/* A unit of zeros while the signal is lost already, as a cable that is out brings for hours. */
static inline void e1_still_los(e1_receiver *r)
{
    r->zero_run += 8 * E1_UNIT;
    r->los_seen += 8 * E1_UNIT;
    if (r->los_seen >= r->criteria.los_window) {
        r->los_seen %= r->criteria.los_window;
        r->los_seen_ones = 0;
    }
}

static inline void e1_detect_ais(e1_receiver *r, int zeros, int64_t end_bit)
{
    r->ais_zeros_seen += zeros;
    r->ais_half = !r->ais_half;
    if (r->ais_half)
        return;
    int ones_only = r->ais_zeros_seen <= r->criteria.ais_zeros;
    r->ais_zeros_seen = 0;
    r->ais_run = ones_only == r->ais ? 0 : r->ais_run + 1; /* periods that speak against the present state */
    if (r->ais_run == 2) {
        r->ais = ones_only;
        r->ais_run = 0;
        e1_update_alarms(r, e1_sample(r, end_bit));
    }
}

/* Whether a unit cannot change what the detectors say. Then it is only noted, exactly. */
static inline int e1_quiet(e1_receiver *r, const uint8_t *unit)
{
    uint64_t w[4];
    memcpy(w, unit, sizeof w);
    if (r->los || r->ais || r->zero_run > 128 || w[0] == 0 || (w[1] | w[2]) == 0 || w[3] == 0)
        return 0; /* at most 128 + 63 zeros in a row, or 63 + 64 + 63 within */
    int other = (w[0] != ~0ull) + (w[1] != ~0ull) + (w[2] != ~0ull) + (w[3] != ~0ull);
    if (other <= r->criteria.ais_zeros || r->criteria.los_zeros < 192)
        return 0; /* few zeros: count them */
    r->zero_run = __builtin_ctzll(__builtin_bswap64(w[3]));
    e1_detect_ais(r, other, 0); /* at least so many: enough to say no, and no change is due */
    return 1;
}

/* Octets, in pairs of units that make up an AIS period, among which no 16 are all zeros or all ones. 255 zeros would
 * fill such a block wherever they begin, and a period with three zeros or less has at least one of all ones; so the
 * detectors need not look. */
static inline size_t e1_calm(e1_receiver *r, const uint8_t *octets, size_t count)
{
    const e1_criteria *c = &r->criteria;
    if (r->los || r->ais || r->ais_half || r->zero_run > 127 || c->los_zeros < 255 || c->ais_zeros > 3)
        return 0;
    size_t run = 0;
    for (int alike = 0; run + 2 * E1_UNIT <= count; run += 2 * E1_UNIT) {
        for (int i = 0; i < 2 * E1_UNIT; i += 16) {
            uint64_t a = e1_load64(octets + run + i), b = e1_load64(octets + run + i + 8);
            alike |= (a | b) == 0 || (a & b) == ~0ull;
        }
        if (alike)
            break;
    }
    if (run) {
        size_t last = run;
        r->ais_run = 0;
        r->zero_run = 0;
        while (octets[--last] == 0)
            r->zero_run += 8;
        r->zero_run += __builtin_ctz(octets[last]);
    }
    return run;
}

static inline void e1_detect(e1_receiver *r, const uint8_t *unit, int64_t bit)
{
    int zeros = 0;
    for (int i = 0; i < E1_UNIT; i += 8)
        zeros += __builtin_popcountll(~e1_load64(unit + i));
    if (zeros < 8 * E1_UNIT || !r->los)
        e1_detect_los(r, unit, bit);
    else
        e1_still_los(r);
    e1_detect_ais(r, zeros, bit + 8 * E1_UNIT);
}

/* ---- losing and missing ---- */

static inline e1_cause e1_standing_cause(const e1_receiver *r)
{
    return r->los ? E1_GAP_LOS : r->ais ? E1_GAP_AIS : E1_GAP_LOF;
}

static inline void e1_missing(e1_receiver *r, int64_t first, int64_t end, e1_cause cause)
{
    if (end > first)
        r->sink.gap(r->sink.context, first, end, cause);
    if (end > r->tail)
        r->tail = end;
}

static inline void e1_multiframe_unknown(e1_receiver *r)
{
    r->multiframe = 0;
    r->si_history = 0x3F; /* no part of the pattern */
    for (int phase = 0; phase < 8; phase++)
        r->mfas_seen[phase] = -1;
    r->counted = 0;
    r->smf_whole = r->previous_whole = 0;
    r->crc_window = r->crc_window_bad = 0;
}

static inline void e1_lose_alignment(e1_receiver *r)
{
    r->aligned = 0;
    r->counters.losses++;
    r->rai = r->rai_run = 0; /* nothing is known of the far end's A bit now */
    r->far_errors = 0;
    e1_multiframe_unknown(r);
    if (r->bad_from >= 0 && r->bad_from < r->tail)
        r->sink.gap(r->sink.context, r->bad_from, r->tail, e1_standing_cause(r));
    else
        r->sink.publish(r->sink.context);
    r->bad_from = -1;
    r->bad_fas = r->bad_nfas = 0;
    r->hunted = r->tail;
    r->valid_from = r->next;
    e1_update_alarms(r, r->tail);
}

/* ---- frame alignment, G.706 4.1.2 ---- */

/* At the start there is no alignment to lose: LOF is then to have searched in vain. */
static inline void e1_searched_in_vain(e1_receiver *r)
{
    if (!r->aligned && !(r->alarms & E1_ALARM_LOF) && r->tail - r->hunted >= r->criteria.lof_frames)
        e1_update_alarms(r, r->hunted + r->criteria.lof_frames);
}

static inline void e1_gain_alignment(e1_receiver *r, int64_t fas_bit, const uint8_t *octets)
{
    r->next = fas_bit;
    r->nfas = 0;
    /* The frame before the first FAS is whole, too, if it was received and looks it. */
    int64_t before = fas_bit - E1_FRAME_BITS;
    if (before >= r->valid_from && e1_sample(r, before) >= r->tail
        && e1_bits(octets, (size_t)(before - 8 * r->base)) >> 62 & 1) {
        r->next = before;
        r->nfas = 1;
    }
    e1_missing(r, r->tail, e1_sample(r, r->next), e1_standing_cause(r));
    e1_searched_in_vain(r);
    r->aligned = 1;
    e1_multiframe_unknown(r);
    e1_update_alarms(r, r->tail);
}

/* Search positions from r->next; `bits` of the buffer are there. */
static inline void e1_hunt(e1_receiver *r, const uint8_t *octets, int64_t bits)
{
    int64_t at = r->next - 8 * r->base, last = bits - E1_SEARCH;
    for (; at <= last; at += 64) {
#define E1_AT(offset) e1_bits(octets, (size_t)(at + (offset)))
        uint64_t found = ~E1_AT(1) & ~E1_AT(2) & E1_AT(3) & E1_AT(4) & ~E1_AT(5) & E1_AT(6) & E1_AT(7) & E1_AT(257);
        if (found)
            found &= ~E1_AT(513) & ~E1_AT(514) & E1_AT(515) & E1_AT(516) & ~E1_AT(517) & E1_AT(518) & E1_AT(519);
#undef E1_AT
        if (last - at < 63)
            found &= ~0ull << (63 - (last - at));
        if (found) {
            e1_gain_alignment(r, 8 * r->base + at + __builtin_clzll(found), octets);
            return;
        }
    }
    r->next = 8 * r->base + last + 1 > r->next ? 8 * r->base + last + 1 : r->next;
    int64_t searched = r->next - E1_FRAME_BITS; /* a frame before the next position may yet be given out */
    if (searched > 0)
        e1_missing(r, r->tail, e1_sample(r, searched), e1_standing_cause(r));
    e1_searched_in_vain(r);
}

/* ---- the CRC-4 multiframe, G.704 2.3.3, G.706 4.2 ---- */

static inline void e1_multiframe_gained(e1_receiver *r)
{
    r->multiframe = 1;
    r->mf = 12; /* the pattern ends in frame 11 */
    r->smf_whole = r->previous_whole = 0;
}

static inline void e1_seek_multiframe(e1_receiver *r, unsigned si)
{
    r->si_history = (r->si_history << 1 | si) & 0x3F;
    if (r->si_history != 0x0B) /* MFAS 001011 */
        return;
    int64_t *seen = &r->mfas_seen[r->counted >> 1 & 7];
    if (*seen >= 0 && r->counted - *seen <= r->criteria.multiframe_frames)
        e1_multiframe_gained(r);
    *seen = r->counted;
}

/* A sub-multiframe has ended, and with it the C bits for the one before. Returns whether alignment must be false. */
static inline int e1_sub_multiframe(e1_receiver *r)
{
    int bad = r->previous_whole && r->smf_whole && r->crc_received != r->crc_previous;
    if (r->previous_whole && r->smf_whole) {
        r->crc_window++;
        if (bad) {
            r->counters.crc_errors++;
            r->crc_window_bad++;
            if (r->far_errors < 1000)
                r->far_errors++;
        }
    }
    r->crc_previous = r->crc;
    r->previous_whole = r->smf_whole;
    r->smf_whole = 1;
    r->crc = r->crc_received = 0;
    int is_false = r->crc_window_bad >= r->criteria.crc_bad_blocks;
    if (r->crc_window >= r->criteria.crc_blocks)
        r->crc_window = r->crc_window_bad = 0;
    return is_false;
}

static inline int e1_follow_multiframe(e1_receiver *r, const uint8_t *frame)
{
    unsigned si = frame[0] >> 7;
    r->crc = e1_crc4_frame(r->crc, frame, !(r->mf & 1));
    if (!(r->mf & 1))
        r->crc_received = r->crc_received << 1 | si;
    else if (r->mf >= 13 && !si) /* E1 in frame 13, E2 in frame 15 */
        r->counters.remote_crc_errors++;
    r->mf = (r->mf + 1) & 15;
    return (r->mf & 7) == 0 && e1_sub_multiframe(r);
}

/* ---- following the frames ---- */

static inline void e1_far_alarm(e1_receiver *r, int a_bit, int64_t sample)
{
    r->rai_run = a_bit == r->rai ? 0 : r->rai_run + 1;
    if (r->rai_run < r->criteria.rai_times)
        return;
    r->rai = a_bit;
    r->rai_run = 0;
    e1_update_alarms(r, sample + 1);
}

/* The alignment signal of one frame. Returns whether alignment is lost, G.706 4.1.1. */
static inline int e1_check_signal(e1_receiver *r, unsigned octet, int64_t sample)
{
    int good = r->nfas ? (octet & 0x40) != 0 : (octet & 0x7F) == 0x1B;
    int *run = r->nfas ? &r->bad_nfas : &r->bad_fas;
    int limit = r->nfas ? r->criteria.bad_nfas : r->criteria.bad_fas;
    if (good) {
        *run = 0;
        if (!r->bad_fas && !r->bad_nfas)
            r->bad_from = -1;
        return 0;
    }
    if (!r->nfas)
        r->counters.fas_errors++;
    else if (!limit)
        return 0;
    ++*run;
    if (r->bad_from < 0)
        r->bad_from = sample;
    return *run >= limit;
}

static inline int e1_follow_frame(e1_receiver *r, const uint8_t *frame, int64_t sample)
{
    int lost = e1_check_signal(r, frame[0], sample);
    if (r->nfas && frame[0] & 0x40)
        e1_far_alarm(r, frame[0] >> 5 & 1, sample);
    if (r->multiframe)
        lost |= e1_follow_multiframe(r, frame);
    else if (r->crc4 && r->nfas)
        e1_seek_multiframe(r, frame[0] >> 7);
    r->counted++;
    r->nfas = !r->nfas;
    return lost;
}

/* Eight frames of a sub-multiframe at once, if nothing in their TS0 needs thought. */
static inline int e1_follow_eight(e1_receiver *r, const uint8_t *frames)
{
    if (!r->multiframe || r->mf & 7 || r->nfas || r->bad_from >= 0 || r->rai || r->rai_run)
        return 0;
    uint64_t signals = 0;
    for (int i = 0; i < 8; i++)
        signals = signals << 8 | frames[i * E1_FRAME];
    if ((signals & 0x7F607F607F607F60) != 0x1B401B401B401B40) /* FAS good; bit 2 = 1, A = 0 */
        return 0;
    if (r->crc_window_bad + 1 >= r->criteria.crc_bad_blocks)
        return 0;
    r->crc_received = (unsigned)(signals >> 60 & 8) | (signals >> 45 & 4) | (signals >> 30 & 2) | (signals >> 15 & 1);
    r->crc = e1_crc4_sub_multiframe(frames);
    if (r->mf == 8)
        r->counters.remote_crc_errors += !(signals >> 23 & 1) + !(signals >> 7 & 1);
    r->mf ^= 8;
    r->counted += 8;
    e1_sub_multiframe(r);
    return 1;
}

static inline void e1_give(e1_receiver *r, const uint8_t *frames, size_t count)
{
    if (!count)
        return;
    r->sink.frames(r->sink.context, frames, count);
    r->tail += (int64_t)count;
    r->counters.frames += count;
}

static inline void e1_follow(e1_receiver *r, const uint8_t *octets, int64_t bits)
{
    uint8_t frames[E1_PIECE + E1_CARRY + 64];
    int64_t at = r->next - 8 * r->base;
    if (at < 0 || bits - at < E1_FRAME_BITS)
        return;
    size_t count = (size_t)(bits - at) / E1_FRAME_BITS, i = 0;
    int64_t first = e1_sample(r, r->next);
    int lost = 0;
    e1_align(octets, (size_t)at, frames, count * E1_FRAME);
    while (i < count && !lost) {
        if (count - i >= 8 && e1_follow_eight(r, frames + i * E1_FRAME)) {
            i += 8;
        } else {
            lost = e1_follow_frame(r, frames + i * E1_FRAME, first + (int64_t)i);
            i++;
        }
    }
    size_t sure = r->bad_from < 0 ? i : r->bad_from > first ? (size_t)(r->bad_from - first) : 0;
    e1_give(r, frames, sure);
    if (r->bad_from < 0 || sure)
        r->sink.publish(r->sink.context);
    e1_give(r, frames + sure * E1_FRAME, i - sure);
    r->next += (int64_t)i * E1_FRAME_BITS;
    if (lost) {
        r->next++; /* G.706 4.1.2: go on from the next bit */
        if (r->bad_from >= 0)
            r->counters.frames -= (uint64_t)(r->tail - r->bad_from);
        e1_lose_alignment(r);
    }
}

/* ---- the stream ---- */

static inline void e1_frame_piece(e1_receiver *r, const uint8_t *octets, size_t count)
{
    uint8_t buffer[E1_CARRY + E1_PIECE + 16];
    memcpy(buffer, r->carry, r->carried);
    memcpy(buffer + r->carried, octets, count);
    size_t held = r->carried + count;
    memset(buffer + held, 0, 16);
    for (int aligned = -1; aligned != r->aligned;) { /* once more whenever it was gained or lost */
        aligned = r->aligned;
        if (aligned)
            e1_follow(r, buffer, 8 * (int64_t)held);
        else
            e1_hunt(r, buffer, 8 * (int64_t)held);
    }
    int64_t need = r->aligned ? r->next : r->next - E1_FRAME_BITS;
    if (need < r->valid_from)
        need = r->valid_from;
    int64_t done = (need >> 3) - r->base;
    size_t drop = done <= 0 ? 0 : done < (int64_t)held ? (size_t)done : held;
    r->carried = held - drop;
    memcpy(r->carry, buffer + drop, r->carried);
    r->base += (int64_t)drop;
}

/* Whole units. */
static inline void e1_receive_units(e1_receiver *r, const uint8_t *octets, size_t count)
{
    while (count) {
        size_t run = e1_calm(r, octets, count < E1_PIECE ? count : E1_PIECE);
        if (!run) {
            run = E1_UNIT;
            if (!e1_quiet(r, octets))
                e1_detect(r, octets, 8 * (r->base + (int64_t)r->carried));
        }
        e1_frame_piece(r, octets, run);
        octets += run;
        count -= run;
    }
}

static inline void e1_receive(e1_receiver *r, const uint8_t *octets, size_t count)
{
    if (r->parted) {
        size_t take = E1_UNIT - r->parted < count ? E1_UNIT - r->parted : count;
        memcpy(r->part + r->parted, octets, take);
        r->parted += take;
        octets += take;
        count -= take;
        if (r->parted < E1_UNIT)
            return;
        r->parted = 0;
        e1_receive_units(r, r->part, E1_UNIT);
    }
    size_t whole = count / E1_UNIT * E1_UNIT;
    e1_receive_units(r, octets, whole);
    memcpy(r->part, octets + whole, count - whole);
    r->parted = count - whole;
}

/* So many octets were on the line and did not come; where the frames are in them is known all the same. */
static inline void e1_miss(e1_receiver *r, int64_t octets, e1_cause cause)
{
    if (octets <= 0)
        return;
    int64_t end = 8 * (e1_received_octets(r) + octets);
    r->sink.publish(r->sink.context);
    r->bad_from = -1;
    if (r->aligned) {
        int64_t frames = end > r->next ? (end - r->next + E1_FRAME_BITS - 1) / E1_FRAME_BITS : 0;
        r->next += frames * E1_FRAME_BITS;
        r->nfas ^= (int)(frames & 1);
        r->counted += frames;
        r->mf = (int)((r->mf + frames) & 15);
        if (frames) {
            r->smf_whole = r->previous_whole = 0;
            r->crc = r->crc_received = 0;
            r->si_history = 0x3F; /* no pattern out of bits from both sides */
        }
        e1_missing(r, r->tail, e1_sample(r, r->next), cause);
    } else {
        int64_t known = e1_sample(r, 8 * e1_received_octets(r));
        e1_missing(r, r->tail, known, e1_standing_cause(r));
        e1_missing(r, r->tail, e1_sample(r, end), cause);
        r->next = end;
        r->hunted = r->tail;
    }
    r->valid_from = end;
    r->base = end / 8;
    r->carried = r->parted = 0;
    r->zero_run = 0;
    r->ais_half = r->ais_zeros_seen = r->ais_run = 0;
    r->los_seen = r->los_seen_ones = 0;
    e1_update_alarms(r, r->tail);
}

static inline void e1_set_outside(e1_receiver *r, unsigned alarm, int standing)
{
    r->outside = standing ? r->outside | alarm : r->outside & ~alarm;
    e1_update_alarms(r, r->tail);
}
