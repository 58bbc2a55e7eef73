/* Frames were found, but no CRC-4 multiframe within 8 ms: perhaps something in the time slots imitates FAS. While these
 * frames are followed, others are searched for beside them that have a multiframe, G.706 4.2 and Annex B. */
#pragma once
#include "multiframe.h"
#include "search.h"

static inline void e1_hunt_beside(e1_parallel *p, int64_t from)
{
    p->state = E1_PARALLEL_HUNTS;
    p->next = from;
}

static inline void e1_follow_beside(e1_parallel *p, int64_t fas)
{
    p->state = E1_PARALLEL_FOLLOWS;
    p->next = fas;
    p->nfas = p->bad_fas = p->bad_nfas = 0;
    e1_mfas_begin(&p->mfas);
}

/* One frame of the candidate, of which `octet` is the first. Returns whether it has the multiframe. */
static inline int e1_try_candidate(e1_receiver *r, unsigned octet)
{
    e1_parallel *p = &r->parallel;
    int good = p->nfas ? (octet & 0x40) != 0 : (octet & 0x7F) == 0x1B;
    int *run = p->nfas ? &p->bad_nfas : &p->bad_fas, limit = p->nfas ? r->criteria.bad_nfas : r->criteria.bad_fas;
    int found = p->nfas && e1_mfas_seek(&p->mfas, octet >> 7, r->criteria.multiframe_frames);
    *run = good ? 0 : *run + 1;
    p->mfas.counted++;
    p->nfas = !p->nfas;
    p->next += E1_FRAME_BITS;
    if (!found && ((limit && *run >= limit) || p->mfas.counted >= r->criteria.multiframe_frames))
        e1_hunt_beside(p, p->next - E1_FRAME_BITS + 1); /* just behind the spurious one, G.706 4.2, note */
    return found;
}

/* Goes as far as bit `end` of the buffer, where the frame ends that was followed last. Returns whether there is a
 * multiframe elsewhere. Bit after bit it depends on nothing else, so chunking changes nothing. */
static inline int e1_search_beside(e1_receiver *r, const uint8_t *octets, int64_t end)
{
    e1_parallel *p = &r->parallel;
    int64_t base = 8 * r->base, own = base + end - (r->nfas ? E1_FRAME_BITS : 2 * E1_FRAME_BITS); /* a FAS of ours */
    if (p->state == E1_PARALLEL_OFF)
        e1_hunt_beside(p, base + end - E1_FRAME_BITS + 1);
    for (;;) {
        if (p->state == E1_PARALLEL_FOLLOWS) {
            int64_t at = p->next - base;
            if (at + E1_FRAME_BITS > end)
                return 0;
            if (e1_try_candidate(r, (unsigned)(e1_bits(octets, (size_t)at) >> 56)))
                return 1;
            continue;
        }
        int64_t last = end - E1_SEARCH, found = p->next - base <= last ? e1_search(octets, p->next - base, last) : -1;
        if (found < 0) {
            p->next = base + last + 1 > p->next ? base + last + 1 : p->next;
            return 0;
        }
        if ((base + found - own) % (2 * E1_FRAME_BITS) == 0)
            p->next = base + found + 1;
        else
            e1_follow_beside(p, base + found);
    }
}

/* Bits did not arrive; the next is number `end`. */
static inline void e1_go_on_beside(e1_receiver *r, int64_t end)
{
    if (r->parallel.state != E1_PARALLEL_OFF)
        e1_hunt_beside(&r->parallel, end);
}
