/* Pseudorandom test patterns of O.150: a source, and a checker that finds the pattern's phase by itself.
 *
 * The whole period lies in memory as bits, the first on the line in the highest place of octet 0, so the next 64 bits
 * are one load at the phase. Every state of the shift register knows its phase: that is how the checker falls in, and
 * how it says by how many bits the pattern has jumped. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    PRBS_DEGREE = 15,
    PRBS_PERIOD = (1 << PRBS_DEGREE) - 1,
    PRBS_GAIN = 8,    /* octets without an error that give synchronism: 64 bits */
    PRBS_WINDOW = 64, /* octets in which errors are counted for the loss of it */
    PRBS_LOSS = 103   /* errors in a window that lose it: one bit in five; chance makes one in two */
};

typedef struct {
    unsigned degree, period;
    uint16_t phase_of[1 << PRBS_DEGREE]; /* by the last `degree` bits as sent, the newest lowest: phase of the next */
    uint8_t bits[PRBS_PERIOD / 8 + 24];
} prbs_pattern;

enum { PRBS_NO_PHASE = 0xFFFF };

/* Bit n is the sum of bits n - degree and n - tap; `inverted`: sent the other way round. */
static inline void prbs_pattern_init(prbs_pattern *p, unsigned degree, unsigned tap, int inverted)
{
    unsigned mask = (1u << degree) - 1, state = mask, turn = inverted ? mask : 0; /* begins with ones */
    memset(p, 0, sizeof *p);
    memset(p->phase_of, 0xFF, sizeof p->phase_of);
    p->degree = degree;
    p->period = mask;
    for (unsigned phase = 0; phase < p->period + 72; phase++) {
        unsigned bit = (state >> (degree - 1) ^ state >> (tap - 1)) & 1;
        if (phase < p->period)
            p->phase_of[state ^ turn] = (uint16_t)phase;
        state = (state << 1 | bit) & mask;
        if (bit ^ (turn & 1))
            p->bits[phase >> 3] |= 0x80 >> (phase & 7);
    }
}

static inline unsigned prbs_on(const prbs_pattern *p, unsigned phase, unsigned bits)
{
    return (phase + bits) % p->period;
}

static inline uint64_t prbs_word(const prbs_pattern *p, unsigned phase) /* 64 bits, the first in the highest place */
{
    const uint8_t *from = p->bits + (phase >> 3);
    uint64_t word;
    memcpy(&word, from, 8);
    word = __builtin_bswap64(word) << (phase & 7);
    return word | (uint64_t)from[8] >> (8 - (phase & 7));
}

static inline uint8_t prbs_octet(const prbs_pattern *p, unsigned phase)
{
    return (uint8_t)(prbs_word(p, phase) >> 56);
}

static inline unsigned prbs_generate(const prbs_pattern *p, unsigned phase, uint8_t *out, size_t count)
{
    size_t i = 0;
    for (; i + 8 <= count; i += 8, phase = prbs_on(p, phase, 64)) {
        uint64_t word = __builtin_bswap64(prbs_word(p, phase));
        memcpy(out + i, &word, 8);
    }
    for (; i < count; i++, phase = prbs_on(p, phase, 8))
        out[i] = prbs_octet(p, phase);
    return phase;
}

typedef struct {
    int64_t octet;       /* number of the octet behind which it is so */
    int synchronised;
    int known;           /* synchronised before, so that the displacement says something */
    int32_t displacement; /* bits by which the pattern runs ahead of where it should be */
} prbs_change;

typedef struct {
    int synchronised, ever;
    unsigned phase;    /* of the next octet; while not synchronised of a guess */
    unsigned expected; /* where the phase would be if nothing had happened */
    unsigned agreed;   /* octets that have borne out the guess */
    int guessing;
    uint32_t last;     /* bits */
    int64_t position;  /* octets taken */
    unsigned filled;   /* octets of the window */
    unsigned errors_window, errors_before, filled_before; /* of the window now, and of that before */
    uint64_t octets, errors, losses; /* compared since construction, those of both windows included */
} prbs_checker;

static inline int32_t prbs_displacement(const prbs_pattern *p, unsigned from, unsigned to)
{
    int32_t ahead = (int32_t)((to + p->period - from) % p->period);
    return ahead > (int32_t)p->period / 2 ? ahead - (int32_t)p->period : ahead;
}

/* An octet while there is no synchronism; nonzero: now there is. */
static inline int prbs_hunt(prbs_checker *c, const prbs_pattern *p, uint8_t octet)
{
    c->last = c->last << 8 | octet;
    c->expected = prbs_on(p, c->expected, 8);
    if (c->guessing && octet == prbs_octet(p, c->phase)) {
        c->phase = prbs_on(p, c->phase, 8);
        return ++c->agreed == PRBS_GAIN;
    }
    uint16_t phase = p->phase_of[c->last & p->period]; /* none for a line that is dead, all zeros or all ones */
    c->guessing = phase != PRBS_NO_PHASE;
    c->phase = phase;
    c->agreed = 0;
    return 0;
}

/* The window is full: keep it, or lose synchronism and take back what it and the one before have counted. */
static inline int prbs_judge(prbs_checker *c)
{
    int lost = c->errors_window >= PRBS_LOSS;
    if (lost) {
        c->octets -= PRBS_WINDOW + c->filled_before;
        c->errors -= c->errors_window + c->errors_before;
        c->losses++;
        c->synchronised = c->guessing = 0;
        c->expected = c->phase;
    }
    c->errors_before = lost ? 0 : c->errors_window;
    c->filled_before = lost ? 0 : PRBS_WINDOW;
    c->errors_window = c->filled = 0;
    return lost;
}

/* Takes octets up to and with the one that changes synchronism, or all; returns how many. */
static inline size_t prbs_check(prbs_checker *c, const prbs_pattern *p, const uint8_t *octets, size_t count,
                                prbs_change *change, int *changed)
{
    *changed = 0;
    for (size_t i = 0; i < count;) {
        unsigned size = 1;
        if (!c->synchronised) {
            *changed = prbs_hunt(c, p, octets[i]);
        } else {
            uint64_t word = 0;
            size = count - i >= 8 && PRBS_WINDOW - c->filled >= 8 ? 8 : 1;
            memcpy(&word, octets + i, size);
            word = __builtin_bswap64(word) ^ prbs_word(p, c->phase);
            unsigned wrong = (unsigned)__builtin_popcountll(word >> (64 - 8 * size));
            c->errors += wrong;
            c->errors_window += wrong;
            c->octets += size;
            c->filled += size;
            c->phase = prbs_on(p, c->phase, 8 * size);
            if (c->filled == PRBS_WINDOW)
                *changed = prbs_judge(c);
        }
        i += size;
        c->position += size;
        if (*changed) {
            int gained = !c->synchronised && c->guessing;
            *change = (prbs_change){c->position, gained, gained && c->ever, 0};
            if (change->known)
                change->displacement = prbs_displacement(p, c->expected, c->phase);
            if (gained)
                c->synchronised = c->ever = 1;
            return i;
        }
    }
    return count;
}
