/* HDLC of a D channel: flags, zero insertion, aborts, FCS-16; ISO/IEC 13239, Q.921 2.
 *
 * Header only and free of Python, so that the C that sends a line can call it under its own lock. Inside, the first bit
 * on the line is the least significant one: that is how HDLC numbers the bits of a frame's octets. An octet of an E1
 * time slot has its first bit in the most significant place (G.704 2.3.1) and is turned round on its way, unless
 * `lsb_first` says that the board has done so. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    HDLC_LONGEST = 4096,   /* octets of a frame, FCS left out, that anyone can ask for */
    HDLC_FCS = 2,          /* octets of FCS-16 */
    HDLC_FLAG = 0x7E,
    HDLC_FCS_GOOD = 0xF0B8 /* remainder over a frame with its FCS, Q.921 2.7 */
};

static uint16_t hdlc_fcs_table[8][256]; /* [k][octet]: an octet with k more behind it */

static inline void hdlc_setup(void)
{
    for (unsigned octet = 0; octet < 256; octet++) {
        unsigned fcs = octet;
        for (int i = 0; i < 8; i++)
            fcs = fcs & 1 ? fcs >> 1 ^ 0x8408 : fcs >> 1; /* x^16 + x^12 + x^5 + 1, Q.921 2.7 */
        hdlc_fcs_table[0][octet] = (uint16_t)fcs;
    }
    for (int k = 1; k < 8; k++)
        for (int octet = 0; octet < 256; octet++) {
            unsigned fcs = hdlc_fcs_table[k - 1][octet];
            hdlc_fcs_table[k][octet] = (uint16_t)(fcs >> 8 ^ hdlc_fcs_table[0][fcs & 0xFF]);
        }
}

/* The remainder before it is complemented. */
static inline unsigned hdlc_fcs(const uint8_t *octets, size_t count)
{
    const uint16_t(*t)[256] = (const uint16_t(*)[256])hdlc_fcs_table;
    unsigned fcs = 0xFFFF;
    for (; count >= 8; count -= 8, octets += 8)
        fcs = t[7][octets[0] ^ (fcs & 0xFF)] ^ t[6][octets[1] ^ fcs >> 8] ^ t[5][octets[2]] ^ t[4][octets[3]]
              ^ t[3][octets[4]] ^ t[2][octets[5]] ^ t[1][octets[6]] ^ t[0][octets[7]];
    while (count--)
        fcs = fcs >> 8 ^ t[0][(fcs ^ *octets++) & 0xFF];
    return fcs;
}

/* Each octet turned round. */
static inline uint64_t hdlc_reverse(uint64_t word)
{
    word = (word >> 1 & 0x5555555555555555u) | (word & 0x5555555555555555u) << 1;
    word = (word >> 2 & 0x3333333333333333u) | (word & 0x3333333333333333u) << 2;
    return (word >> 4 & 0x0F0F0F0F0F0F0F0Fu) | (word & 0x0F0F0F0F0F0F0F0Fu) << 4;
}

static inline uint64_t hdlc_low(unsigned bits) /* a mask of so many bits, 0..64 */
{
    return bits ? ~0ull >> (64 - bits) : 0;
}
