/* Channel associated signalling in time slot 16: its multiframe, alarms and abcd bits; G.704 5.1.3.2, G.732 5.2.
 *
 * Octets of time slot 16 come in with their sample numbers; what changed goes out to whom `tell` names. */
#pragma once
#include "receiver_state.h"

enum { E1_CAS_FRAMES = 16, E1_CAS_CHANGES = 1024, E1_CAS_UNKNOWN = 0xFF };

typedef struct {
    int slot;
    uint8_t abcd;
    int64_t sample;
} e1_cas_change;

typedef struct {
    e1_criteria criteria;
    void *context;
    void (*tell)(void *context, unsigned alarm, int raised, int64_t sample);
    int on;
    unsigned alarms;
    uint64_t losses;

    int64_t next;        /* sample number of the next octet */
    int64_t hunted;      /* sample number where the search began */
    int aligned, frame;  /* frame: number of the next one in the multiframe */
    int bad_mfas;        /* in a row */
    unsigned previous;   /* octet; 0 also when it is not known */
    int zero_run;        /* octets */
    int ais, ais_count, ais_zeros, ais_run; /* periods of a multiframe's length, wherever they begin */
    int rai, rai_run;
    int spare;           /* x bits */

    uint8_t abcd[32];    /* valid ones, else E1_CAS_UNKNOWN */
    uint8_t told[32];    /* the last valid one before alignment was lost, so that it is not told twice */
    uint8_t seen[32];    /* the last one received */
    int seen_times[32];
    int64_t seen_first[32];
    e1_cas_change changes[E1_CAS_CHANGES]; /* since someone asked; when full the oldest goes */
    size_t change_first, change_count;
} e1_cas;

static inline void e1_cas_update(e1_cas *c, int64_t sample)
{
    unsigned now = 0;
    int searched = c->next - c->hunted >= 2 * E1_CAS_FRAMES || c->losses;
    if (c->ais)
        now |= E1_ALARM_AIS16;
    else if (!c->aligned && searched)
        now |= E1_ALARM_LMFA16;
    if (c->aligned && c->rai)
        now |= E1_ALARM_RAI16;
    unsigned changed = now ^ c->alarms;
    c->alarms = now;
    for (unsigned alarm = E1_ALARM_LMFA16; alarm <= E1_ALARM_RAI16; alarm <<= 1)
        if (changed & alarm)
            c->tell(c->context, alarm, (now & alarm) != 0, sample);
}

static inline void e1_cas_hunt(e1_cas *c)
{
    c->aligned = 0;
    c->rai = c->rai_run = 0;
    c->bad_mfas = 0;
    c->spare = -1;
    memset(c->abcd, E1_CAS_UNKNOWN, sizeof c->abcd);
    memset(c->seen_times, 0, sizeof c->seen_times);
}

static inline void e1_cas_begin(e1_cas *c, const e1_criteria *criteria, int64_t sample)
{
    c->criteria = *criteria;
    c->on = 1;
    c->next = c->hunted = sample;
    memset(c->told, E1_CAS_UNKNOWN, sizeof c->told);
    e1_cas_hunt(c);
}

static inline void e1_cas_note(e1_cas *c, int slot, uint8_t abcd)
{
    if (!abcd && slot < E1_CAS_FRAMES)
        return; /* 0000 is forbidden there, G.704 5.1.3.2: a bit error, or no MFAS is MFAS any more */
    if (!c->seen_times[slot] || c->seen[slot] != abcd) {
        c->seen[slot] = abcd;
        c->seen_times[slot] = 0;
        c->seen_first[slot] = c->next;
    }
    if (++c->seen_times[slot] < c->criteria.cas_times || c->abcd[slot] == abcd)
        return;
    c->abcd[slot] = abcd;
    if (c->told[slot] == abcd)
        return;
    c->told[slot] = abcd;
    if (c->change_count == E1_CAS_CHANGES) {
        c->change_first++;
        c->change_count--;
    }
    c->changes[(c->change_first + c->change_count++) % E1_CAS_CHANGES] =
        (e1_cas_change){slot, abcd, c->seen_first[slot]};
}

/* Frame 0: 0000xyxx. */
static inline void e1_cas_frame_0(e1_cas *c, unsigned octet)
{
    int y = octet >> 2 & 1;
    c->bad_mfas = 0;
    c->spare = (int)((octet >> 1 & 4) | (octet & 3));
    c->rai_run = y == c->rai ? 0 : c->rai_run + 1;
    if (c->rai_run >= c->criteria.rai16_times) {
        c->rai = y;
        c->rai_run = 0;
    }
}

static inline void e1_cas_lose(e1_cas *c)
{
    c->losses++;
    e1_cas_hunt(c);
}

static inline void e1_cas_follow(e1_cas *c, unsigned octet)
{
    int zero_limit = E1_CAS_FRAMES * c->criteria.cas_zero_multiframes;
    if (zero_limit && c->zero_run >= zero_limit) {
        e1_cas_lose(c);
        return;
    }
    if (c->frame == 0) {
        if (octet >> 4 == 0)
            e1_cas_frame_0(c, octet);
        else if (++c->bad_mfas >= c->criteria.cas_bad_mfas) {
            e1_cas_lose(c);
            return;
        }
    } else if (!c->bad_mfas) { /* else it is not sure whose bits these are */
        e1_cas_note(c, c->frame, (uint8_t)(octet >> 4));
        e1_cas_note(c, c->frame + E1_CAS_FRAMES, (uint8_t)(octet & 15));
    }
    c->frame = (c->frame + 1) % E1_CAS_FRAMES;
}

static inline void e1_cas_detect_ais(e1_cas *c, unsigned octet)
{
    c->ais_zeros += 8 - __builtin_popcount(octet);
    if (++c->ais_count < E1_CAS_FRAMES)
        return;
    int ones_only = c->ais_zeros <= c->criteria.ais16_zeros;
    c->ais_run = ones_only == c->ais ? 0 : c->ais_run + 1;
    if (c->ais_run >= (ones_only ? c->criteria.ais16_multiframes : 1)) {
        c->ais = ones_only;
        c->ais_run = 0;
    }
    c->ais_count = c->ais_zeros = 0;
}

static inline void e1_cas_take(e1_cas *c, unsigned octet)
{
    c->zero_run = octet ? 0 : c->zero_run + 1;
    if (c->aligned) {
        e1_cas_follow(c, octet);
    } else if (octet >> 4 == 0 && c->previous) { /* MFAS behind an octet that is not all zeros, G.732 5.2 */
        c->aligned = 1;
        c->ais = c->ais_run = 0;
        e1_cas_frame_0(c, octet);
        c->frame = 1;
    }
    e1_cas_detect_ais(c, octet);
    c->previous = octet;
    c->next++;
    e1_cas_update(c, c->next);
}

/* Octets of time slot 16 did not arrive up to sample `end`; `counted`: how many is known and frames keep their place. */
static inline void e1_cas_skip(e1_cas *c, int64_t end, int counted)
{
    int64_t count = end - c->next;
    if (count <= 0)
        return;
    c->zero_run = c->ais_count = c->ais_zeros = c->ais_run = 0;
    c->previous = 0;
    memset(c->seen_times, 0, sizeof c->seen_times);
    if (counted) {
        c->frame = (int)((c->frame + count) % E1_CAS_FRAMES);
        c->next = end;
        return;
    }
    if (c->aligned)
        c->losses++;
    c->ais = 0;
    e1_cas_hunt(c);
    for (unsigned alarm = E1_ALARM_LMFA16; alarm <= E1_ALARM_RAI16; alarm <<= 1)
        if (c->alarms & alarm) /* the line's own alarm says it all */
            c->tell(c->context, alarm, 0, c->next);
    c->alarms = 0;
    c->next = c->hunted = end;
}

/* ---- the other direction ---- */

typedef struct {
    int on;
    int frame;           /* number of the next one in the multiframe */
    uint8_t abcd[32];
} e1_cas_sender;

enum { E1_CAS_UNUSED = 0xD }; /* b, c, d of what is not used are 1, 0, 1, G.704 5.1.3.2 */

static inline uint8_t e1_cas_octet(e1_cas_sender *s, int remote_alarm)
{
    int frame = s->frame;
    s->frame = (frame + 1) % E1_CAS_FRAMES;
    if (frame == 0)
        return (uint8_t)(0x0B | (remote_alarm ? 4 : 0)); /* 0000xyxx, x = 1 */
    return (uint8_t)(s->abcd[frame] << 4 | s->abcd[frame + E1_CAS_FRAMES]);
}
