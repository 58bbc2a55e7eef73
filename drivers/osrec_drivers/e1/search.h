/* The search for frames in bits, 64 positions at a time; G.706 4.1.2. */
#pragma once
#include "receiver_state.h"

/* The first position among bits `at` .. `last` with FAS, bit 2 of the next frame and FAS behind it; -1: none. */
static inline int64_t e1_search(const uint8_t *octets, int64_t at, int64_t last)
{
    for (; at <= last; at += 64) {
#define E1_AT(offset) e1_bits(octets, (size_t)(at + (offset)))
        uint64_t found = ~E1_AT(1) & ~E1_AT(2) & E1_AT(3) & E1_AT(4) & ~E1_AT(5) & E1_AT(6) & E1_AT(7) & E1_AT(257);
        if (found)
            found &= ~E1_AT(513) & ~E1_AT(514) & E1_AT(515) & E1_AT(516) & ~E1_AT(517) & E1_AT(518) & E1_AT(519);
#undef E1_AT
        if (last - at < 63)
            found &= ~0ull << (63 - (last - at));
        if (found)
            return at + __builtin_clzll(found);
    }
    return -1;
}
