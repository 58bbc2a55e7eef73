/* Peak and power of a channel's samples, and two channels side by side. AVX2 is picked at run time; both ways of
 * computing give the same bits. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "g711.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef struct {
    uint64_t squares; /* their sum */
    unsigned peak;    /* 0..32768 */
} blocks_level;

static inline void blocks_measure_portable(const int16_t *samples, size_t count, blocks_level *level)
{
    for (size_t i = 0; i < count; i++) {
        int32_t sample = samples[i];
        unsigned size = (unsigned)(sample < 0 ? -sample : sample);
        level->squares += (uint64_t)size * size;
        level->peak = size > level->peak ? size : level->peak;
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline size_t blocks_measure_wide(const int16_t *samples, size_t count,
                                                                         blocks_level *level)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i sum = zero, peak = zero;
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        __m256i value = _mm256_loadu_si256((const __m256i *)(samples + i));
        __m256i pairs = _mm256_madd_epi16(value, value); /* up to 2^31, so unsigned */
        sum = _mm256_add_epi64(sum, _mm256_unpacklo_epi32(pairs, zero));
        sum = _mm256_add_epi64(sum, _mm256_unpackhi_epi32(pairs, zero));
        peak = _mm256_max_epu16(peak, _mm256_abs_epi16(value)); /* |-32768| is 32768, unsigned */
    }
    uint64_t sums[4];
    uint16_t peaks[16];
    _mm256_storeu_si256((__m256i *)sums, sum);
    _mm256_storeu_si256((__m256i *)peaks, peak);
    level->squares += sums[0] + sums[1] + sums[2] + sums[3];
    for (int k = 0; k < 16; k++)
        level->peak = peaks[k] > level->peak ? peaks[k] : level->peak;
    return i;
}
#endif

static inline blocks_level blocks_measure(const int16_t *samples, size_t count, int wide)
{
    blocks_level level = {0, 0};
    size_t i = 0;
#if defined(__x86_64__)
    if (wide)
        i = blocks_measure_wide(samples, count, &level);
#endif
    blocks_measure_portable(samples + i, count - i, &level);
    return level;
}

static inline void blocks_interleave(const int16_t *left, const int16_t *right, size_t count, int16_t *out)
{
    size_t i = 0;
#if defined(__SSE2__)
    for (; i + 8 <= count; i += 8) {
        __m128i a = _mm_loadu_si128((const __m128i *)(left + i)), b = _mm_loadu_si128((const __m128i *)(right + i));
        _mm_storeu_si128((__m128i *)(out + 2 * i), _mm_unpacklo_epi16(a, b));
        _mm_storeu_si128((__m128i *)(out + 2 * i + 8), _mm_unpackhi_epi16(a, b));
    }
#endif
    for (; i < count; i++) {
        out[2 * i] = left[i];
        out[2 * i + 1] = right[i];
    }
}

enum { BLOCKS_CHUNK = 512 }; /* samples decoded at a time: they stay in the nearest cache */

/* Two channels of A-law to stereo and the level of each. */
static inline void blocks_listen(const uint8_t *left, const uint8_t *right, size_t count, int16_t *out,
                                 blocks_level levels[2], int wide)
{
    int16_t samples[2][BLOCKS_CHUNK];
    levels[0] = levels[1] = (blocks_level){0, 0};
    for (size_t i = 0; i < count; i += BLOCKS_CHUNK) {
        size_t size = count - i < BLOCKS_CHUNK ? count - i : BLOCKS_CHUNK;
        for (int side = 0; side < 2; side++) {
            g711_alaw_decode((side ? right : left) + i, size, samples[side]);
            blocks_level level = blocks_measure(samples[side], size, wide);
            levels[side].squares += level.squares;
            levels[side].peak = level.peak > levels[side].peak ? level.peak : levels[side].peak;
        }
        blocks_interleave(samples[0], samples[1], size, out + 2 * i);
    }
}

static inline int blocks_wide(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") != 0;
#else
    return 0;
#endif
}
