/* One SAToP pseudowire, RFC 4553: packets to line octets and back. No I/O here: arrival and present time are arguments.
 *
 * All of it runs under the engine's lock. Packets are numbered by `ext`, which never wraps; the sequence number on the
 * wire is that of the sender and may begin anew. */
#pragma once
#include "engine.h"
#include <sys/socket.h>

enum {
    PW_WINDOW = 256,     /* packets that may wait for one missing before them */
    PW_HISTORY = 64,     /* packets back to which a late one is told from a duplicate */
    PW_PAYLOAD_MAX = 1408,
    PW_HEADERS = 12 + 4, /* RTP, control word */
    PW_DATAGRAM = PW_HEADERS + PW_PAYLOAD_MAX,
    PW_BURST = 10,       /* packets sent in one sweep at most: twice real time while catching up */
    PW_DRIFT = 64,       /* points of the clock estimate */
};

#define PW_SECOND INT64_C(1000000000)
#define PW_TOLERANCE (PW_SECOND / 2) /* arrival may be off by so much before the sender must have started anew */
#define PW_STALE (PW_TOLERANCE / 2)  /* what we send later than this, a far end like ours would take for a new count */

typedef struct {
    uint64_t packets, lost, late, reordered, duplicate, malformed;
} pw_counters;

typedef struct {
    int64_t nominal, delay; /* ns: by the far end's count, and the least arrival time beyond it in this window */
} pw_drift_point;

typedef struct {
    int present, lbit, rbit;
    size_t count;
    int64_t arrival;
} pw_slot;

typedef struct {
    e1_engine *engine;
    int rtp;
    unsigned payload_type;
    size_t payload;      /* octets a packet, whole frames */
    int64_t period;      /* ns a packet */
    int64_t jitter;      /* ns a packet may wait for one before it */
    int64_t timeout;     /* ns without packets that are an alarm */
    pw_counters counters;

    int started;
    int64_t next;        /* ext of the next packet due */
    uint16_t next_sequence;
    uint64_t history;    /* bit n: packet next - 1 - n came */
    pw_slot waiting[PW_WINDOW]; /* by ext modulo the window */
    uint8_t *store;
    int waiting_count;
    int64_t highest;     /* newest ext seen */

    int resumed;
    int64_t resume_arrival;
    uint16_t resume_sequence;
    int64_t first_arrival, last_arrival;
    int64_t reference, reference_arrival; /* ext and arrival of the newest packet that was in its place */
    int64_t anchor_sample;
    uint16_t anchor_sequence;
    int probation;       /* a packet that fits nothing waits for its successor, RFC 3550 A.1 */
    uint16_t probation_sequence;
    pw_slot probation_slot;
    uint8_t probation_payload[PW_PAYLOAD_MAX];

    pw_drift_point drift[PW_DRIFT];
    int drift_count;
    int64_t drift_window; /* ns */

    int transmits;       /* someone gives frames; else idle ones answer what comes */
    int owed;            /* idle packets */
    uint8_t *queue;      /* frames to send */
    size_t queue_room, queue_first, queued; /* frames */
    int64_t due;         /* when the next packet is, 0: none was sent yet */
    int timed;           /* whoever gives frames says when they are due: `due` is theirs, and never put off */
    int64_t unsent;      /* frames passed over because their time was long over */
    uint16_t send_sequence;
    uint32_t timestamp, ssrc;
    int64_t sent;        /* frames */

    int fd, wake_fd;
    struct sockaddr_storage remote;
    socklen_t remote_length; /* 0: not known yet */
    int remote_given;
    int64_t swept;
    int failed;          /* errno that ended the thread */
    int stopping;
} pw_port;

int pw_open(pw_port *port, e1_engine *engine, size_t payload, size_t queue_room);
void pw_close(pw_port *port);
void pw_take(pw_port *port, const uint8_t *datagram, size_t length, int64_t arrival);
int pw_is_ours(const pw_port *port, const uint8_t *datagram, size_t length); /* whether it can be parsed */
void pw_tick(pw_port *port, int64_t now);
int pw_queue(pw_port *port, const uint8_t *frames, size_t count, int64_t due); /* due 0: no time; -1: no room */
size_t pw_due(pw_port *port, int64_t now, uint8_t *out); /* one datagram if one is due: its length, else 0 */
void pw_remote(pw_port *port, int family, const uint8_t *address, int udp_port, unsigned scope);
void pw_run(pw_port *port); /* until stopped; takes the lock itself */
void pw_stop(pw_port *port);
