/* What the receiver of an E1 line knows: see receiver.h. */
#pragma once
#include "bits.h"
#include "ring.h"

typedef struct { /* Criteria in criteria.py, member for member */
    int bad_fas, bad_nfas, crc_blocks, crc_bad_blocks, multiframe_frames;
    int los_zeros, los_window, los_ones, ais_zeros, rai_times, lof_frames;
} e1_criteria;

enum { E1_ALARM_LOS = 1, E1_ALARM_LOF = 2, E1_ALARM_AIS = 4, E1_ALARM_RAI = 8, E1_ALARM_NO_PACKETS = 16 };
enum {
    E1_UNIT = 32,        /* octets the detectors look at in one step */
    E1_PIECE = 8192,     /* octets framed in one step */
    E1_CARRY = 160,      /* octets kept between steps; the search needs 66 and one frame before them */
    E1_SEARCH = 2 * 256 + 8, /* bits that decide on one position: FAS, NFAS, FAS */
};

typedef struct {
    void *context;
    void (*frames)(void *context, const uint8_t *frames, size_t count); /* held until the next publish */
    void (*publish)(void *context);
    void (*gap)(void *context, int64_t first, int64_t end, e1_cause cause); /* takes back what is held from `first` */
    void (*changed)(void *context, unsigned alarm, int raised, int64_t sample);
} e1_sink;

typedef struct {
    uint64_t frames, fas_errors, crc_errors, remote_crc_errors, losses;
} e1_receive_counters;

typedef struct {
    e1_criteria criteria;
    e1_sink sink;
    e1_receive_counters counters;
    int crc4;            /* whether to look for the CRC-4 multiframe */
    unsigned alarms;     /* standing */
    unsigned outside;    /* alarms that others than the bits know of: no packets, R bit */

    uint8_t carry[E1_CARRY];
    size_t carried;
    uint8_t part[E1_UNIT]; /* of a unit */
    size_t parted;
    int64_t base;        /* octet number of carry[0] in the stream */
    int64_t origin;      /* sample number of bit 0 */
    int64_t next;        /* bit number: of the next frame, or of the first position not searched */
    int64_t valid_from;  /* bit number: nothing known before it */
    int64_t tail;        /* sample number after the last one given to the sink */

    int aligned, nfas;   /* nfas: the next frame carries no FAS */
    int bad_fas, bad_nfas;
    int64_t bad_from;    /* sample number: start of the present run of errors; -1: none */
    int64_t hunted;      /* sample where the search began */

    int rai_run, rai;
    int multiframe, mf;  /* mf: number of the next frame in the multiframe */
    unsigned si_history; /* bit 1 of the last frames without FAS */
    int64_t mfas_seen[8]; /* frame count at which the pattern last ended in each phase; < 0: never */
    int64_t counted;     /* frames since alignment */
    unsigned crc, crc_previous, crc_received;
    int smf_whole, previous_whole;
    int crc_window, crc_window_bad;
    int far_errors;      /* errored sub-multiframes that our E bits have yet to tell */

    int64_t zero_run;    /* bits */
    int los, los_seen, los_seen_ones;
    int ais, ais_half, ais_zeros_seen, ais_run;
} e1_receiver;

static inline void e1_receiver_open(e1_receiver *r, const e1_criteria *criteria, int crc4, int64_t origin)
{
    memset(r, 0, sizeof *r);
    r->criteria = *criteria;
    r->crc4 = crc4;
    r->origin = r->tail = r->hunted = origin;
    r->bad_from = -1;
}

static inline int64_t e1_sample(const e1_receiver *r, int64_t bit)
{
    return r->origin + (bit >> 8);
}

static inline int64_t e1_received_octets(const e1_receiver *r)
{
    return r->base + (int64_t)r->carried + (int64_t)r->parted;
}
