/* Bits and octets of one E1 line: loads at any bit, the CRC-4 of a frame, the transposition frames -> time slots.
 *
 * Header only, so that each extension that carries octets holds its own inlined copy. Bit 0 is the first on the line:
 * the most significant bit of octet 0 (G.704 2.3.1). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { E1_FRAME = 32, E1_FRAME_BITS = 256 };

static inline uint64_t e1_load64(const uint8_t *octets)
{
    uint64_t word;
    memcpy(&word, octets, 8);
    return word;
}

/* 64 bits from any bit position; reads nine octets. */
static inline uint64_t e1_bits(const uint8_t *octets, size_t bit)
{
    const uint8_t *from = octets + (bit >> 3);
    unsigned shift = bit & 7;
    uint64_t word = __builtin_bswap64(e1_load64(from)) << shift;
    return word | (uint64_t)from[8] >> (8 - shift); /* shift 0: >> 8 of an octet is 0 */
}

/* Octets from any bit position; reads up to eight octets beyond the last. */
static inline void e1_align(const uint8_t *octets, size_t bit, uint8_t *out, size_t count)
{
    if ((bit & 7) == 0) {
        memcpy(out, octets + (bit >> 3), count);
        return;
    }
    for (size_t i = 0; i < count; i += 8) { /* count is a multiple of 32 */
        uint64_t word = __builtin_bswap64(e1_bits(octets, bit + 8 * i));
        memcpy(out + i, &word, 8);
    }
}

/* ---- CRC-4, G.704 2.3.3.5: x^4 + x + 1, C bits taken as 0 ----
 *
 * The remainder is linear, so each of its four bits is the parity of the data under a mask. x^15 = 1 modulo the
 * polynomial and a frame has 256 = 17 * 15 + 1 bits, so one frame further on is one multiplication by x. */

typedef struct {
    uint64_t sub_multiframe[4][32]; /* [remainder bit 3..0][word], C bits left out */
    uint64_t frame[4][4];
} e1_crc4_masks;

static e1_crc4_masks e1_crc4;

static inline unsigned e1_crc4_step(unsigned crc) /* times x */
{
    return (crc << 1 ^ (crc & 8 ? 0x13 : 0)) & 15;
}

static inline void e1_crc4_masks_of(uint8_t *masks, size_t octets) /* masks: 4 rows of octets */
{
    unsigned remainder = 3; /* the last bit of the data is x^4 = x + 1 */
    memset(masks, 0, 4 * octets);
    for (size_t bit = 8 * octets; bit-- > 0; remainder = e1_crc4_step(remainder))
        for (int row = 0; row < 4; row++)
            if (remainder >> (3 - row) & 1)
                masks[row * octets + (bit >> 3)] |= 0x80 >> (bit & 7);
}

static inline void e1_crc4_setup(void)
{
    e1_crc4_masks_of((uint8_t *)e1_crc4.sub_multiframe, 8 * E1_FRAME);
    e1_crc4_masks_of((uint8_t *)e1_crc4.frame, E1_FRAME);
    for (int row = 0; row < 4; row++)
        for (int frame = 0; frame < 8; frame += 2) /* C1..C4 are bit 1 of the frames with FAS */
            ((uint8_t *)e1_crc4.sub_multiframe[row])[frame * E1_FRAME] &= 0x7F;
}

static inline __attribute__((always_inline)) unsigned e1_crc4_parities(const uint8_t *data, const uint64_t *masks, size_t words)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (size_t i = 0; i < words; i++) {
        uint64_t word = e1_load64(data + 8 * i);
        a ^= word & masks[i];
        b ^= word & masks[words + i];
        c ^= word & masks[2 * words + i];
        d ^= word & masks[3 * words + i];
    }
    return (unsigned)(__builtin_parityll(a) << 3 | __builtin_parityll(b) << 2 | __builtin_parityll(c) << 1
                      | __builtin_parityll(d));
}

#ifdef __x86_64__
__attribute__((target_clones("avx2", "default"))) /* picked once, when the extension is loaded */
#endif
static unsigned e1_crc4_sub_multiframe(const uint8_t *frames) /* 8 frames */
{
    return e1_crc4_parities(frames, &e1_crc4.sub_multiframe[0][0], 32);
}

/* The remainder after one frame more; `check_bit`: bit 1 of the frame is a C bit. */
static inline unsigned e1_crc4_frame(unsigned crc, const uint8_t *frame, int check_bit)
{
    unsigned own = e1_crc4_parities(frame, &e1_crc4.frame[0][0], 4);
    if (check_bit && frame[0] & 0x80) { /* take the C bit out again: x^(255 + 4) = x^4 = x + 1 */
        own ^= 3;
    }
    return e1_crc4_step(crc) ^ own;
}

/* ---- frames -> time slots ---- */

#ifdef __SSE2__
static inline void e1_transpose16(__m128i r[16])
{
    __m128i t[16];
    for (int round = 0; round < 2; round++) { /* four rounds of interleaving transpose 16 x 16 octets */
        for (int i = 0; i < 8; i++) {
            t[2 * i] = _mm_unpacklo_epi8(r[i], r[i + 8]);
            t[2 * i + 1] = _mm_unpackhi_epi8(r[i], r[i + 8]);
        }
        for (int i = 0; i < 8; i++) {
            r[2 * i] = _mm_unpacklo_epi8(t[i], t[i + 8]);
            r[2 * i + 1] = _mm_unpackhi_epi8(t[i], t[i + 8]);
        }
    }
}
#endif

/* frames[n][32] -> slots[32][stride]; strides that are powers of two make the stores fight for cache lines. */
static inline void e1_demux(const uint8_t *frames, size_t count, uint8_t *slots, size_t stride)
{
    size_t i = 0;
#ifdef __SSE2__
    for (; i + 16 <= count; i += 16)
        for (int half = 0; half < 2; half++) {
            __m128i r[16];
            for (int k = 0; k < 16; k++)
                r[k] = _mm_loadu_si128((const __m128i *)(frames + (i + k) * E1_FRAME + half * 16));
            e1_transpose16(r);
            for (int k = 0; k < 16; k++)
                _mm_storeu_si128((__m128i *)(slots + (half * 16 + k) * stride + i), r[k]);
        }
#endif
    for (; i < count; i++)
        for (int slot = 0; slot < E1_FRAME; slot++)
            slots[slot * stride + i] = frames[i * E1_FRAME + slot];
}

/* slots[32][stride] -> frames[n][32] */
static inline void e1_mux(const uint8_t *slots, size_t stride, size_t count, uint8_t *frames)
{
    size_t i = 0;
#ifdef __SSE2__
    for (; i + 16 <= count; i += 16)
        for (int half = 0; half < 2; half++) {
            __m128i r[16];
            for (int k = 0; k < 16; k++)
                r[k] = _mm_loadu_si128((const __m128i *)(slots + (half * 16 + k) * stride + i));
            e1_transpose16(r);
            for (int k = 0; k < 16; k++)
                _mm_storeu_si128((__m128i *)(frames + (i + k) * E1_FRAME + half * 16), r[k]);
        }
#endif
    for (; i < count; i++)
        for (int slot = 0; slot < E1_FRAME; slot++)
            frames[i * E1_FRAME + slot] = slots[slot * stride + i];
}
