/* The CRC-4 multiframe: G.704 2.3.3, G.706 4.2 and 4.3. */
#pragma once
#include "receiver_state.h"

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
