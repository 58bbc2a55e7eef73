/* Bits and octets of one E1 line: loads at any bit, the CRC-4 of a frame, the transposition frames -> time slots.
 *
 * Header only, so that each extension that carries octets holds its own inlined copy. Bit 0 is the first on the line:
 * the most significant bit of octet 0 (G.704 2.3.1). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__) && !defined(E1_PLAIN) /* E1_PLAIN: C alone, as on other machines; to be tested here, too */
#define E1_SIMD 1
#include <immintrin.h>
#endif

enum { E1_FRAME = 32, E1_FRAME_BITS = 256 };

/* Whether the functions below may be asked to be `wide`, which is AVX2; the results are the same. */
static inline int e1_wide(void)
{
#ifdef E1_SIMD
    return __builtin_cpu_supports("avx2") != 0;
#else
    return 0;
#endif
}

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

#ifdef E1_SIMD
/* 32 and 16 octets at a time, each out of two that follow one another: as two shifts of 16 bits and what to keep. */
__attribute__((target("avx2"))) static inline __m256i e1_shifted(const uint8_t *in, __m128i left, __m128i right,
                                                                 __m256i high)
{
    __m256i a = _mm256_sll_epi16(_mm256_loadu_si256((const __m256i *)in), left);
    __m256i b = _mm256_srl_epi16(_mm256_loadu_si256((const __m256i *)(in + 1)), right);
    return _mm256_or_si256(_mm256_and_si256(high, a), _mm256_andnot_si256(high, b));
}

/* Two steps a turn take a third less time than one; AVX-512 would take another quarter off, 3 % of framing. */
__attribute__((target("avx2"))) static size_t e1_shift_wide(const uint8_t *in, unsigned shift, uint8_t *out,
                                                            size_t count)
{
    const __m128i left = _mm_cvtsi32_si128((int)shift), right = _mm_cvtsi32_si128(8 - (int)shift);
    const __m256i high = _mm256_set1_epi8((char)(0xFF << shift));
    size_t i = 0;
    for (; i + 64 <= count; i += 64) {
        __m256i first = e1_shifted(in + i, left, right, high), second = e1_shifted(in + i + 32, left, right, high);
        _mm256_storeu_si256((__m256i *)(out + i), first);
        _mm256_storeu_si256((__m256i *)(out + i + 32), second);
    }
    for (; i + 32 <= count; i += 32)
        _mm256_storeu_si256((__m256i *)(out + i), e1_shifted(in + i, left, right, high));
    return i;
}

static inline size_t e1_shift_sse2(const uint8_t *in, unsigned shift, uint8_t *out, size_t count)
{
    const __m128i left = _mm_cvtsi32_si128((int)shift), right = _mm_cvtsi32_si128(8 - (int)shift);
    const __m128i high = _mm_set1_epi8((char)(0xFF << shift)), low = _mm_set1_epi8((char)(0xFF >> (8 - shift)));
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(in + i)), b = _mm_loadu_si128((const __m128i *)(in + i + 1));
        a = _mm_and_si128(_mm_sll_epi16(a, left), high);
        b = _mm_and_si128(_mm_srl_epi16(b, right), low);
        _mm_storeu_si128((__m128i *)(out + i), _mm_or_si128(a, b));
    }
    return i;
}
#endif

/* A multiple of 32 octets from any bit position but an octet's first; reads one octet more. */
static inline void e1_shift(const uint8_t *octets, size_t bit, uint8_t *out, size_t count, int wide)
{
    const uint8_t *in = octets + (bit >> 3);
    unsigned shift = bit & 7;
    size_t i = 0;
#ifdef E1_SIMD
    i = wide ? e1_shift_wide(in, shift, out, count) : e1_shift_sse2(in, shift, out, count);
#endif
    for (; i < count; i += 8) {
        uint64_t word = __builtin_bswap64(e1_bits(in, shift + 8 * i));
        memcpy(out + i, &word, 8);
    }
}

/* ---- CRC-4, G.704 2.3.3.5: x^4 + x + 1, C bits taken as 0 ----
 *
 * x^15 = 1 modulo the polynomial, so octets 15 apart weigh the same: the 255 first octets of a sub-multiframe fold
 * into 15 by exclusive or, with the 256th on the first of them; their 120 bits fold into 15 likewise, and those are
 * looked up. A frame has 256 = 17 * 15 + 1 bits, so one frame further on is one multiplication by x. */

typedef struct {
    uint8_t high[128], low[256]; /* remainders of 15 bits */
    uint8_t check_bits[16];      /* what C1..C4 add, to be taken out again */
} e1_crc4_tables;

static e1_crc4_tables e1_crc4;

static inline unsigned e1_crc4_step(unsigned crc) /* times x */
{
    return (crc << 1 ^ (crc & 8 ? 0x13 : 0)) & 15;
}

static inline unsigned e1_crc4_power(unsigned exponent) /* x to the power of it */
{
    unsigned crc = 1;
    for (exponent %= 15; exponent; exponent--)
        crc = e1_crc4_step(crc);
    return crc;
}

/* Of the bits of `value`, of which the lowest has weight x^exponent and each next one x^step more. */
static inline uint8_t e1_crc4_of(unsigned value, unsigned exponent, unsigned step)
{
    unsigned crc = 0;
    for (; value; value >>= 1, exponent += step)
        crc ^= value & 1 ? e1_crc4_power(exponent) : 0;
    return (uint8_t)crc;
}

static inline void e1_crc4_setup(void)
{
    for (unsigned value = 0; value < 256; value++)
        e1_crc4.low[value] = e1_crc4_of(value, 4, 1); /* the remainder is that of the data times x^4 */
    for (unsigned value = 0; value < 128; value++)
        e1_crc4.high[value] = e1_crc4_of(value, 8 + 4, 1);
    for (unsigned value = 0; value < 16; value++) /* C4 is bit 1 of frame 6, with 511 bits behind it */
        e1_crc4.check_bits[value] = e1_crc4_of(value, 511 + 4, 512);
}

typedef uint64_t e1_pair __attribute__((vector_size(16))); /* one register where there are such */

/* The remainder of octets folded into 15, a sixteenth not counting, behind which `turn` bits, modulo 15, are to come. */
static inline unsigned e1_crc4_folded(e1_pair sum, unsigned turn)
{
    uint64_t first = __builtin_bswap64(sum[0]), rest = __builtin_bswap64(sum[1]) >> 8;
    uint64_t folded = first >> 4 ^ (first & 15) << 56 ^ rest; /* 60 bits: x^60 = 1 */
    folded = (folded ^ folded >> 30) & 0x3FFFFFFF;
    unsigned bits = (unsigned)(folded ^ folded >> 15) & 0x7FFF;
    bits = (bits << turn | bits >> (15 - turn)) & 0x7FFF;
    return e1_crc4.high[bits >> 8] ^ e1_crc4.low[bits & 0xFF];
}

/* The remainder of 8 frames, whose C bits are `check_bits`. */
static inline unsigned e1_crc4_sub_multiframe(const uint8_t *frames, unsigned check_bits)
{
    e1_pair sum, other, next;
    memcpy(&sum, frames, 16);
    memcpy(&other, frames + 240, 16);
    for (int i = 1; i < 15; i += 2) {
        memcpy(&next, frames + 15 * i, 16);
        sum ^= next;
        memcpy(&next, frames + 15 * i + 15, 16);
        other ^= next;
    }
    memcpy(&next, frames + 225, 16);
    sum ^= other ^ next;
    sum[0] ^= frames[255]; /* the 256th octet; the 15 are followed by one, so by 8 bits */
    return e1_crc4_folded(sum, 8) ^ e1_crc4.check_bits[check_bits];
}

/* The remainder after one frame more; `check_bit`: bit 1 of the frame is a C bit. */
static inline unsigned e1_crc4_frame(unsigned crc, const uint8_t *frame, int check_bit)
{
    e1_pair sum, next;
    uint16_t last; /* octets 31 and 32 */
    memcpy(&sum, frame, 16);
    memcpy(&next, frame + 15, 16);
    memcpy(&last, frame + 30, 2);
    sum ^= next;
    sum[0] ^= last;
    unsigned own = e1_crc4_folded(sum, 1); /* 15 octets, 17 behind them: 136 bits */
    if (check_bit && frame[0] & 0x80) /* take the C bit out again: x^(255 + 4) = x^4 = x + 1 */
        own ^= 3;
    return e1_crc4_step(crc) ^ own;
}

/* ---- frames -> time slots ---- */

#ifdef E1_SIMD
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

/* 16 frames a step, 16 at least; the last step takes some again, so that none is left over. */
static inline size_t e1_demux_sse2(const uint8_t *frames, size_t count, uint8_t *slots, size_t stride)
{
    size_t next;
    for (size_t i = 0; i < count; i = next) {
        next = i + 32 <= count || i + 16 == count ? i + 16 : count - 16;
        for (int half = 0; half < 2; half++) {
            __m128i r[16];
            for (int k = 0; k < 16; k++)
                r[k] = _mm_loadu_si128((const __m128i *)(frames + (i + k) * E1_FRAME + half * 16));
            e1_transpose16(r);
            for (int k = 0; k < 16; k++)
                _mm_storeu_si128((__m128i *)(slots + (half * 16 + k) * stride + i), r[k]);
        }
    }
    return count;
}

/* Both halves of the frames at once, each in its half of the registers. */
__attribute__((target("avx2"))) static size_t e1_demux_wide(const uint8_t *frames, size_t count, uint8_t *slots,
                                                            size_t stride)
{
    size_t next;
    for (size_t i = 0; i < count; i = next) {
        next = i + 32 <= count || i + 16 == count ? i + 16 : count - 16;
        __m256i r[16], t[16];
        for (int k = 0; k < 16; k++)
            r[k] = _mm256_loadu_si256((const __m256i *)(frames + (i + k) * E1_FRAME));
        for (int round = 0; round < 2; round++) {
            for (int k = 0; k < 8; k++) {
                t[2 * k] = _mm256_unpacklo_epi8(r[k], r[k + 8]);
                t[2 * k + 1] = _mm256_unpackhi_epi8(r[k], r[k + 8]);
            }
            for (int k = 0; k < 8; k++) {
                r[2 * k] = _mm256_unpacklo_epi8(t[k], t[k + 8]);
                r[2 * k + 1] = _mm256_unpackhi_epi8(t[k], t[k + 8]);
            }
        }
        for (int k = 0; k < 16; k++) {
            _mm_storeu_si128((__m128i *)(slots + k * stride + i), _mm256_castsi256_si128(r[k]));
            _mm_storeu_si128((__m128i *)(slots + (16 + k) * stride + i), _mm256_extracti128_si256(r[k], 1));
        }
    }
    return count;
}
#endif

/* frames[n][32] -> slots[32][stride]; strides that are powers of two make the stores fight for cache lines. */
static inline void e1_demux(const uint8_t *frames, size_t count, uint8_t *slots, size_t stride, int wide)
{
    size_t i = 0;
#ifdef E1_SIMD
    if (count >= 16)
        i = wide ? e1_demux_wide(frames, count, slots, stride) : e1_demux_sse2(frames, count, slots, stride);
#endif
    for (; i < count; i++)
        for (int slot = 0; slot < E1_FRAME; slot++)
            slots[slot * stride + i] = frames[i * E1_FRAME + slot];
}

/* slots[32][stride] -> frames[n][32] */
static inline void e1_mux(const uint8_t *slots, size_t stride, size_t count, uint8_t *frames)
{
    size_t i = 0;
#ifdef E1_SIMD
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
