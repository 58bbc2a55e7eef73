/* The CRC-4 multiframe: G.704 2.3.3, G.706 4.2, 4.3 and Annex B. */
#pragma once
#include "receiver_state.h"

static inline void e1_mfas_begin(e1_mfas_search *s)
{
    s->history = 0x3F; /* no part of the pattern */
    s->counted = 0;
    for (int phase = 0; phase < 8; phase++)
        s->seen[phase] = -1;
}

/* Bit 1 of a frame without FAS. Whether this is the second MFAS within the window, multiples of 2 ms apart. */
static inline int e1_mfas_seek(e1_mfas_search *s, unsigned si, int window)
{
    s->history = (s->history << 1 | si) & 0x3F;
    if (s->history != 0x0B) /* 001011 */
        return 0;
    int64_t *seen = &s->seen[s->counted >> 1 & 7];
    int found = *seen >= 0 && s->counted - *seen <= window;
    *seen = s->counted;
    return found;
}

static inline void e1_multiframe_unknown(e1_receiver *r)
{
    r->multiframe = r->overdue = r->interworking = 0;
    r->parallel.state = E1_PARALLEL_OFF;
    e1_mfas_begin(&r->mfas);
    r->smf_whole = r->previous_whole = 0;
    r->crc_window = r->crc_window_bad = 0;
}

static inline void e1_multiframe_gained(e1_receiver *r, int mf)
{
    r->multiframe = 1;
    r->overdue = r->interworking = 0;
    r->parallel.state = E1_PARALLEL_OFF;
    r->mf = mf;
    r->smf_whole = r->previous_whole = 0;
    r->crc = r->crc_received = 0;
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

/* One frame of the multiframe. MFAS twice in another place is a slip by whole double frames: FAS stays where it was. */
static inline int e1_follow_multiframe(e1_receiver *r, const uint8_t *frame)
{
    unsigned si = frame[0] >> 7;
    r->crc = e1_crc4_frame(r->crc, frame, !(r->mf & 1));
    if (!(r->mf & 1)) {
        r->crc_received = r->crc_received << 1 | si;
    } else {
        if (e1_mfas_seek(&r->mfas, si, r->criteria.multiframe_frames) && r->mf != 11) {
            r->counters.slips++;
            e1_multiframe_gained(r, 12);
            return 0;
        }
        if (r->mf >= 13 && !si) /* E1 in frame 13, E2 in frame 15 */
            r->counters.remote_crc_errors++;
    }
    r->mf = (r->mf + 1) & 15;
    return (r->mf & 7) == 0 && e1_sub_multiframe(r);
}
