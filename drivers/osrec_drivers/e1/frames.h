/* Frame alignment: lost, gained, followed; G.706 4.1, and what TS0 says, G.704 2.3.2. */
#pragma once
#include "detectors.h"
#include "multiframe.h"
#include "parallel.h"
#include "search.h"

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

/* What was known of the frames is known no more; `next` is behind the last of them. */
static inline void e1_drop_alignment(e1_receiver *r)
{
    r->aligned = 0;
    r->counters.losses++;
    r->rai = r->rai_run = 0; /* nothing is known of the far end's A and Sa bits now */
    r->sa = -1;
    r->sa_run = 0;
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
}

static inline void e1_lose_alignment(e1_receiver *r)
{
    r->lost_fas = r->next + (r->nfas ? E1_FRAME_BITS : 0);
    r->next++; /* G.706 4.1.2: go on from the next bit */
    e1_drop_alignment(r);
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
    if (r->lost_fas >= 0 && (fas_bit - r->lost_fas) % (2 * E1_FRAME_BITS))
        r->counters.slips++;
    r->lost_fas = -1;
    e1_multiframe_unknown(r);
    e1_update_alarms(r, r->tail);
}

/* Search positions from r->next; `bits` of the buffer are there. */
static inline void e1_hunt(e1_receiver *r, const uint8_t *octets, int64_t bits)
{
    int64_t last = bits - E1_SEARCH, found = e1_search(octets, r->next - 8 * r->base, last);
    if (found >= 0) {
        e1_gain_alignment(r, 8 * r->base + found, octets);
        return;
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

static inline void e1_far_sa(e1_receiver *r, int sa)
{
    r->sa_run = r->sa_run && sa == r->sa_seen ? r->sa_run + 1 : 1;
    r->sa_seen = sa;
    if (r->sa_run >= r->criteria.sa_times)
        r->sa = sa;
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
    ++*(r->nfas ? &r->counters.bit2_errors : &r->counters.fas_errors);
    if (!limit)
        return 0;
    ++*run;
    if (r->bad_from < 0)
        r->bad_from = sample;
    return *run >= limit;
}

/* Frames without a multiframe: how long already? */
static inline void e1_await_multiframe(e1_receiver *r, int64_t sample)
{
    if (!r->overdue && r->mfas.counted >= r->criteria.multiframe_frames) {
        r->overdue = 1;
        e1_update_alarms(r, sample);
    }
    if (!r->interworking && r->mfas.counted >= r->criteria.interworking_frames) {
        r->interworking = 1; /* what is there must be it; should MFAS come after all, it is taken, though */
        r->parallel.state = E1_PARALLEL_OFF;
    }
}

static inline int e1_follow_frame(e1_receiver *r, const uint8_t *frame, int64_t sample)
{
    int lost = e1_check_signal(r, frame[0], sample);
    if (r->nfas && frame[0] & 0x40) {
        e1_far_alarm(r, frame[0] >> 5 & 1, sample);
        e1_far_sa(r, frame[0] & 0x1F);
    }
    if (r->multiframe) {
        lost |= e1_follow_multiframe(r, frame);
    } else if (r->crc4 && r->nfas && e1_mfas_seek(&r->mfas, frame[0] >> 7, r->criteria.multiframe_frames)) {
        e1_multiframe_gained(r, 12); /* the pattern ends in frame 11 */
        e1_update_alarms(r, sample + 1);
    }
    r->mfas.counted++;
    r->nfas = !r->nfas;
    if (r->crc4 && !r->multiframe)
        e1_await_multiframe(r, sample + 1);
    return lost;
}

/* Bit 1 of frames 1, 3, 5, 7 or 9, 11, 13, 15 must be MFAS and E bits, and so it must have been before: then no MFAS in
 * another place ends here. */
static inline int e1_mfas_stands(const e1_receiver *r, unsigned si)
{
    unsigned before = r->mfas.history;
    return r->mf ? (si & 12) == 12 && (before & 15) == 2 : si == 2 && (before >> 2 & 15) == 11;
}

/* Eight frames of a sub-multiframe at once, if nothing in their TS0 needs thought. */
static inline int e1_follow_eight(e1_receiver *r, const uint8_t *frames)
{
    if (!r->multiframe || r->mf & 7 || r->nfas || r->bad_from >= 0 || r->rai || r->rai_run || r->sa < 0
        || r->sa_seen != r->sa)
        return 0;
#define E1_SIGNAL(i) ((uint64_t)frames[(i) * E1_FRAME] << (56 - 8 * (i)))
    uint64_t signals = ((E1_SIGNAL(0) | E1_SIGNAL(1)) | (E1_SIGNAL(2) | E1_SIGNAL(3)))
                       | ((E1_SIGNAL(4) | E1_SIGNAL(5)) | (E1_SIGNAL(6) | E1_SIGNAL(7)));
#undef E1_SIGNAL
    uint64_t usual = 0x1B401B401B401B40 | (uint64_t)r->sa * 0x0001000100010001; /* FAS; bit 2 = 1, A = 0, Sa */
    if ((signals & 0x7F7F7F7F7F7F7F7F) != usual || r->crc_window_bad + 1 >= r->criteria.crc_bad_blocks)
        return 0;
    unsigned si = (signals >> 52 & 8) | (signals >> 37 & 4) | (signals >> 22 & 2) | (signals >> 7 & 1);
    if (!e1_mfas_stands(r, si))
        return 0;
    r->crc_received = (unsigned)(signals >> 60 & 8) | (signals >> 45 & 4) | (signals >> 30 & 2) | (signals >> 15 & 1);
    r->crc = e1_crc4_sub_multiframe(frames, r->crc_received);
    if (r->mf == 8)
        r->counters.remote_crc_errors += !(si & 2) + !(si & 1);
    r->mf ^= 8;
    r->mfas.history = (r->mfas.history << 4 | si) & 0x3F;
    r->mfas.counted += 8;
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

/* Another alignment has the multiframe that the present one lacks: go on with that, G.706 4.2. */
static inline void e1_realign(e1_receiver *r)
{
    int64_t next = r->parallel.next;
    int behind = e1_sample(r, next) < r->tail; /* its next frame began before the last one that was given out ended */
    e1_drop_alignment(r);
    r->aligned = 1;
    r->nfas = behind;
    r->next = r->valid_from = next + (behind ? E1_FRAME_BITS : 0);
    e1_multiframe_gained(r, 12 + behind);
    e1_update_alarms(r, r->tail);
}

/* Returns whether to go on at once with what it found. */
static inline int e1_follow(e1_receiver *r, const uint8_t *octets, int64_t bits)
{
    uint8_t shifted[E1_PIECE + E1_CARRY + 64];
    int64_t at = r->next - 8 * r->base;
    if (at < 0 || bits - at < E1_FRAME_BITS)
        return 0;
    size_t count = (size_t)(bits - at) / E1_FRAME_BITS, i = 0;
    int64_t first = e1_sample(r, r->next);
    int lost = 0, moved = 0;
    const uint8_t *frames = at & 7 ? shifted : octets + at / 8;
    if (at & 7)
        e1_shift(octets, (size_t)at, shifted, count * E1_FRAME, r->wide);
    while (i < count && !lost && !moved) {
        if (count - i >= 8 && e1_follow_eight(r, frames + i * E1_FRAME)) {
            i += 8;
        } else {
            lost = e1_follow_frame(r, frames + i * E1_FRAME, first + (int64_t)i);
            i++;
            if (r->overdue && !r->interworking && !lost)
                moved = e1_search_beside(r, octets, at + (int64_t)i * E1_FRAME_BITS);
        }
    }
    size_t sure = r->bad_from < 0 ? i : r->bad_from > first ? (size_t)(r->bad_from - first) : 0;
    e1_give(r, frames, sure);
    if (r->bad_from < 0 || sure)
        r->sink.publish(r->sink.context);
    e1_give(r, frames + sure * E1_FRAME, i - sure);
    r->next += (int64_t)i * E1_FRAME_BITS;
    if ((lost || moved) && r->bad_from >= 0)
        r->counters.frames -= (uint64_t)(r->tail - r->bad_from);
    if (lost)
        e1_lose_alignment(r);
    if (moved)
        e1_realign(r);
    return lost || moved;
}
