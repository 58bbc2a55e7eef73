#include "g711.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

int16_t g711_alaw_linear[256], g711_ulaw_linear[256];
static uint8_t alaw_code[65536], ulaw_code[65536];

static int16_t alaw_expand(unsigned octet)
{
    unsigned code = octet ^ 0x55, segment = code >> 4 & 7; /* even bits are inverted on the line, G.711 table 1a */
    int magnitude = (int)((code & 15) + (segment ? 16 : 0)) * 16 + 8;
    if (segment > 1)
        magnitude <<= segment - 1;
    return (int16_t)(code & 0x80 ? magnitude : -magnitude);
}

static int16_t ulaw_expand(unsigned octet)
{
    unsigned code = ~octet & 0xFF, segment = code >> 4 & 7;
    int magnitude = (int)(((code & 15) * 2 + 33) << segment) * 4 - 4 * 33;
    return (int16_t)(code & 0x80 ? -magnitude : magnitude);
}

static uint8_t alaw_compress(int16_t sample)
{
    int value = (sample < 0 ? ~sample : sample) >> 4, segment = 0;
    if (value > 15) {
        for (segment = 1; value > 31; segment++)
            value >>= 1;
        value -= 16;
    }
    return (uint8_t)((value | segment << 4 | (sample < 0 ? 0 : 0x80)) ^ 0x55);
}

static uint8_t ulaw_compress(int16_t sample)
{
    int value = ((sample < 0 ? ~sample : sample) >> 2) + 33, segment = 0;
    if (value > 0x1FFF)
        value = 0x1FFF;
    for (int rest = value >> 6; rest; rest >>= 1)
        segment++;
    int code = segment << 4 | (value >> (segment + 1) & 15);
    return (uint8_t)(~(code | (sample < 0 ? 0x80 : 0)));
}

static int wide; /* whether this processor has AVX2 */

void g711_setup(void)
{
    for (unsigned octet = 0; octet < 256; octet++) {
        g711_alaw_linear[octet] = alaw_expand(octet);
        g711_ulaw_linear[octet] = ulaw_expand(octet);
    }
    for (int sample = -32768; sample < 32768; sample++) {
        alaw_code[(uint16_t)sample] = alaw_compress((int16_t)sample);
        ulaw_code[(uint16_t)sample] = ulaw_compress((int16_t)sample);
    }
#if defined(__x86_64__)
    wide = __builtin_cpu_supports("avx2");
#endif
}

#if defined(__x86_64__)
/* Sixteen octets a step: (mantissa * 16 + 8 [+ 256]) * 2^(segment - 1), then the sign. Returns how many were done. */
__attribute__((target("avx2"))) static size_t alaw_decode_wide(const uint8_t *octets, size_t count, int16_t *samples)
{
    const __m256i factor = _mm256_setr_epi8(1, 1, 2, 4, 8, 16, 32, 64, 0, 0, 0, 0, 0, 0, 0, 0, /* by segment */
                                            1, 1, 2, 4, 8, 16, 32, 64, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i zero = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        __m256i code = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(octets + i)));
        code = _mm256_xor_si256(code, _mm256_set1_epi16(0x55));
        __m256i segment = _mm256_and_si256(_mm256_srli_epi16(code, 4), _mm256_set1_epi16(7));
        __m256i value = _mm256_slli_epi16(_mm256_and_si256(code, _mm256_set1_epi16(15)), 4);
        __m256i upper = _mm256_and_si256(_mm256_cmpgt_epi16(segment, zero), _mm256_set1_epi16(256));
        value = _mm256_add_epi16(value, _mm256_add_epi16(upper, _mm256_set1_epi16(8)));
        __m256i times = _mm256_shuffle_epi8(factor, _mm256_or_si256(segment, _mm256_set1_epi16((short)0x8000)));
        value = _mm256_mullo_epi16(value, times);
        __m256i negative = _mm256_cmpeq_epi16(_mm256_and_si256(code, _mm256_set1_epi16(0x80)), zero);
        value = _mm256_sub_epi16(_mm256_xor_si256(value, negative), negative);
        _mm256_storeu_si256((__m256i *)(samples + i), value);
    }
    return i;
}
#endif

void g711_alaw_decode(const uint8_t *octets, size_t count, int16_t *samples)
{
    size_t i = 0;
#if defined(__x86_64__)
    if (wide)
        i = alaw_decode_wide(octets, count, samples);
#endif
    for (; i < count; i++)
        samples[i] = g711_alaw_linear[octets[i]];
}

void g711_ulaw_decode(const uint8_t *octets, size_t count, int16_t *samples)
{
    for (size_t i = 0; i < count; i++)
        samples[i] = g711_ulaw_linear[octets[i]];
}

void g711_alaw_encode(const int16_t *samples, size_t count, uint8_t *octets)
{
    for (size_t i = 0; i < count; i++)
        octets[i] = alaw_code[(uint16_t)samples[i]];
}

void g711_ulaw_encode(const int16_t *samples, size_t count, uint8_t *octets)
{
    for (size_t i = 0; i < count; i++)
        octets[i] = ulaw_code[(uint16_t)samples[i]];
}
