/* HDB3, G.703 annex A: 64 bits at a time, the first on the line in the lowest place.
 *
 * Marks are two planes of bits: one in which positive marks are 1, one for the negative ones. "The last mark before
 * here was positive" is a latch, and an adder is 64 of them: a positive mark makes a carry, no mark passes it on, a
 * negative mark ends it. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HDB3_BLOCK = 64 }; /* words turned at a time, which the compiler does several at once */

#define HDB3_INLINE static inline __attribute__((always_inline))

/* The bits of each octet the other way round: on the line the first is the highest, here it is the lowest. */
HDB3_INLINE uint64_t hdb3_turn(uint64_t word)
{
    word = (word >> 1 & 0x5555555555555555u) | (word & 0x5555555555555555u) << 1;
    word = (word >> 2 & 0x3333333333333333u) | (word & 0x3333333333333333u) << 2;
    return (word >> 4 & 0x0F0F0F0F0F0F0F0Fu) | (word & 0x0F0F0F0F0F0F0F0Fu) << 4;
}

HDB3_INLINE void hdb3_load(const uint8_t *octets, size_t size, uint64_t words[HDB3_BLOCK])
{
    size_t count = (size + 7) / 8;
    words[count - 1] = 0;
    memcpy(words, octets, size);
    for (size_t k = 0; k < count; k++)
        words[k] = hdb3_turn(words[k]);
}

/* Gives out the octets of words, `words[0]` having in its last one what was held, and holds the last one back. */
HDB3_INLINE void hdb3_store(uint64_t words[HDB3_BLOCK + 1], size_t size, size_t late, uint64_t *held, uint8_t *out)
{
    const uint8_t *octets = (const uint8_t *)words;
    *held = octets[7 + size];
    for (size_t k = 0; k <= (size + 7) / 8; k++)
        words[k] = hdb3_turn(words[k]);
    memcpy(out, octets + 7 + late, size - late);
}

HDB3_INLINE uint64_t hdb3_low(unsigned bits) /* a mask of so many, 0..64 */
{
    return bits ? ~0ull >> (64 - bits) : 0;
}

/* For each bit whether the last set or reset before it was a set; *state: before the first, then after the last. */
HDB3_INLINE uint64_t hdb3_latch(uint64_t set, uint64_t reset, unsigned *state, unsigned bits)
{
    uint64_t pass = ~(set | reset), either = set | pass;
    uint64_t before = either ^ set ^ (either + set + *state);
    *state = (set | (pass & before)) >> (bits - 1) & 1;
    return before;
}

/* ---- marks -> bits ---- */

typedef struct {
    unsigned positive;   /* the last mark was */
    unsigned violation;  /* the last violation was positive */
    int violated;        /* there was one */
    int marked;          /* there was a mark */
    uint64_t before;     /* marks of the last 64 bits, the newest highest */
    uint64_t held;       /* octet decoded but not given out: the next bits may still make zeros of its last three */
    int holding;
    uint64_t code_errors; /* marks against the rule: see hdb3_take */
    uint64_t violations;  /* bipolar violations that stand where HDB3 puts them */
    uint64_t zero_runs;   /* four zeros or more, which HDB3 never sends */
    uint64_t both;        /* bits with a mark in both planes; taken as one that alternates */
} hdb3_decoder;

typedef struct {
    uint64_t p, n;
} hdb3_marks;

/* Takes one of the marks away where both planes have one; rare, for no line sends it. `state`: of the mark before. */
static __attribute__((noinline)) hdb3_marks hdb3_part(hdb3_marks marks, unsigned state)
{
    for (uint64_t both = marks.p & marks.n; both; both &= both - 1) {
        uint64_t here = both & -both, earlier = here - 1;
        unsigned positive = state;
        hdb3_latch(marks.p & earlier, marks.n & earlier, &positive, 64);
        *(positive ? &marks.p : &marks.n) &= ~here;
    }
    return marks;
}

/* Decodes 8 to 64 bits; `*earlier` gets the zeros that reach back into the bits before, at the top.
 *
 * A mark of the polarity of the one before it, behind two zeros, ends B00V or 000V: it and the bit three before it are
 * zeros. One that does not stand behind two zeros, or has the polarity of the violation before it, is a code error. */
HDB3_INLINE uint64_t hdb3_take(hdb3_decoder *d, uint64_t p, uint64_t n, unsigned bits, uint64_t *earlier)
{
    uint64_t valid = hdb3_low(bits);
    if (p & n) {
        d->both += (unsigned)__builtin_popcountll(p & n);
        hdb3_marks parted = hdb3_part((hdb3_marks){p, n}, d->positive);
        p = parted.p;
        n = parted.n;
    }
    uint64_t marks = p | n;
    if (marks && !d->marked) { /* nothing to compare the first with */
        d->positive = (n & marks & -marks) != 0;
        d->marked = 1;
    }
    uint64_t last = hdb3_latch(p, n, &d->positive, bits);
    uint64_t same = (p & last) | (n & ~last);
    uint64_t back1 = marks << 1 | d->before >> 63, back2 = marks << 2 | d->before >> 62;
    uint64_t back3 = marks << 3 | d->before >> 61, back4 = marks << 4 | d->before >> 60;
    uint64_t v = same & ~back1 & ~back2;
    uint64_t wrong = same & ~v;
    uint64_t runs = ~marks & ~back1 & ~back2 & ~back3 & back4 & valid; /* at the fourth zero */
    uint64_t last_v = hdb3_latch(v & p, v & n, &d->violation, bits);
    uint64_t again = (v & p & last_v) | (v & n & ~last_v);
    if (v && !d->violated) {
        again &= ~(v & -v);
        d->violated = 1;
    }
    wrong |= again;
    d->violations += (unsigned)__builtin_popcountll(v & ~again);
    if (wrong | runs) {
        d->code_errors += (unsigned)__builtin_popcountll(wrong);
        d->zero_runs += (unsigned)__builtin_popcountll(runs);
    }
    d->before = bits == 64 ? marks : d->before >> bits | marks << (64 - bits);
    *earlier = v << 61;
    return marks & ~v & ~(v >> 3);
}

HDB3_INLINE size_t hdb3_decode_body(hdb3_decoder *decoder, const uint8_t *positive, const uint8_t *negative,
                                      size_t count, uint8_t *out)
{
    hdb3_decoder state = *decoder, *const d = &state; /* in registers: nothing that is stored can be a part of it */
    uint64_t p[HDB3_BLOCK], n[HDB3_BLOCK], bits[HDB3_BLOCK + 1];
    size_t given = 0;
    for (size_t i = 0; i < count; i += 8 * HDB3_BLOCK) {
        size_t size = count - i < 8 * HDB3_BLOCK ? count - i : 8 * HDB3_BLOCK, whole = size / 8;
        uint64_t earlier;
        hdb3_load(positive + i, size, p);
        hdb3_load(negative + i, size, n);
        bits[0] = d->held << 56;
        for (size_t k = 0; k < whole; k++) {
            bits[k + 1] = hdb3_take(d, p[k], n[k], 64, &earlier);
            bits[k] &= ~earlier;
        }
        if (size % 8) {
            bits[whole + 1] = hdb3_take(d, p[whole], n[whole], 8 * (unsigned)(size % 8), &earlier);
            bits[whole] &= ~earlier;
        }
        size_t late = d->holding ? 0 : 1; /* nothing was held before the first */
        hdb3_store(bits, size, late, &d->held, out + given);
        given += size - late;
        d->holding = 1;
    }
    *decoder = state;
    return given;
}

/* ---- bits -> marks ---- */

typedef struct {
    unsigned positive; /* the last mark was */
    unsigned odd;      /* ones so far, without B */
    unsigned odd_then; /* the same at the last violation */
    unsigned zeros;    /* at the end of what was taken, not yet part of four: 0..3 */
    int holding;
    uint64_t held[2]; /* octet of each plane coded but not given out: its last three bits may still get a mark */
} hdb3_encoder;

HDB3_INLINE uint64_t hdb3_prefix_odd(uint64_t word) /* for each bit, whether the ones up to and with it are odd */
{
    word ^= word << 1; /* no loop: it would keep the compiler from doing several words at once */
    word ^= word << 2;
    word ^= word << 4;
    word ^= word << 8;
    word ^= word << 16;
    return word ^ word << 32;
}

/* A block of words on its way. What is handed on from word to word (zeros, parities, polarities) is worked out apart
 * from all else, so that the compiler does several words of the rest at once. */
typedef struct {
    uint64_t ones[HDB3_BLOCK];
    uint64_t odd[HDB3_BLOCK];     /* whether the ones up to each bit, since the stream began, are odd in number */
    uint64_t before[HDB3_BLOCK];  /* the last three bits are zeros of the word before, as if a mark were behind them */
    uint64_t v[HDB3_BLOCK];
    uint64_t toggles[HDB3_BLOCK]; /* marks that have the other polarity than the one before: ones and B */
    uint64_t early[HDB3_BLOCK + 1]; /* a B among the bits before the word, at the top */
    uint64_t polarity[HDB3_BLOCK];
    uint64_t last[HDB3_BLOCK + 1]; /* all ones: the last mark before the word, but an early B, is positive */
} hdb3_block;

/* The fourth of four zeros. */
HDB3_INLINE void hdb3_place_v(hdb3_encoder *e, hdb3_block *w, size_t words, unsigned bits)
{
    for (size_t k = 0; k < words; k++) {
        w->before[k] = 1ull << (63 - e->zeros);
        unsigned end = k + 1 < words ? 0 : 64 - bits; /* of the word that is not used */
        unsigned after = w->ones[k] ? (unsigned)__builtin_clzll(w->ones[k]) - end : e->zeros + 64 - end;
        e->zeros = after & 3; /* each four before have their V */
    }
    for (size_t k = 0; k < words; k++) {
        uint64_t ones = w->ones[k], before = w->before[k];
        uint64_t near = ones | ones << 1 | before >> 63 | ones << 2 | before >> 62 | ones << 3 | before >> 61;
        w->v[k] = ~near; /* zeros with three before them */
    }
    w->v[words - 1] &= hdb3_low(bits);
    for (size_t k = 0; k < words; k++) {
        uint64_t fourth = w->v[k], v = fourth & ~(fourth << 1);
        for (uint64_t more = v << 4 & fourth; more; more = more << 4 & fourth)
            v |= more;
        w->v[k] = v;
    }
}

HDB3_INLINE void hdb3_prefixes(const uint64_t *restrict words, uint64_t *restrict odd, size_t count)
{
    for (size_t k = 0; k < count; k++)
        odd[k] = hdb3_prefix_odd(words[k]);
}

/* The first of four zeros becomes B where the ones since the last V are even in number, so that Vs alternate. */
HDB3_INLINE void hdb3_place_b(hdb3_encoder *e, hdb3_block *w, size_t words, unsigned bits)
{
    hdb3_prefixes(w->ones, w->odd, words);
    for (size_t k = 0; k < words; k++) {
        uint64_t v = w->v[k], odd = w->odd[k] ^ -(uint64_t)e->odd;
        unsigned used = k + 1 < words ? 64 : bits;
        uint64_t b = v & ~(odd ^ hdb3_latch(v & odd, v & ~odd, &e->odd_then, used));
        w->early[k] = b << 61;
        w->toggles[k] = w->ones[k] | b >> 3;
        e->odd = odd >> (used - 1) & 1;
    }
}

HDB3_INLINE void hdb3_polarise(hdb3_encoder *e, hdb3_block *w, size_t words, unsigned bits)
{
    hdb3_prefixes(w->toggles, w->polarity, words);
    for (size_t k = 0; k < words; k++) {
        unsigned used = k + 1 < words ? 64 : bits;
        w->last[k] = -(uint64_t)e->positive;
        e->positive ^= (w->early[k] != 0) ^ (w->polarity[k] >> (used - 1) & 1);
    }
    for (size_t k = 0; k < words; k++) {
        w->polarity[k] ^= w->last[k] ^ -(uint64_t)(w->early[k] != 0);
    }
}

/* The octet that was held, and the words, each with what the word behind it has early. */
HDB3_INLINE void hdb3_plane(const hdb3_block *w, size_t words, uint64_t flip, uint64_t held,
                            uint64_t planes[HDB3_BLOCK + 1])
{
    planes[0] = held << 56 | (w->early[0] & ~(w->last[0] ^ flip)); /* the other polarity than the mark before it */
    for (size_t k = 0; k < words; k++)
        planes[k + 1] = ((w->toggles[k] | w->v[k]) & (w->polarity[k] ^ flip))
                        | (w->early[k + 1] & ~(w->last[k + 1] ^ flip));
}

HDB3_INLINE size_t hdb3_encode_body(hdb3_encoder *encoder, const uint8_t *octets, size_t count, uint8_t *positive,
                                      uint8_t *negative)
{
    hdb3_encoder state = *encoder, *const e = &state;
    hdb3_block block, *const w = &block;
    uint64_t planes[HDB3_BLOCK + 1];
    uint8_t *const out[2] = {positive, negative};
    size_t given = 0;
    for (size_t i = 0; i < count; i += 8 * HDB3_BLOCK) {
        size_t size = count - i < 8 * HDB3_BLOCK ? count - i : 8 * HDB3_BLOCK, words = (size + 7) / 8;
        unsigned bits = size % 8 ? 8 * (unsigned)(size % 8) : 64; /* of the last word */
        size_t late = e->holding ? 0 : 1;                         /* nothing was held before the first */
        hdb3_load(octets + i, size, w->ones);
        hdb3_place_v(e, w, words, bits);
        hdb3_place_b(e, w, words, bits);
        hdb3_polarise(e, w, words, bits);
        w->early[words] = w->last[words] = 0; /* the next block tells */
        for (int side = 0; side < 2; side++) {
            hdb3_plane(w, words, side ? ~0ull : 0, e->held[side], planes);
            hdb3_store(planes, size, late, &e->held[side], out[side] + given);
        }
        given += size - late;
        e->holding = 1;
    }
    *encoder = state;
    return given;
}

/* ---- for the processor at hand ---- */

#if defined(__x86_64__)
#define HDB3_WIDE __attribute__((target("avx2,bmi,bmi2,lzcnt"), noinline))

HDB3_WIDE static size_t hdb3_decode_wide(hdb3_decoder *decoder, const uint8_t *positive, const uint8_t *negative,
                                         size_t count, uint8_t *out)
{
    return hdb3_decode_body(decoder, positive, negative, count, out);
}

HDB3_WIDE static size_t hdb3_encode_wide(hdb3_encoder *encoder, const uint8_t *octets, size_t count, uint8_t *positive,
                                         uint8_t *negative)
{
    return hdb3_encode_body(encoder, octets, count, positive, negative);
}

static inline int hdb3_wide(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
           && __builtin_cpu_supports("lzcnt");
}
#else
#define hdb3_decode_wide hdb3_decode_body
#define hdb3_encode_wide hdb3_encode_body
static inline int hdb3_wide(void)
{
    return 0;
}
#endif

/* Gives out one octet less than it has taken in all; returns how many. `wide`: what hdb3_wide says, or 0. */
static size_t hdb3_decode(hdb3_decoder *decoder, const uint8_t *positive, const uint8_t *negative, size_t count,
                          uint8_t *out, int wide)
{
    return wide ? hdb3_decode_wide(decoder, positive, negative, count, out)
                : hdb3_decode_body(decoder, positive, negative, count, out);
}

/* The same with two planes of octets. */
static size_t hdb3_encode(hdb3_encoder *encoder, const uint8_t *octets, size_t count, uint8_t *positive,
                          uint8_t *negative, int wide)
{
    return wide ? hdb3_encode_wide(encoder, octets, count, positive, negative)
                : hdb3_encode_body(encoder, octets, count, positive, negative);
}
