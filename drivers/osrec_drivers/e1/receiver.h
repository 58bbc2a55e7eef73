/* Finds the frames in the raw bits of an E1 line and follows them: G.704, G.706, G.775.
 *
 * Octets come in at any bit offset and in any chunks; whole frames go out to a sink, each with a sample number:
 * origin + (bit position / 256). Frames that cannot be had become gaps, so the numbers never lose step with the bits.
 * Work is done in units of one frame's length on the grid of the stream, so chunking changes nothing that is seen. */
#pragma once
#include "detectors.h"
#include "multiframe.h"

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

/* Whether a frame has no more zeros than AIS has in twice its length, G.775 5.2: then its bit 2 says nothing. */
static inline int e1_all_ones(const e1_receiver *r, const uint8_t *octets, size_t bit)
{
    int zeros = 0;
    for (size_t i = 0; i < E1_FRAME_BITS; i += 64)
        zeros += __builtin_popcountll(~e1_bits(octets, bit + i));
    return zeros <= r->criteria.ais_zeros;
}

static inline void e1_gain_alignment(e1_receiver *r, int64_t fas_bit, const uint8_t *octets)
{
    r->next = fas_bit;
    r->nfas = 0;
    /* The frame before the first FAS is whole, too, if it was received and looks it. */
    int64_t before = fas_bit - E1_FRAME_BITS;
    size_t at = (size_t)(before - 8 * r->base);
    if (before >= r->valid_from && e1_sample(r, before) >= r->tail && e1_bits(octets, at) >> 62 & 1
        && !e1_all_ones(r, octets, at)) {
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
