#define _GNU_SOURCE /* recvmmsg, ppoll */
#include "pseudowire.h"
#include "pseudowire_io.h"

int pw_open(pw_port *port, e1_engine *engine, size_t payload, size_t queue_room)
{
    memset(port, 0, sizeof *port);
    e1_crc4_setup(); /* this extension's own copy */
    port->engine = engine;
    port->payload = payload;
    port->period = (int64_t)(payload / E1_FRAME) * PW_SECOND / 8000;
    port->drift_window = PW_SECOND;
    port->queue_room = queue_room;
    port->fd = port->wake_fd = -1;
    port->store = malloc(PW_WINDOW * payload);
    port->queue = malloc(queue_room * E1_FRAME);
    return port->store && port->queue ? 0 : -1;
}

void pw_close(pw_port *port)
{
    free(port->store);
    free(port->queue);
    port->store = port->queue = NULL;
}

/* ---- the far end's clock: the least delay in each window of time, so that waiting packets do not count ---- */

static void drift_note(pw_port *port, int64_t ext, int64_t arrival)
{
    int64_t nominal = ext * port->period, delay = arrival - nominal;
    pw_drift_point *last = port->drift_count ? &port->drift[port->drift_count - 1] : NULL;
    if (last && nominal / port->drift_window == last->nominal / port->drift_window) {
        if (delay < last->delay)
            *last = (pw_drift_point){nominal, delay};
        return;
    }
    if (port->drift_count == PW_DRIFT) { /* twice as coarse, and the oldest stays */
        for (int i = 0; i < PW_DRIFT / 2; i++) {
            pw_drift_point a = port->drift[2 * i], b = port->drift[2 * i + 1];
            port->drift[i] = a.delay < b.delay ? a : b;
        }
        port->drift_count = PW_DRIFT / 2;
        port->drift_window *= 2;
    }
    port->drift[port->drift_count++] = (pw_drift_point){nominal, delay};
}

/* ---- receiving ---- */

static void lose(pw_port *port, int64_t packets, e1_cause cause)
{
    if (packets <= 0)
        return;
    e1_engine_miss(port->engine, packets * (int64_t)port->payload, cause);
    if (port->engine->loop.kind == E1_LOOP_LOCAL && !port->transmits)
        port->owed += (int)(packets < 100 ? packets : 100); /* what goes round needs no far end to keep time */
    if (cause != E1_GAP_NOT_LISTENING)
        port->counters.lost += (uint64_t)packets;
    port->next += packets;
    port->next_sequence = (uint16_t)(port->next_sequence + packets);
    port->history = packets < 64 ? port->history << packets : 0;
}

static void deliver(pw_port *port, const pw_slot *slot, const uint8_t *payload)
{
    e1_receiver *r = &port->engine->receiver;
    port->anchor_sample = r->origin + e1_received_octets(r) / E1_FRAME;
    port->anchor_sequence = port->next_sequence;
    port->reference = port->next;
    port->reference_arrival = slot->arrival;
    if (slot->lbit || slot->count != port->payload)
        e1_engine_miss(port->engine, (int64_t)port->payload, E1_GAP_REMOTE_FAULT); /* the gateway has no E1 to send */
    else
        e1_engine_receive(port->engine, payload, port->payload);
    unsigned outside = (slot->rbit ? E1_ALARM_RAI : 0) | (slot->lbit ? E1_ALARM_AIS : 0);
    if (r->outside != outside) {
        r->outside = outside;
        e1_update_alarms(r, r->tail);
    }
    drift_note(port, port->next, slot->arrival);
    port->next++;
    port->next_sequence++;
    port->history = port->history << 1 | 1;
}

static void drain(pw_port *port)
{
    while (port->waiting_count) {
        size_t index = (size_t)port->next & (PW_WINDOW - 1);
        pw_slot *slot = &port->waiting[index];
        if (!slot->present)
            return;
        slot->present = 0;
        port->waiting_count--;
        deliver(port, slot, port->store + index * port->payload);
    }
}

static int64_t first_waiting(const pw_port *port)
{
    int64_t ext = port->next;
    while (!port->waiting[(size_t)ext & (PW_WINDOW - 1)].present)
        ext++;
    return ext;
}

static void skip_to_waiting(pw_port *port)
{
    lose(port, first_waiting(port) - port->next, E1_GAP_PACKET_LOSS);
    drain(port);
}

/* What is missing before a packet that has waited long enough is lost. */
static void expire(pw_port *port, int64_t now)
{
    while (port->waiting_count) {
        const pw_slot *slot = &port->waiting[(size_t)first_waiting(port) & (PW_WINDOW - 1)];
        if (now - slot->arrival < port->jitter)
            return;
        skip_to_waiting(port);
    }
}

static void flush(pw_port *port)
{
    while (port->waiting_count)
        skip_to_waiting(port);
}

static void jump(pw_port *port, int64_t ext, uint16_t sequence, e1_cause cause)
{
    flush(port);
    lose(port, ext - port->next, cause);
    port->next_sequence = sequence;
    port->highest = port->next - 1;
}

/* The ext that a sequence number must mean when the clocks say `expected`. */
static int64_t nearest(int64_t expected, uint16_t sequence, int64_t known, uint16_t known_sequence)
{
    int64_t ext = known + (int16_t)(uint16_t)(sequence - known_sequence), away = expected - ext;
    return ext + 65536 * ((away + (away < 0 ? -32768 : 32768)) / 65536);
}

static int64_t by_clock(const pw_port *port, int64_t now)
{
    int64_t since = now - port->reference_arrival;
    return port->reference + (since + port->period / 2) / port->period;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

static void restart_drift(pw_port *port)
{
    port->drift_count = 0;
    port->drift_window = PW_SECOND;
}

/* No packet has been in its place for long: those that only seem late are those of a sender that counts anew. */
static int stale(const pw_port *port, int64_t arrival)
{
    return arrival - port->reference_arrival > PW_TOLERANCE / 2;
}

/* The sequence number does not follow the last ones. Returns whether the packet may be placed at port->next. */
static int resolve(pw_port *port, uint16_t sequence, const pw_slot *slot, const uint8_t *payload)
{
    e1_cause cause = slot->arrival - port->last_arrival > port->timeout ? E1_GAP_NO_PACKETS : E1_GAP_PACKET_LOSS;
    int64_t expected = by_clock(port, slot->arrival);
    int64_t ext = nearest(expected, sequence, port->next, port->next_sequence);
    if (distance(ext, expected) * port->period <= PW_TOLERANCE && !(ext < port->next && stale(port, slot->arrival))) {
        if (ext >= port->next)
            jump(port, ext, sequence, cause);
        else
            port->counters.late++;
        return ext >= port->next;
    }
    if (!port->probation || sequence != (uint16_t)(port->probation_sequence + 1)) {
        port->probation = 1;
        port->probation_sequence = sequence;
        port->probation_slot = *slot;
        memcpy(port->probation_payload, payload, slot->count);
        return 0;
    }
    /* Two in a row: the sender counts anew. How long it was away, only the clock knows. */
    port->probation = 0;
    expected = by_clock(port, port->probation_slot.arrival);
    jump(port, expected > port->next ? expected : port->next, port->probation_sequence, cause);
    restart_drift(port);
    deliver(port, &port->probation_slot, port->probation_payload);
    return 1;
}

static void start(pw_port *port, uint16_t sequence, int64_t arrival)
{
    port->started = 1;
    port->first_arrival = arrival;
    port->next = port->next_sequence = sequence;
    if (port->resumed) {
        port->next = port->next_sequence = port->resume_sequence;
        int64_t expected = port->next + (arrival - port->resume_arrival + port->period / 2) / port->period;
        if (expected < port->next)
            expected = port->next; /* an anchor from the future is from another boot: its clock says nothing */
        int64_t ext = nearest(expected, sequence, port->next, port->next_sequence);
        if (distance(ext, expected) * port->period > PW_TOLERANCE)
            ext = expected;
        lose(port, ext - port->next, E1_GAP_NOT_LISTENING);
        port->next_sequence = ext < port->next ? port->next_sequence : sequence;
    }
    port->highest = port->next - 1;
    port->reference = port->next;
    port->reference_arrival = arrival;
}

static void place(pw_port *port, uint16_t sequence, const pw_slot *slot, const uint8_t *payload)
{
    int ahead = (int16_t)(uint16_t)(sequence - port->next_sequence);
    if (ahead < 0) {
        int came = -ahead <= 64 && port->history >> (-ahead - 1) & 1;
        ++*(came ? &port->counters.duplicate : &port->counters.late);
        return;
    }
    int64_t ext = port->next + ahead;
    size_t index = (size_t)ext & (PW_WINDOW - 1);
    if (ahead > 0 && port->waiting[index].present) {
        port->counters.duplicate++;
        return;
    }
    if (ext < port->highest)
        port->counters.reordered++;
    else
        port->highest = ext;
    if (ahead == 0) {
        deliver(port, slot, payload);
        drain(port);
    } else {
        port->waiting[index] = *slot;
        memcpy(port->store + index * port->payload, payload, slot->count);
        port->waiting_count++;
    }
}

/* Reads the headers. Returns the payload, or NULL when this is no packet of ours. RFC 4553 4.3. */
static const uint8_t *parse(const pw_port *port, const uint8_t *datagram, size_t length, pw_slot *slot,
                            uint16_t *sequence)
{
    size_t rtp = port->rtp ? 12 : 0;
    if (length < rtp + 4 || (rtp && datagram[0] != 0x80)) /* version 2, no padding, extension or CSRC */
        return NULL;
    const uint8_t *word = datagram + rtp; /* over UDP the RTP header comes first, RFC 4553 figure 1b */
    size_t count = length - rtp - 4, said = word[1] & 0x3F;
    if (word[0] & 0xF0 || word[1] & 0xC0) /* bits 0..3 are 0, nothing is fragmented */
        return NULL;
    if (said && said != count + 4 && said != count + 4 + rtp)
        return NULL;
    slot->lbit = word[0] >> 3 & 1;
    slot->rbit = word[0] >> 2 & 1;
    slot->count = count;
    if (count != port->payload && !(slot->lbit && count == 0)) /* with L set the payload may be left out */
        return NULL;
    *sequence = (uint16_t)(word[2] << 8 | word[3]);
    return word + 4;
}

int pw_is_ours(const pw_port *port, const uint8_t *datagram, size_t length)
{
    pw_slot slot;
    uint16_t sequence;
    return parse(port, datagram, length, &slot, &sequence) != NULL;
}

void pw_take(pw_port *port, const uint8_t *datagram, size_t length, int64_t arrival)
{
    pw_slot slot = {.present = 1, .arrival = arrival};
    uint16_t sequence;
    const uint8_t *payload = parse(port, datagram, length, &slot, &sequence);
    if (!payload) {
        port->counters.malformed++;
        return;
    }
    port->counters.packets++;
    if (!port->transmits)
        port->owed++;
    if (!port->started)
        start(port, sequence, arrival);
    else
        expire(port, arrival); /* before the number is resolved: jump() must not flush past it */
    int ahead = (int16_t)(uint16_t)(sequence - port->next_sequence);
    int follows = ahead >= -PW_HISTORY && ahead < PW_WINDOW && arrival - port->last_arrival <= port->timeout
                  && !(ahead < 0 && stale(port, arrival));
    if (follows || port->counters.packets == 1) {
        port->probation = 0;
        place(port, sequence, &slot, payload);
    } else if (resolve(port, sequence, &slot, payload)) {
        place(port, sequence, &slot, payload);
    } else if (port->probation) {
        return; /* it says nothing yet about when the stream last ran */
    }
    port->last_arrival = arrival;
    expire(port, arrival);
}

void pw_tick(pw_port *port, int64_t now)
{
    if (!port->last_arrival)
        port->last_arrival = now; /* opened just now */
    expire(port, now);
    if (now - port->last_arrival <= port->timeout)
        return;
    if (!(port->engine->receiver.outside & E1_ALARM_NO_PACKETS))
        e1_set_outside(&port->engine->receiver, E1_ALARM_NO_PACKETS, 1);
    if (!port->started)
        return;
    /* Time goes on without packets, a little behind the clock: how long it was in the far end's count is settled
     * when packets come back, and must never turn out shorter than what was given out already. */
    int64_t silent = now - port->reference_arrival;
    int64_t sure = by_clock(port, now - PW_TOLERANCE - silent / 5000) - 1; /* 200 ppm: two clocks of G.703 and more */
    lose(port, sure - port->next, E1_GAP_NO_PACKETS);
}

/* ---- sending ---- */

static size_t packet_frames(const pw_port *port)
{
    return port->payload / E1_FRAME;
}

static void take_frames(pw_port *port, uint8_t *frames)
{
    size_t count = packet_frames(port);
    for (size_t i = 0; i < count; i++)
        memcpy(frames + i * E1_FRAME, port->queue + (port->queue_first + i) % port->queue_room * E1_FRAME, E1_FRAME);
    port->queue_first = (port->queue_first + count) % port->queue_room;
    port->queued -= count;
    port->due += port->period;
}

static void count_packet(pw_port *port)
{
    port->send_sequence++;
    port->timestamp += (uint32_t)packet_frames(port);
}

/* The oldest packet is not sent, and the far end learns that by its number, as from a board whose clock went on while
 * the network took nothing. The multiframe goes on, too. */
static void pass_over(pw_port *port)
{
    uint8_t frames[PW_PAYLOAD_MAX];
    take_frames(port, frames);
    e1_engine_pass_over(port->engine, frames, packet_frames(port));
    count_packet(port);
    port->unsent += (int64_t)packet_frames(port);
}

int pw_queue(pw_port *port, const uint8_t *frames, size_t count, int64_t due)
{
    if (due)
        while (count > port->queue_room - port->queued && port->queued >= packet_frames(port))
            pass_over(port); /* the thread, stopped for seconds, has yet to see how late it is */
    if (count > port->queue_room - port->queued)
        return -1;
    port->transmits = 1;
    port->timed = due != 0;
    if (due)
        port->due = due - (int64_t)port->queued * (PW_SECOND / 8000);
    while (count) {
        size_t at = (port->queue_first + port->queued) % port->queue_room;
        size_t run = port->queue_room - at < count ? port->queue_room - at : count;
        memcpy(port->queue + at * E1_FRAME, frames, run * E1_FRAME);
        port->queued += run;
        frames += run * E1_FRAME;
        count -= run;
    }
    return 0;
}

static int next_frames(pw_port *port, int64_t now, uint8_t *frames)
{
    if (!port->transmits) { /* loop timing: one for each that came */
        if (port->owed <= 0)
            return 0;
        port->owed = port->owed > 100 ? 99 : port->owed - 1;
        memset(frames, E1_IDLE, port->payload);
        return 1;
    }
    while (port->timed && port->queued >= packet_frames(port) && now - port->due > PW_STALE)
        pass_over(port);
    if (port->queued < packet_frames(port))
        return 0;
    if (!port->timed && (!port->due || now - port->due > PW_SECOND))
        port->due = now; /* too late to be caught up with, and nobody said that it had to be */
    if (now < port->due)
        return 0;
    take_frames(port, frames);
    return 1;
}

static uint8_t *put16(uint8_t *out, unsigned value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return out + 2;
}

size_t pw_due(pw_port *port, int64_t now, uint8_t *out)
{
    uint8_t frames[PW_PAYLOAD_MAX], *at = out;
    if (!next_frames(port, now, frames))
        return 0;
    if (port->rtp) { /* RFC 4553 4.3.2: the sequence number again; timestamps at 8 kHz */
        at = put16(at, 0x8000 | port->payload_type);
        at = put16(at, port->send_sequence);
        at = put16(put16(at, port->timestamp >> 16), port->timestamp & 0xFFFF);
        at = put16(put16(at, port->ssrc >> 16), port->ssrc & 0xFFFF);
    }
    size_t whole = port->payload + 4 + (port->rtp ? 12 : 0);
    int starved = (port->engine->receiver.outside & E1_ALARM_NO_PACKETS) != 0;
    *at++ = (uint8_t)(starved << 2); /* R bit: packets do not reach us */
    *at++ = whole < 64 ? (uint8_t)whole : 0; /* LEN, for short packets only */
    at = put16(at, port->send_sequence);
    e1_engine_transmit(port->engine, frames, packet_frames(port), at);
    count_packet(port);
    port->sent += (int64_t)packet_frames(port);
    return whole;
}
