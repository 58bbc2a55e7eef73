/* Pairs of A-law time slots to stereo, and the level of each, in one pass; G.711.
 *
 * A sample is 8 times what a code and its segment make, 1 .. 4032, so squares of that fit 32 bits for long. How loud a
 * code is grows with its seven lower bits once the even ones are turned, so the peak is found among octets. AVX2 is
 * picked at run time; both ways give the same bits. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef struct {
    uint64_t squares; /* their sum */
    unsigned peak;    /* largest magnitude, 0..32256 */
} audio_level;

static int16_t audio_linear[256];    /* by octet */
static uint32_t audio_square[256];   /* of an eighth of it */

static inline unsigned audio_eighth(unsigned code) /* of a code whose even bits were turned, its sign left out */
{
    unsigned segment = code >> 4 & 7, mantissa = 2 * (code & 15) + 1;
    return segment ? (mantissa + 32) << (segment - 1) : mantissa;
}

static inline void audio_setup(void)
{
    for (unsigned octet = 0; octet < 256; octet++) {
        int magnitude = (int)audio_eighth(octet ^ 0x55);
        audio_linear[octet] = (int16_t)(octet & 0x80 ? 8 * magnitude : -8 * magnitude); /* sign 1 is positive, G.711 */
        audio_square[octet] = (uint32_t)(magnitude * magnitude);
    }
}

typedef struct {
    uint64_t squares; /* of eighths */
    unsigned code;    /* the loudest */
} audio_sum;

static inline void audio_add(audio_sum *sum, uint8_t octet)
{
    unsigned code = (octet ^ 0x55) & 0x7F;
    sum->squares += audio_square[octet];
    sum->code = code > sum->code ? code : sum->code;
}

#if defined(__x86_64__)
typedef struct {
    __m256i low, high; /* eighths of samples 0..7 and 16..23, 8..15 and 24..31 */
    __m256i sign;      /* octets */
} audio_parts;

__attribute__((target("avx2"))) static inline audio_parts audio_expand(__m256i octets, __m256i *loudest)
{
    const __m256i factors = _mm256_setr_epi8(1, 1, 2, 4, 8, 16, 32, 64, 1, 1, 2, 4, 8, 16, 32, 64, /* by segment */
                                             1, 1, 2, 4, 8, 16, 32, 64, 1, 1, 2, 4, 8, 16, 32, 64);
    const __m256i leading = _mm256_setr_epi8(1, 33, 33, 33, 33, 33, 33, 33, 1, 33, 33, 33, 33, 33, 33, 33, /* likewise */
                                             1, 33, 33, 33, 33, 33, 33, 33, 1, 33, 33, 33, 33, 33, 33, 33);
    const __m256i low4 = _mm256_set1_epi8(15), zero = _mm256_setzero_si256();
    __m256i code = _mm256_xor_si256(octets, _mm256_set1_epi8(0x55));
    __m256i segment = _mm256_and_si256(_mm256_srli_epi16(code, 4), _mm256_set1_epi8(7));
    __m256i mantissa = _mm256_and_si256(code, low4);
    __m256i value = _mm256_add_epi8(_mm256_add_epi8(mantissa, mantissa), _mm256_shuffle_epi8(leading, segment));
    __m256i factor = _mm256_shuffle_epi8(factors, segment);
    *loudest = _mm256_max_epu8(*loudest, _mm256_and_si256(code, _mm256_set1_epi8(0x7F)));
    audio_parts parts;
    parts.low = _mm256_mullo_epi16(_mm256_unpacklo_epi8(value, zero), _mm256_unpacklo_epi8(factor, zero));
    parts.high = _mm256_mullo_epi16(_mm256_unpackhi_epi8(value, zero), _mm256_unpackhi_epi8(factor, zero));
    parts.sign = _mm256_or_si256(_mm256_cmpgt_epi8(code, _mm256_set1_epi8(-1)), _mm256_set1_epi8(1)); /* -1 or 1 */
    return parts;
}

__attribute__((target("avx2"))) static inline __m256i audio_signed(__m256i eighths, __m256i sign)
{
    return _mm256_sign_epi16(_mm256_slli_epi16(eighths, 3), sign);
}

__attribute__((target("avx2"))) static inline void audio_store(int16_t *out, __m256i left, __m256i right)
{
    __m256i first = _mm256_unpacklo_epi16(left, right), second = _mm256_unpackhi_epi16(left, right);
    _mm256_storeu_si256((__m256i *)out, _mm256_permute2x128_si256(first, second, 0x20));
    _mm256_storeu_si256((__m256i *)(out + 32), _mm256_permute2x128_si256(first, second, 0x31));
}

__attribute__((target("avx2"))) static inline void audio_reduce(audio_sum *sum, __m256i squares, __m256i loudest)
{
    uint32_t part[8];
    uint8_t code[32];
    _mm256_storeu_si256((__m256i *)part, squares);
    _mm256_storeu_si256((__m256i *)code, loudest);
    for (int i = 0; i < 8; i++)
        sum->squares += part[i];
    for (int i = 0; i < 32; i++)
        sum->code = code[i] > sum->code ? code[i] : sum->code;
}

/* Whole groups of 32 samples, at most 1024: 64 sums of two squares of up to 4032 each stay below 2^31. */
__attribute__((target("avx2"))) static size_t audio_pair_wide(const uint8_t *left, const uint8_t *right, size_t count,
                                                              int16_t *out, audio_sum sums[2])
{
    __m256i squares[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    __m256i loudest[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    size_t i = 0;
    for (; i + 32 <= count && i < 1024; i += 32) {
        audio_parts l = audio_expand(_mm256_loadu_si256((const __m256i *)(left + i)), &loudest[0]);
        audio_parts r = audio_expand(_mm256_loadu_si256((const __m256i *)(right + i)), &loudest[1]);
        squares[0] = _mm256_add_epi32(squares[0], _mm256_add_epi32(_mm256_madd_epi16(l.low, l.low), _mm256_madd_epi16(l.high, l.high)));
        squares[1] = _mm256_add_epi32(squares[1], _mm256_add_epi32(_mm256_madd_epi16(r.low, r.low), _mm256_madd_epi16(r.high, r.high)));
        __m256i a = audio_signed(l.low, _mm256_unpacklo_epi8(l.sign, l.sign));
        __m256i b = audio_signed(r.low, _mm256_unpacklo_epi8(r.sign, r.sign));
        __m256i c = audio_signed(l.high, _mm256_unpackhi_epi8(l.sign, l.sign));
        __m256i d = audio_signed(r.high, _mm256_unpackhi_epi8(r.sign, r.sign));
        audio_store(out + 2 * i, a, b);      /* samples 0..7 there, 16..23 32 further on */
        audio_store(out + 2 * i + 16, c, d); /* 8..15, 24..31 */
    }
    audio_reduce(&sums[0], squares[0], loudest[0]);
    audio_reduce(&sums[1], squares[1], loudest[1]);
    return i;
}
#endif

static inline void audio_pair(const uint8_t *left, const uint8_t *right, size_t count, int16_t *out,
                              audio_sum sums[2], int wide)
{
    size_t i = 0;
#if defined(__x86_64__)
    for (size_t done = 1; wide && done; i += done)
        done = audio_pair_wide(left + i, right + i, count - i, out + 2 * i, sums);
#endif
    for (; i < count; i++) {
        out[2 * i] = audio_linear[left[i]];
        out[2 * i + 1] = audio_linear[right[i]];
        audio_add(&sums[0], left[i]);
        audio_add(&sums[1], right[i]);
    }
}

static inline audio_level audio_level_of(const audio_sum *sum, size_t count)
{
    return (audio_level){64 * sum->squares, count ? 8 * audio_eighth(sum->code) : 0};
}
