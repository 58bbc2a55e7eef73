/* One line's receiver, its ring, its transmitter, and the lock around them.
 *
 * The lock is held for the framing of a burst or the copying of a reader's octets, never longer, and never by one
 * that waits for the interpreter: so no stall of Python delays what the line receives. */
#pragma once
#include "receiver.h"
#include "transmitter.h"
#include <pthread.h>

typedef struct {
    unsigned alarm;
    int raised;
    int64_t sample;
} e1_change;

typedef struct {
    pthread_mutex_t lock;
    e1_receiver receiver;
    e1_transmitter transmitter;
    e1_ring ring;
    e1_change changes[E1_CHANGES]; /* since someone asked; when full the oldest goes */
    size_t change_first, change_count;
} e1_engine;

static inline void e1_engine_frames(void *context, const uint8_t *frames, size_t count)
{
    e1_ring_write(&((e1_engine *)context)->ring, frames, count);
}

static inline void e1_engine_publish(void *context)
{
    e1_ring_publish(&((e1_engine *)context)->ring);
}

static inline void e1_engine_gap(void *context, int64_t first, int64_t end, e1_cause cause)
{
    e1_ring_gap(&((e1_engine *)context)->ring, first, end, cause);
}

static inline void e1_engine_changed(void *context, unsigned alarm, int raised, int64_t sample)
{
    e1_engine *engine = context;
    if (engine->change_count == E1_CHANGES) {
        engine->change_first++;
        engine->change_count--;
    }
    engine->changes[(engine->change_first + engine->change_count++) % E1_CHANGES] = (e1_change){alarm, raised, sample};
}

static inline int e1_engine_open(e1_engine *engine, const e1_criteria *criteria, int crc4, size_t capacity,
                                 int64_t origin)
{
    memset(engine, 0, sizeof *engine);
    pthread_mutex_init(&engine->lock, NULL);
    e1_receiver_open(&engine->receiver, criteria, crc4, origin);
    engine->receiver.sink =
        (e1_sink){engine, e1_engine_frames, e1_engine_publish, e1_engine_gap, e1_engine_changed};
    engine->transmitter.crc4 = crc4;
    return e1_ring_open(&engine->ring, capacity, origin);
}

static inline void e1_engine_close(e1_engine *engine)
{
    e1_ring_close(&engine->ring);
    pthread_mutex_destroy(&engine->lock);
}

/* Under the lock. */
static inline void e1_engine_transmit(e1_engine *engine, const uint8_t *frames, size_t count, uint8_t *out)
{
    e1_receiver *r = &engine->receiver;
    e1_backward back = {!r->aligned, r->multiframe, &r->far_errors};
    e1_transmit(&engine->transmitter, &back, frames, count, out);
}
