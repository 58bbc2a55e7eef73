/* Conditions of the received signal that need no frames: LOS and AIS (G.775), and which alarms stand. */
#pragma once
#include "receiver_state.h"

static inline void e1_update_alarms(e1_receiver *r, int64_t sample)
{
    unsigned now = r->outside;
    if (r->los)
        now |= E1_ALARM_LOS;
    else if (r->ais)
        now |= E1_ALARM_AIS;
    else if (!r->aligned && (r->counters.losses || r->tail - r->hunted >= r->criteria.lof_frames))
        now |= E1_ALARM_LOF;
    if (r->los || r->ais)
        r->lost_fas = -1; /* what comes after it may be another signal */
    if (r->rai)
        now |= E1_ALARM_RAI;
    if (r->overdue)
        now |= E1_ALARM_LMFA;
    unsigned changed = now ^ r->alarms;
    r->alarms = now;
    for (unsigned alarm = 1; changed; alarm <<= 1, changed >>= 1)
        if (changed & 1)
            r->sink.changed(r->sink.context, alarm, (now & alarm) != 0, sample);
}

static inline void e1_detect_los(e1_receiver *r, const uint8_t *unit, int64_t bit)
{
    for (int i = 0; i < E1_UNIT; i++)
        for (int b = 7; b >= 0; b--) {
            int one = unit[i] >> b & 1;
            bit++;
            r->zero_run = one ? 0 : r->zero_run + 1;
            if (!r->los) {
                if (r->zero_run >= r->criteria.los_zeros) {
                    r->los = 1;
                    r->los_seen = r->los_seen_ones = 0;
                    e1_update_alarms(r, e1_sample(r, bit));
                }
                continue;
            }
            r->los_seen_ones += one;
            if (r->los_seen_ones >= r->criteria.los_ones) {
                r->los = 0;
                e1_update_alarms(r, e1_sample(r, bit));
            } else if (++r->los_seen >= r->criteria.los_window) {
                r->los_seen = r->los_seen_ones = 0;
            }
        }
}

/* A unit of zeros while the signal is lost already, as a cable that is out brings for hours. */
static inline void e1_still_los(e1_receiver *r)
{
    r->zero_run += 8 * E1_UNIT;
    r->los_seen += 8 * E1_UNIT;
    if (r->los_seen >= r->criteria.los_window) {
        r->los_seen %= r->criteria.los_window;
        r->los_seen_ones = 0;
    }
}

static inline void e1_detect_ais(e1_receiver *r, int zeros, int64_t end_bit)
{
    r->ais_zeros_seen += zeros;
    r->ais_half = !r->ais_half;
    if (r->ais_half)
        return;
    int ones_only = r->ais_zeros_seen <= r->criteria.ais_zeros;
    r->ais_zeros_seen = 0;
    r->ais_run = ones_only == r->ais ? 0 : r->ais_run + 1; /* periods that speak against the present state */
    if (r->ais_run == 2) {
        r->ais = ones_only;
        r->ais_run = 0;
        e1_update_alarms(r, e1_sample(r, end_bit));
    }
}

/* Whether a unit cannot change what the detectors say. Then it is only noted, exactly. */
static inline int e1_quiet(e1_receiver *r, const uint8_t *unit)
{
    uint64_t w[4];
    memcpy(w, unit, sizeof w);
    if (r->los || r->ais || r->zero_run > 128 || w[0] == 0 || (w[1] | w[2]) == 0 || w[3] == 0)
        return 0; /* at most 128 + 63 zeros in a row, or 63 + 64 + 63 within */
    int other = (w[0] != ~0ull) + (w[1] != ~0ull) + (w[2] != ~0ull) + (w[3] != ~0ull);
    if (other <= r->criteria.ais_zeros || r->criteria.los_zeros < 192)
        return 0; /* few zeros: count them */
    r->zero_run = __builtin_ctzll(__builtin_bswap64(w[3]));
    e1_detect_ais(r, other, 0); /* at least so many: enough to say no, and no change is due */
    return 1;
}

/* Octets, in pairs of units that make up an AIS period, among which no 16 are all zeros or all ones: those before the
 * first pair that has such. */
static inline size_t e1_mixed(const uint8_t *octets, size_t count)
{
    size_t run = 0;
    for (int alike = 0; run + 2 * E1_UNIT <= count; run += 2 * E1_UNIT) {
        for (int i = 0; i < 2 * E1_UNIT; i += 16) {
            uint64_t a = e1_load64(octets + run + i), b = e1_load64(octets + run + i + 8);
            alike |= (a | b) == 0 || (a & b) == ~0ull;
        }
        if (alike)
            break;
    }
    return run;
}

#ifdef E1_SIMD
/* The same, half a kilooctet at a time while it is so. */
__attribute__((target("avx2"))) static size_t e1_mixed_wide(const uint8_t *octets, size_t count)
{
    enum { BLOCK = 512 };
    const __m256i zeros = _mm256_setzero_si256(), ones = _mm256_set1_epi8(-1);
    size_t run = 0;
    for (; run + BLOCK <= count; run += BLOCK) {
        __m256i alike = zeros;
        for (int i = 0; i < BLOCK; i += 32) {
            __m256i a = _mm256_loadu_si256((const __m256i *)(octets + run + i));
            __m256i b = _mm256_shuffle_epi32(a, 0x4E); /* the other eight octets of each 16 */
            alike = _mm256_or_si256(alike, _mm256_cmpeq_epi64(_mm256_or_si256(a, b), zeros));
            alike = _mm256_or_si256(alike, _mm256_cmpeq_epi64(_mm256_and_si256(a, b), ones));
        }
        if (!_mm256_testz_si256(alike, alike))
            break;
    }
    return run + e1_mixed(octets + run, count - run);
}
#endif

/* Octets, a multiple of two units, in which the detectors need not look: 255 zeros would fill 16 octets wherever they
 * begin, and a period with three zeros or less has 16 octets of ones. */
static inline size_t e1_calm(e1_receiver *r, const uint8_t *octets, size_t count)
{
    const e1_criteria *c = &r->criteria;
    if (r->los || r->ais || r->ais_half || r->zero_run > 127 || c->los_zeros < 255 || c->ais_zeros > 3)
        return 0;
    size_t run;
#ifdef E1_SIMD
    run = r->wide ? e1_mixed_wide(octets, count) : e1_mixed(octets, count);
#else
    run = e1_mixed(octets, count);
#endif
    if (run) {
        size_t last = run;
        r->ais_run = 0;
        r->zero_run = 0;
        while (octets[--last] == 0)
            r->zero_run += 8;
        r->zero_run += __builtin_ctz(octets[last]);
    }
    return run;
}

static inline void e1_detect(e1_receiver *r, const uint8_t *unit, int64_t bit)
{
    int zeros = 0;
    for (int i = 0; i < E1_UNIT; i += 8)
        zeros += __builtin_popcountll(~e1_load64(unit + i));
    if (zeros < 8 * E1_UNIT || !r->los)
        e1_detect_los(r, unit, bit);
    else
        e1_still_los(r);
    e1_detect_ais(r, zeros, bit + 8 * E1_UNIT);
}
