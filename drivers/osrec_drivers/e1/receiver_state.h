/* What the receiver of an E1 line knows: see receiver.h. */
#pragma once
#include "bits.h"
#include "ring.h"

typedef struct { /* Criteria in criteria.py, member for member */
    int bad_fas, bad_nfas, crc_blocks, crc_bad_blocks, multiframe_frames;
    int los_zeros, los_window, los_ones, ais_zeros, rai_times, lof_frames;
    int interworking_frames, sa_times;
    int cas_bad_mfas, cas_zero_multiframes, ais16_zeros, ais16_multiframes, rai16_times, cas_times;
} e1_criteria;

enum {
    E1_ALARM_LOS = 1,
    E1_ALARM_LOF = 2,
    E1_ALARM_AIS = 4,
    E1_ALARM_RAI = 8,
    E1_ALARM_NO_PACKETS = 16,
    E1_ALARM_LMFA = 32,
    E1_ALARM_LMFA16 = 64,
    E1_ALARM_AIS16 = 128,
    E1_ALARM_RAI16 = 256,
};
enum {
    E1_UNIT = 32,        /* octets the detectors look at in one step */
    E1_PIECE = 8192,     /* octets framed in one step */
    E1_CARRY = 160,      /* octets kept between steps: a search needs 66, and it may be a frame or two behind */
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
    uint64_t frames, fas_errors, bit2_errors, crc_errors, remote_crc_errors, losses, slips;
} e1_receive_counters;

typedef struct { /* looks for MFAS in bit 1 of the frames without FAS, G.706 4.2 */
    unsigned history; /* of the last six */
    int64_t counted;  /* frames since it began */
    int64_t seen[8];  /* `counted` at which the pattern last ended in each phase; < 0: never */
} e1_mfas_search;

typedef enum { E1_PARALLEL_OFF, E1_PARALLEL_HUNTS, E1_PARALLEL_FOLLOWS } e1_parallel_state;

typedef struct { /* beside frames that lack a multiframe, the search for others that have one, G.706 4.2, Annex B */
    e1_parallel_state state;
    int64_t next; /* bit number: of the first position not searched, or of the candidate's next frame */
    int nfas, bad_fas, bad_nfas;
    e1_mfas_search mfas;
} e1_parallel;

typedef struct {
    e1_criteria criteria;
    e1_sink sink;
    e1_receive_counters counters;
    int wide;            /* AVX2 may be used */
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
    int64_t lost_fas;    /* bit number where the next FAS would have been when alignment was lost; -1: not known */

    int rai_run, rai;
    int sa, sa_seen, sa_run; /* sa: Sa4..Sa8, -1: not known */
    int multiframe, mf;  /* mf: number of the next frame in the multiframe */
    int overdue;         /* aligned for 8 ms without a multiframe */
    int interworking;    /* aligned for 400 ms without one */
    e1_mfas_search mfas; /* since alignment */
    e1_parallel parallel;
    unsigned crc, crc_previous, crc_received;
    int smf_whole, previous_whole;
    int crc_window, crc_window_bad;
    int far_errors;      /* errored sub-multiframes that our E bits have yet to tell */

    int64_t zero_run;    /* bits */
    int los, los_seen, los_seen_ones;
    int ais, ais_half, ais_zeros_seen, ais_run;
} e1_receiver;

static inline void e1_receiver_open(e1_receiver *r, const e1_criteria *criteria, int crc4, int64_t origin, int wide)
{
    memset(r, 0, sizeof *r);
    r->criteria = *criteria;
    r->crc4 = crc4;
    r->wide = wide;
    r->origin = r->tail = r->hunted = origin;
    r->bad_from = r->lost_fas = r->sa = -1;
}

static inline int64_t e1_sample(const e1_receiver *r, int64_t bit)
{
    return r->origin + (bit >> 8);
}

static inline int64_t e1_received_octets(const e1_receiver *r)
{
    return r->base + (int64_t)r->carried + (int64_t)r->parted;
}
