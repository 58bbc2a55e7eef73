/* Finds the frames in the raw bits of an E1 line and follows them: G.704, G.706, G.775.
 *
 * Octets come in at any bit offset and in any chunks; whole frames go out to a sink, each with a sample number:
 * origin + (bit position / 256). Frames that cannot be had become gaps, so the numbers never lose step with the bits.
 * Work is done in units of one frame's length on the grid of the stream, so chunking changes nothing that is seen. */
#pragma once
#include "frames.h"

/* ---- the stream ---- */

/* Octets at the beginning of the buffer that are not needed any more. */
static inline size_t e1_forget(e1_receiver *r, size_t held)
{
    int64_t need = r->aligned ? r->next : r->next - E1_FRAME_BITS;
    if (r->parallel.state != E1_PARALLEL_OFF && r->parallel.next < need)
        need = r->parallel.next;
    if (need < r->valid_from)
        need = r->valid_from;
    int64_t done = (need >> 3) - r->base;
    size_t drop = done <= 0 ? 0 : done < (int64_t)held ? (size_t)done : held;
    r->base += (int64_t)drop;
    return drop;
}

/* Octets behind those that wait from before; at most E1_PIECE. */
static inline void e1_frame_copied(e1_receiver *r, const uint8_t *octets, size_t count)
{
    uint8_t buffer[E1_CARRY + E1_PIECE + 16];
    memcpy(buffer, r->carry, r->carried);
    memcpy(buffer + r->carried, octets, count);
    size_t held = r->carried + count;
    memset(buffer + held, 0, 16); /* a search reads so far */
    do { /* once more whenever alignment was gained or lost */
        if (!r->aligned)
            e1_hunt(r, buffer, 8 * (int64_t)held);
    } while (r->aligned && e1_follow(r, buffer, 8 * (int64_t)held));
    size_t drop = e1_forget(r, held);
    r->carried = held - drop;
    memcpy(r->carry, buffer + drop, r->carried);
}

/* Whether frames come for which nothing is searched, neither before nor beside them. */
static inline int e1_steady(const e1_receiver *r)
{
    return r->aligned && (r->multiframe || !r->crc4 || r->interworking);
}

/* Octets until the frames are whole that what waits belongs to, to the end of its sub-multiframe, so that the fast way
 * through the next ones is open. */
static inline size_t e1_until_even(const e1_receiver *r)
{
    int frames = r->multiframe ? 8 - (r->mf & 7) : 1;
    return (size_t)((r->next + frames * E1_FRAME_BITS + 7) / 8 - r->base) - r->carried;
}

/* At most E1_PIECE octets. Many of them, and steady frames, are followed where they lie. */
static inline void e1_frame_piece(e1_receiver *r, const uint8_t *octets, size_t count)
{
    if (count > 8 * E1_UNIT + E1_CARRY && e1_steady(r)) {
        if (r->carried) {
            size_t join = e1_until_even(r);
            e1_frame_copied(r, octets, join);
            if (r->carried > join) { /* alignment was lost, and what is searched begins before these octets */
                e1_frame_copied(r, octets + join, count - join);
                return;
            }
            octets += join - r->carried;
            count -= join - r->carried;
            r->carried = 0;
        }
        if (e1_steady(r)) {
            e1_follow(r, octets, 8 * (int64_t)count);
            size_t drop = e1_forget(r, count);
            octets += drop;
            count -= drop;
        }
    }
    e1_frame_copied(r, octets, count);
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
        r->mfas.counted += frames;
        r->mf = (int)((r->mf + frames) & 15);
        if (frames) {
            r->smf_whole = r->previous_whole = 0;
            r->crc = r->crc_received = 0;
            r->mfas.history = 0x3F; /* no pattern out of bits from both sides */
        }
        e1_go_on_beside(r, end);
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
