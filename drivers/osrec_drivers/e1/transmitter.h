/* Writes TS0 of the frames that a line sends: FAS, NFAS, the CRC-4 multiframe, E and A bits; G.704 2.3. */
#pragma once
#include "bits.h"

typedef struct {
    int crc4;          /* else bit 1 of TS0 is 1, G.704 2.3.2 note */
    int sa;            /* bits Sa4..Sa8 */
    int mf;            /* number of the next frame in the multiframe */
    unsigned crc;      /* of the sub-multiframe being sent, so far */
    unsigned crc_sent; /* of the one before, whose C bits are being sent */
} e1_transmitter;

/* What our own receiver has the transmitter tell the far end. */
typedef struct {
    int remote_alarm;  /* A bit */
    int multiframe;    /* our receiver has CRC-4 multiframe alignment; until then E bits are 0 */
    int *errors;       /* errored sub-multiframes to be told, one an E bit */
} e1_backward;

static inline unsigned e1_bit1(e1_transmitter *t, const e1_backward *back)
{
    static const uint8_t mfas[6] = {0, 0, 1, 0, 1, 1}; /* bit 1 of frames 1, 3 .. 11, G.704 table 5B */
    if (!t->crc4)
        return 1;
    if (!(t->mf & 1)) /* C1..C4 */
        return t->crc_sent >> (3 - (t->mf >> 1 & 3)) & 1;
    if (t->mf < 12)
        return mfas[t->mf >> 1];
    if (!back->multiframe)
        return 0;
    if (*back->errors > 0) {
        --*back->errors;
        return 0;
    }
    return 1;
}

static inline void e1_transmit(e1_transmitter *t, const e1_backward *back, const uint8_t *frames, size_t count,
                               uint8_t *out)
{
    if (out != frames)
        memcpy(out, frames, count * E1_FRAME);
    for (size_t i = 0; i < count; i++) {
        uint8_t *frame = out + i * E1_FRAME;
        unsigned signal = t->mf & 1 ? 0x40 | (unsigned)(back->remote_alarm != 0) << 5 | (unsigned)t->sa : 0x1B;
        frame[0] = (uint8_t)(e1_bit1(t, back) << 7 | signal);
        if (t->crc4)
            t->crc = e1_crc4_frame(t->crc, frame, !(t->mf & 1));
        t->mf = (t->mf + 1) & 15;
        if ((t->mf & 7) == 0) {
            t->crc_sent = t->crc;
            t->crc = 0;
        }
    }
}
