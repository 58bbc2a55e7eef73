/* One line's receiver, its ring, its transmitter, and the lock around them.
 *
 * The lock is held for the framing of a burst or the copying of a reader's octets, never longer, and never by one
 * that waits for the interpreter: so no stall of Python delays what the line receives. */
#pragma once
#include "cas.h"
#include "dchannel.h"
#include "receiver.h"
#include "transmitter.h"
#include <pthread.h>

enum { E1_SLOT_QUEUE = 16000 /* two seconds */, E1_LOOP_ROOM = 1 << 16 /* a quarter of one */ };

typedef struct {
    unsigned alarm;
    int raised;
    int64_t sample;
} e1_change;

typedef struct { /* octets that wait to go out on one time slot */
    size_t first, count;
    uint8_t octets[E1_SLOT_QUEUE];
} e1_slot_queue;

typedef enum { E1_LOOP_NONE, E1_LOOP_LOCAL, E1_LOOP_REMOTE } e1_loop_kind;

typedef struct { /* line octets on their way round */
    e1_loop_kind kind;
    size_t first, count;
    uint8_t octets[E1_LOOP_ROOM];
} e1_loop;

typedef struct {
    pthread_mutex_t lock;
    e1_receiver receiver;
    e1_transmitter transmitter;
    e1_ring ring;
    e1_cas cas;
    e1_cas_sender cas_sender;
    e1_dchannel *channels[E1_FRAME]; /* by time slot */
    int channel_count;
    int composed; /* what is given to be sent has been through e1_engine_compose */
    e1_slot_queue *queues[E1_FRAME];
    e1_loop loop;
    e1_change changes[E1_CHANGES]; /* since someone asked; when full the oldest goes */
    size_t change_first, change_count;
} e1_engine;

static inline void e1_engine_changed(void *context, unsigned alarm, int raised, int64_t sample)
{
    e1_engine *engine = context;
    if (engine->change_count == E1_CHANGES) {
        engine->change_first++;
        engine->change_count--;
    }
    engine->changes[(engine->change_first + engine->change_count++) % E1_CHANGES] = (e1_change){alarm, raised, sample};
}

/* ---- who reads a time slot as it comes: CAS and D channels, from the ring ---- */

/* All octets that they have not seen, up to sample `end`, which has been written but perhaps not published yet. */
static inline void e1_engine_read_on(e1_engine *engine, int64_t end)
{
    e1_ring *ring = &engine->ring;
    e1_cas *cas = &engine->cas;
    for (; cas->on && cas->next < end;)
        e1_cas_take(cas, ring->slots[16 * ring->stride + ((size_t)cas->next & (ring->capacity - 1))]);
    for (int slot = 1, left = engine->channel_count; left; slot++) {
        e1_dchannel *channel = engine->channels[slot];
        if (!channel)
            continue;
        left--;
        for (int64_t at = e1_dchannel_next(channel); at < end; at = e1_dchannel_next(channel)) {
            const uint8_t *octets = ring->slots + slot * ring->stride + ((size_t)at & (ring->capacity - 1));
            e1_dchannel_take(channel, octets, e1_ring_run(ring, at, (size_t)(end - at)));
        }
    }
}

static inline void e1_engine_skip(e1_engine *engine, int64_t end, e1_cause cause)
{
    if (engine->cas.on)
        e1_cas_skip(&engine->cas, end, cause != E1_GAP_LOS && cause != E1_GAP_LOF && cause != E1_GAP_AIS);
    for (int slot = 1, left = engine->channel_count; left; slot++)
        if (engine->channels[slot]) {
            e1_dchannel_skip(engine->channels[slot], end);
            left--;
        }
}

static inline void e1_engine_frames(void *context, const uint8_t *frames, size_t count)
{
    e1_ring_write(&((e1_engine *)context)->ring, frames, count);
}

static inline void e1_engine_publish(void *context)
{
    e1_engine *engine = context;
    e1_ring_publish(&engine->ring);
    e1_engine_read_on(engine, engine->ring.head);
}

static inline void e1_engine_gap(void *context, int64_t first, int64_t end, e1_cause cause)
{
    e1_engine *engine = context;
    e1_engine_read_on(engine, first);
    e1_ring_gap(&engine->ring, first, end, cause);
    e1_engine_skip(engine, end, cause);
}

/* ---- life ---- */

static inline int e1_engine_open(e1_engine *engine, const e1_criteria *criteria, int crc4, size_t capacity,
                                 int64_t origin, int wide)
{
    memset(engine, 0, sizeof *engine);
    pthread_mutex_init(&engine->lock, NULL);
    e1_receiver_open(&engine->receiver, criteria, crc4, origin, wide);
    engine->receiver.sink =
        (e1_sink){engine, e1_engine_frames, e1_engine_publish, e1_engine_gap, e1_engine_changed};
    engine->transmitter.crc4 = crc4;
    engine->transmitter.sa = 0x1F;
    engine->cas.context = engine;
    engine->cas.tell = e1_engine_changed;
    return e1_ring_open(&engine->ring, capacity, origin, wide);
}

static inline void e1_engine_close(e1_engine *engine)
{
    e1_ring_close(&engine->ring);
    for (int slot = 0; slot < E1_FRAME; slot++) {
        if (engine->channels[slot])
            e1_dchannel_close(engine->channels[slot]);
        free(engine->queues[slot]);
    }
    pthread_mutex_destroy(&engine->lock);
}

static inline e1_dchannel *e1_engine_open_channel(e1_engine *engine, int slot, uint32_t shortest, uint32_t longest)
{
    e1_dchannel *channel = e1_dchannel_open(shortest, longest, engine->ring.head);
    if (channel) {
        engine->channels[slot] = channel;
        engine->channel_count++;
    }
    return channel;
}

static inline void e1_engine_close_channel(e1_engine *engine, int slot)
{
    e1_dchannel_close(engine->channels[slot]);
    engine->channels[slot] = NULL;
    engine->channel_count--;
}

static inline void e1_engine_begin_cas(e1_engine *engine)
{
    if (!engine->cas.on)
        e1_cas_begin(&engine->cas, &engine->receiver.criteria, engine->ring.head);
}

/* ---- loops ---- */

/* All ones where there is nothing to bring round: a far end that is cut off would send no other, G.775 5.2. */
static inline void e1_loop_push(e1_loop *loop, const uint8_t *octets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (loop->count == E1_LOOP_ROOM) { /* a slip */
            loop->first = (loop->first + 256) % E1_LOOP_ROOM;
            loop->count -= 256;
        }
        loop->octets[(loop->first + loop->count++) % E1_LOOP_ROOM] = octets ? octets[i] : 0xFF;
    }
}

static inline void e1_loop_pull(e1_loop *loop, uint8_t *octets, size_t count)
{
    size_t i = 0;
    for (; i < count && loop->count; i++, loop->count--) {
        octets[i] = loop->octets[loop->first];
        loop->first = (loop->first + 1) % E1_LOOP_ROOM;
    }
    memset(octets + i, 0xFF, count - i);
}

/* What comes round locally comes a little later: packets are taken and sent in turn, so many at a time. */
static inline void e1_loop_set(e1_loop *loop, e1_loop_kind kind)
{
    loop->kind = kind;
    loop->first = loop->count = 0;
    if (kind == E1_LOOP_LOCAL)
        e1_loop_push(loop, NULL, E1_LOOP_ROOM / 8);
}

static inline void e1_engine_receive_own(e1_engine *engine, size_t count)
{
    uint8_t octets[1024];
    while (count) {
        size_t run = count < sizeof octets ? count : sizeof octets;
        e1_loop_pull(&engine->loop, octets, run);
        e1_receive(&engine->receiver, octets, run);
        count -= run;
    }
}

/* ---- the line; all of it under the lock ---- */

static inline void e1_engine_receive(e1_engine *engine, const uint8_t *octets, size_t count)
{
    if (engine->loop.kind == E1_LOOP_LOCAL) {
        e1_engine_receive_own(engine, count);
        return;
    }
    if (engine->loop.kind == E1_LOOP_REMOTE)
        e1_loop_push(&engine->loop, octets, count);
    e1_receive(&engine->receiver, octets, count);
}

static inline void e1_engine_miss(e1_engine *engine, int64_t octets, e1_cause cause)
{
    if (octets <= 0)
        return;
    if (engine->loop.kind == E1_LOOP_LOCAL && octets <= E1_LOOP_ROOM) {
        e1_engine_receive_own(engine, (size_t)octets);
        return;
    }
    if (engine->loop.kind == E1_LOOP_REMOTE)
        e1_loop_push(&engine->loop, NULL, octets < E1_LOOP_ROOM ? (size_t)octets : E1_LOOP_ROOM);
    e1_miss(&engine->receiver, octets, cause);
}

static inline void e1_engine_send_queue(e1_engine *engine, int slot, uint8_t *frames, size_t count)
{
    e1_slot_queue *queue = engine->queues[slot];
    for (size_t i = 0; i < count && queue->count; i++, queue->count--) {
        frames[i * E1_FRAME + slot] = queue->octets[queue->first];
        queue->first = (queue->first + 1) % E1_SLOT_QUEUE;
    }
}

static inline void e1_engine_send_channel(e1_engine *engine, int slot, uint8_t *frames, size_t count)
{
    uint8_t octets[64];
    for (size_t i = 0; i < count;) {
        size_t run = count - i < sizeof octets ? count - i : sizeof octets;
        hdlc_pull(&engine->channels[slot]->encoder, octets, run);
        for (size_t k = 0; k < run; k++)
            frames[(i++) * E1_FRAME + slot] = octets[k];
    }
}

static inline void e1_engine_send_cas(e1_engine *engine, uint8_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        frames[i * E1_FRAME + 16] = e1_cas_octet(&engine->cas_sender, !engine->cas.aligned);
}

/* What the line itself puts into time slots, in place of what the frames have there. */
static inline void e1_engine_fill(e1_engine *engine, uint8_t *frames, size_t count)
{
    for (int slot = 1; slot < E1_FRAME; slot++) {
        if (engine->channels[slot])
            e1_engine_send_channel(engine, slot, frames, count);
        else if (engine->queues[slot] && engine->queues[slot]->count)
            e1_engine_send_queue(engine, slot, frames, count);
    }
    if (engine->cas_sender.on)
        e1_engine_send_cas(engine, frames, count);
}

static inline void e1_engine_write(e1_engine *engine, uint8_t *frames, size_t count)
{
    e1_receiver *r = &engine->receiver;
    e1_backward back = {!r->aligned, r->multiframe, &r->far_errors};
    e1_transmit(&engine->transmitter, &back, frames, count, frames);
}

/* Line octets, for someone to put errors into them before they are sent. */
static inline void e1_engine_compose(e1_engine *engine, const uint8_t *frames, size_t count, uint8_t *out)
{
    memcpy(out, frames, count * E1_FRAME);
    e1_engine_fill(engine, out, count);
    e1_engine_write(engine, out, count);
}

/* `out`: line octets. In a remote loop they are the far end's own and the frames only give the time. */
static inline void e1_engine_transmit(e1_engine *engine, const uint8_t *frames, size_t count, uint8_t *out)
{
    if (engine->composed)
        memcpy(out, frames, count * E1_FRAME);
    else
        e1_engine_compose(engine, frames, count, out);
    if (engine->loop.kind == E1_LOOP_LOCAL)
        e1_loop_push(&engine->loop, out, count * E1_FRAME);
    else if (engine->loop.kind == E1_LOOP_REMOTE)
        e1_loop_pull(&engine->loop, out, count * E1_FRAME);
}

/* These frames are not sent, but their time passes: multiframes go on, D channels and queues wait. */
static inline void e1_engine_pass_over(e1_engine *engine, uint8_t *frames, size_t count)
{
    if (engine->composed)
        return; /* it went on when they were composed */
    e1_engine_write(engine, frames, count);
    engine->cas_sender.frame = (int)((engine->cas_sender.frame + count) % E1_CAS_FRAMES);
}
