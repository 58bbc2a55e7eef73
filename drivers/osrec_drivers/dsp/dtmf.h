/* DTMF receiver of one channel, Q.23 and Q.24; see dtmf.pyx for its rules.
 *
 * Every 4 ms the last 16 ms, weighted by a Hann window, are correlated with the eight nominal frequencies at once. How
 * far a tone is off its frequency tells the phase that it gains from window to window: far more finely than how much of
 * it is left, which 3.5 % off 697 Hz changes by half a decibel. */
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    DTMF_RATE = 8000,
    DTMF_TONES = 8,
    DTMF_WINDOW = 128,   /* samples */
    DTMF_HOP = 32,
    DTMF_NEEDED = 7,     /* windows that make a digit: 32 ms always have as many, 26 ms never */
    DTMF_DOUBTED = 2,    /* windows without it, one after the other, that end what is not a digit yet */
    DTMF_OVER = 5,       /* that end a digit: a break of 10 ms does not, a pause of 20 ms does */
    DTMF_EDGE = 40       /* samples of its first and of its last window that a digit does not fill, in the middle */
};

static const float dtmf_frequencies[DTMF_TONES] = {697, 770, 852, 941, 1209, 1336, 1477, 1633}; /* Hz, Q.23 */

/* Limits; in Q.24 they are those of administrations, here in between what must be accepted and what must not. */
static const float dtmf_detuning = 0.025f;      /* of the frequency: 1.5 % is accepted, 3.5 % is not */
static const float dtmf_twist_most = 3.162f;    /* power of the high tone to that of the low one: 5 dB, 4 are accepted */
static const float dtmf_twist_least = 0.1259f;  /* -9 dB, -8 are accepted */
static const float dtmf_candidate = 0.6f;       /* share of both tones, untuned, in a window that may be of a digit */
static const float dtmf_pure = 0.85f;           /* share of both, tuned, in all windows of a digit: speech has less */

typedef struct {
    float wave[DTMF_WINDOW][2 * DTMF_TONES]; /* weighted cosines, then sines */
    float weight[DTMF_WINDOW];               /* squares of the window */
    float share;     /* from the square of a correlation to energy in the window */
    float level;     /* the same to mean square */
    float turn[DTMF_TONES][2]; /* what a nominal frequency turns in a hop */
} dtmf_tables_type;

static dtmf_tables_type dtmf_tables;

static void dtmf_setup(void)
{
    double sum = 0, squares = 0;
    for (int n = 0; n < DTMF_WINDOW; n++) {
        double window = 0.5 - 0.5 * cos(2 * M_PI * (n + 0.5) / DTMF_WINDOW);
        sum += window;
        squares += window * window;
        dtmf_tables.weight[n] = (float)(window * window);
        for (int k = 0; k < DTMF_TONES; k++) {
            double angle = 2 * M_PI * dtmf_frequencies[k] * n / DTMF_RATE;
            dtmf_tables.wave[n][k] = (float)(window * cos(angle));
            dtmf_tables.wave[n][DTMF_TONES + k] = (float)(-window * sin(angle));
        }
    }
    dtmf_tables.share = (float)(2 * squares / (sum * sum));
    dtmf_tables.level = (float)(2 / (sum * sum));
    for (int k = 0; k < DTMF_TONES; k++) {
        double angle = 2 * M_PI * dtmf_frequencies[k] * DTMF_HOP / DTMF_RATE;
        dtmf_tables.turn[k][0] = (float)cos(angle);
        dtmf_tables.turn[k][1] = (float)-sin(angle);
    }
}

typedef struct {
    float re, im;
} dtmf_phasor;

typedef struct {
    int digit;                 /* 4 * row + column; -1: none */
    int hits, misses;          /* windows with it, and since the last one */
    int64_t first, last;       /* samples in front of the first of these windows and of the last */
    float low, high, energy;   /* squares of the correlations, and energy, of all of them */
    dtmf_phasor low_turn, high_turn; /* sums of what the tones turned from one of them to the next */
} dtmf_suspect;

typedef struct {
    float least;               /* mean square of the weakest tone that counts */
    int wide;
    int64_t position;          /* samples taken */
    unsigned filled;           /* of window */
    float window[DTMF_WINDOW];
    dtmf_phasor before[DTMF_TONES]; /* correlations of the window before */
    dtmf_suspect suspect, digit;    /* what may become a digit; what is one */
} dtmf_channel;

typedef struct {
    int digit;
    int64_t first, count;
} dtmf_event;

static inline void dtmf_channel_init(dtmf_channel *c, float least, int wide)
{
    memset(c, 0, sizeof *c);
    c->least = least;
    c->wide = wide;
    c->suspect.digit = c->digit.digit = -1;
}

/* Correlations with all tones and the energy in the window. Each lane is added up in the same order both here and
 * below, so both widths of vector give the same bits. */
typedef float dtmf_lanes4 __attribute__((vector_size(16)));

static __attribute__((noinline)) void dtmf_correlate_portable(const float *x, float sums[2 * DTMF_TONES],
                                                              float energies[DTMF_TONES])
{
    dtmf_lanes4 sum[4] = {{0}}, square[2] = {{0}}, lanes, weight;
    for (int n = 0; n < DTMF_WINDOW; n++)
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            memcpy(&lanes, &dtmf_tables.wave[n][4 * k], sizeof lanes);
            sum[k] += lanes * x[n];
        }
    for (int n = 0; n < DTMF_WINDOW; n += DTMF_TONES)
#pragma GCC unroll 2
        for (int k = 0; k < 2; k++) {
            memcpy(&lanes, x + n + 4 * k, sizeof lanes);
            memcpy(&weight, dtmf_tables.weight + n + 4 * k, sizeof weight);
            square[k] += lanes * lanes * weight;
        }
    memcpy(sums, sum, sizeof sum);
    memcpy(energies, square, sizeof square);
}

#if defined(__x86_64__)
__attribute__((target("avx2"), noinline)) static void dtmf_correlate_wide(const float *x, float sums[2 * DTMF_TONES],
                                                                          float energies[DTMF_TONES])
{
    __m256 cosines = _mm256_setzero_ps(), sines = cosines, squares = cosines;
    for (int n = 0; n < DTMF_WINDOW; n++) {
        __m256 sample = _mm256_set1_ps(x[n]);
        cosines = _mm256_add_ps(cosines, _mm256_mul_ps(_mm256_loadu_ps(dtmf_tables.wave[n]), sample));
        sines = _mm256_add_ps(sines, _mm256_mul_ps(_mm256_loadu_ps(dtmf_tables.wave[n] + DTMF_TONES), sample));
    }
    for (int n = 0; n < DTMF_WINDOW; n += DTMF_TONES) {
        __m256 lanes = _mm256_loadu_ps(x + n), weight = _mm256_loadu_ps(dtmf_tables.weight + n);
        squares = _mm256_add_ps(squares, _mm256_mul_ps(_mm256_mul_ps(lanes, lanes), weight));
    }
    _mm256_storeu_ps(sums, cosines);
    _mm256_storeu_ps(sums + DTMF_TONES, sines);
    _mm256_storeu_ps(energies, squares);
}
#endif

static inline int dtmf_wide(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") != 0;
#else
    return 0;
#endif
}

/* How far off its nominal frequency a tone is, in Hz, by what it turned more than that would. */
static inline float dtmf_offset(dtmf_phasor turned)
{
    return atan2f(turned.im, turned.re) * (float)(DTMF_RATE / (2 * M_PI * DTMF_HOP));
}

/* The square of what the window lets through so far off. */
static inline float dtmf_response(float offset)
{
    float bins = offset * DTMF_WINDOW / DTMF_RATE, angle = (float)M_PI * bins;
    if (fabsf(bins) < 1e-3f)
        return 1;
    float response = sinf(angle) / (angle * (1 - bins * bins));
    return response * response;
}

static int dtmf_is_digit(const dtmf_suspect *s)
{
    float low = dtmf_offset(s->low_turn), high = dtmf_offset(s->high_turn);
    if (s->hits < DTMF_NEEDED || fabsf(low) > dtmf_detuning * dtmf_frequencies[s->digit >> 2]
        || fabsf(high) > dtmf_detuning * dtmf_frequencies[4 + (s->digit & 3)])
        return 0;
    float low_power = s->low / dtmf_response(low), high_power = s->high / dtmf_response(high);
    return high_power <= dtmf_twist_most * low_power && high_power >= dtmf_twist_least * low_power
           && dtmf_tables.share * (low_power + high_power) >= dtmf_pure * s->energy;
}

static inline int dtmf_strongest(const float powers[4])
{
    int best = 0;
    for (int k = 1; k < 4; k++)
        if (powers[k] > powers[best])
            best = k;
    return best;
}

static inline void dtmf_turned(dtmf_phasor *sum, dtmf_phasor now, dtmf_phasor before, const float turn[2])
{
    float re = now.re * before.re + now.im * before.im, im = now.im * before.re - now.re * before.im;
    sum->re += re * turn[0] - im * turn[1];
    sum->im += re * turn[1] + im * turn[0];
}

/* One more window at sample `at`: `digit` is what may be in it, or -1. */
static void dtmf_follow(dtmf_channel *c, int digit, int64_t at, const dtmf_phasor now[DTMF_TONES],
                        const float powers[DTMF_TONES], float energy)
{
    dtmf_suspect *s = &c->suspect;
    if (s->digit >= 0 && digit != s->digit && ++s->misses >= DTMF_DOUBTED)
        s->digit = -1;
    if (digit < 0)
        return;
    if (s->digit < 0) {
        memset(s, 0, sizeof *s);
        s->digit = digit;
        s->first = at;
    } else if (digit != s->digit) {
        return;
    }
    int row = digit >> 2, column = 4 + (digit & 3);
    if (s->hits && s->last == at - DTMF_HOP) {
        dtmf_turned(&s->low_turn, now[row], c->before[row], dtmf_tables.turn[row]);
        dtmf_turned(&s->high_turn, now[column], c->before[column], dtmf_tables.turn[column]);
    }
    s->hits++;
    s->misses = 0;
    s->last = at;
    s->low += powers[row];
    s->high += powers[column];
    s->energy += energy;
}

static inline void dtmf_end(dtmf_channel *c, dtmf_event *event)
{
    event->digit = c->digit.digit;
    event->first = c->digit.first + DTMF_EDGE;
    event->count = c->digit.last + DTMF_WINDOW - DTMF_EDGE - event->first;
    c->digit.digit = -1;
}

/* One window; 1: a digit has ended. */
static int dtmf_hop(dtmf_channel *c, dtmf_event *event)
{
    float sums[2 * DTMF_TONES], energies[DTMF_TONES], powers[DTMF_TONES], energy = 0;
    dtmf_phasor now[DTMF_TONES];
#if defined(__x86_64__)
    if (c->wide)
        dtmf_correlate_wide(c->window, sums, energies);
    else
#endif
        dtmf_correlate_portable(c->window, sums, energies);
    for (int k = 0; k < DTMF_TONES; k++) {
        now[k] = (dtmf_phasor){sums[k], sums[DTMF_TONES + k]};
        powers[k] = now[k].re * now[k].re + now[k].im * now[k].im;
        energy += energies[k];
    }
    int row = dtmf_strongest(powers), column = dtmf_strongest(powers + 4), digit = -1, ended = 0;
    float low = powers[row], high = powers[4 + column];
    if (dtmf_tables.level * low >= c->least && dtmf_tables.level * high >= c->least
        && dtmf_tables.share * (low + high) >= dtmf_candidate * energy)
        digit = 4 * row + column;
    int64_t at = c->position - DTMF_WINDOW;
    dtmf_follow(c, digit, at, now, powers, energy);
    if (c->digit.digit >= 0) {
        if (digit == c->digit.digit) {
            c->digit.misses = 0;
            c->digit.last = at;
        } else if (++c->digit.misses >= DTMF_OVER) {
            dtmf_end(c, event);
            ended = 1;
        }
    }
    if (c->suspect.digit >= 0 && c->suspect.digit != c->digit.digit && dtmf_is_digit(&c->suspect)) {
        if (c->digit.digit >= 0) {
            dtmf_end(c, event);
            ended = 1;
        }
        c->digit = c->suspect;
    }
    memcpy(c->before, now, sizeof now);
    return ended;
}

/* Takes samples until a digit has ended, or all; returns how many. */
static size_t dtmf_feed(dtmf_channel *c, const int16_t *samples, size_t count, dtmf_event *event, int *ended)
{
    size_t taken = 0;
    *ended = 0;
    while (taken < count && !*ended) {
        size_t size = DTMF_WINDOW - c->filled < count - taken ? DTMF_WINDOW - c->filled : count - taken;
        for (size_t i = 0; i < size; i++)
            c->window[c->filled + i] = samples[taken + i];
        c->filled += (unsigned)size;
        c->position += (int64_t)size;
        taken += size;
        if (c->filled < DTMF_WINDOW)
            break;
        *ended = dtmf_hop(c, event);
        memmove(c->window, c->window + DTMF_HOP, (DTMF_WINDOW - DTMF_HOP) * sizeof c->window[0]);
        c->filled = DTMF_WINDOW - DTMF_HOP;
    }
    return taken;
}

/* The channel ends; 1: with a digit. */
static inline int dtmf_finish(dtmf_channel *c, dtmf_event *event)
{
    int ended = c->digit.digit >= 0;
    if (ended)
        dtmf_end(c, event);
    c->suspect.digit = -1;
    c->filled = 0;
    return ended;
}
