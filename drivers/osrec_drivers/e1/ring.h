/* What a line has received, slot by slot, under sample numbers; and what is missing in it.
 *
 * Sample numbers grow by one a frame. Written samples become visible with e1_ring_publish: a frame whose alignment
 * is in doubt waits until the doubt is gone. */
#pragma once
#include "bits.h"
#include <stdlib.h>
#include <sys/mman.h>

enum { E1_IDLE = 0xD5, E1_GAPS = 8192, E1_CHANGES = 1024 };

typedef enum { /* the order of GapCause in line.py */
    E1_GAP_LOS,
    E1_GAP_LOF,
    E1_GAP_AIS,
    E1_GAP_PACKET_LOSS,
    E1_GAP_NO_PACKETS,
    E1_GAP_REMOTE_FAULT,
    E1_GAP_NOT_LISTENING,
    E1_GAP_OVERRUN,
    E1_GAP_UNPLUGGED,
} e1_cause;

typedef struct {
    int64_t first, count;
    e1_cause cause;
} e1_gap;

typedef struct {
    uint8_t *slots;      /* 32 rows of `stride` octets */
    size_t capacity;     /* samples a slot, a power of two */
    size_t stride;
    int wide;            /* AVX2 may be used */
    int64_t start;       /* sample number of the first sample ever written */
    int64_t tail;        /* after the newest written */
    int64_t head;        /* after the newest published */
    e1_gap gaps[E1_GAPS]; /* in order; only what the ring still holds */
    size_t gap_count;
} e1_ring;

static inline int e1_ring_open(e1_ring *ring, size_t capacity, int64_t start, int wide)
{
    ring->capacity = capacity;
    ring->wide = wide;
    ring->stride = capacity + 192; /* off the power of two, see e1_demux */
    void *pages = mmap(NULL, 32 * ring->stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return -1;
    ring->slots = pages;
    ring->start = ring->tail = ring->head = start;
    ring->gap_count = 0;
    return 0;
}

static inline void e1_ring_close(e1_ring *ring)
{
    if (ring->slots)
        munmap(ring->slots, 32 * ring->stride);
    ring->slots = NULL;
}

static inline int64_t e1_ring_oldest(const e1_ring *ring)
{
    int64_t kept = ring->tail - (int64_t)ring->capacity; /* the unpublished overwrite the oldest, too */
    return kept > ring->start ? kept : ring->start;
}

/* Samples up to the end of the ring's memory. */
static inline size_t e1_ring_run(const e1_ring *ring, int64_t sample, size_t count)
{
    size_t room = ring->capacity - ((size_t)sample & (ring->capacity - 1));
    return count < room ? count : room;
}

static inline void e1_ring_write(e1_ring *ring, const uint8_t *frames, size_t count)
{
    while (count) {
        size_t run = e1_ring_run(ring, ring->tail, count);
        e1_demux(frames, run, ring->slots + ((size_t)ring->tail & (ring->capacity - 1)), ring->stride, ring->wide);
        frames += run * E1_FRAME;
        ring->tail += (int64_t)run;
        count -= run;
    }
}

static inline void e1_ring_publish(e1_ring *ring)
{
    ring->head = ring->tail;
}

static inline void e1_ring_fill(e1_ring *ring, int64_t first, int64_t end)
{
    if (end - first > (int64_t)ring->capacity)
        first = end - (int64_t)ring->capacity;
    while (first < end) {
        size_t run = e1_ring_run(ring, first, (size_t)(end - first));
        for (int slot = 0; slot < E1_FRAME; slot++)
            memset(ring->slots + slot * ring->stride + ((size_t)first & (ring->capacity - 1)), E1_IDLE, run);
        first += (int64_t)run;
    }
}

/* Full: close up the two neighbours nearest to each other. What lay between them is then called missing although
 * it is there; the other way round would be a lie. */
static inline void e1_ring_merge_nearest(e1_ring *ring)
{
    size_t best = 0;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i + 1 < ring->gap_count; i++) {
        int64_t apart = ring->gaps[i + 1].first - (ring->gaps[i].first + ring->gaps[i].count);
        if (apart < least) {
            least = apart;
            best = i;
        }
    }
    e1_gap *left = &ring->gaps[best], *right = left + 1;
    if (right->count > left->count)
        left->cause = right->cause;
    left->count = right->first + right->count - left->first;
    memmove(right, right + 1, (ring->gap_count - best - 2) * sizeof *right);
    ring->gap_count--;
}

static inline void e1_ring_forget_gaps(e1_ring *ring)
{
    int64_t oldest = e1_ring_oldest(ring);
    size_t gone = 0;
    while (gone < ring->gap_count && ring->gaps[gone].first + ring->gaps[gone].count <= oldest)
        gone++;
    ring->gap_count -= gone;
    memmove(ring->gaps, ring->gaps + gone, ring->gap_count * sizeof *ring->gaps);
}

/* Samples first .. end-1 are missing; first may lie among the unpublished, and what was written from there on goes. */
static inline void e1_ring_gap(e1_ring *ring, int64_t first, int64_t end, e1_cause cause)
{
    if (end <= first)
        return;
    e1_ring_fill(ring, first, end);
    ring->tail = end;
    e1_gap *last = ring->gap_count ? &ring->gaps[ring->gap_count - 1] : NULL;
    if (last && last->first + last->count == first && last->cause == cause) {
        last->count += end - first;
    } else {
        e1_ring_forget_gaps(ring);
        if (ring->gap_count == E1_GAPS)
            e1_ring_merge_nearest(ring);
        ring->gaps[ring->gap_count++] = (e1_gap){first, end - first, cause};
    }
    e1_ring_publish(ring);
}

static inline void e1_ring_read(const e1_ring *ring, int slot, int64_t first, size_t count, uint8_t *out)
{
    while (count) {
        size_t run = e1_ring_run(ring, first, count);
        memcpy(out, ring->slots + slot * ring->stride + ((size_t)first & (ring->capacity - 1)), run);
        out += run;
        first += (int64_t)run;
        count -= run;
    }
}

/* Idle code over a slot's samples first .. end-1, as far as they are in memory, the unpublished too. */
static inline void e1_ring_wipe(e1_ring *ring, int slot, int64_t first, int64_t end)
{
    int64_t oldest = e1_ring_oldest(ring);
    first = first > oldest ? first : oldest;
    end = end < ring->tail ? end : ring->tail;
    while (first < end) {
        size_t run = e1_ring_run(ring, first, (size_t)(end - first));
        memset(ring->slots + slot * ring->stride + ((size_t)first & (ring->capacity - 1)), E1_IDLE, run);
        first += (int64_t)run;
    }
}

/* A copy, for the caller to free, of the gaps that touch first .. end-1, clipped to it. */
static inline size_t e1_ring_gaps(const e1_ring *ring, int64_t first, int64_t end, e1_gap **copy)
{
    size_t low = 0, high = ring->gap_count, count = 0;
    while (low < high) { /* the first that ends after `first` */
        size_t middle = (low + high) / 2;
        if (ring->gaps[middle].first + ring->gaps[middle].count <= first)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + count < ring->gap_count && ring->gaps[low + count].first < end)
        count++;
    *copy = count ? malloc(count * sizeof **copy) : NULL;
    if (!*copy)
        return 0;
    memcpy(*copy, ring->gaps + low, count * sizeof **copy);
    for (size_t i = 0; i < count; i++) {
        e1_gap *gap = &(*copy)[i];
        int64_t stop = gap->first + gap->count < end ? gap->first + gap->count : end;
        gap->first = gap->first > first ? gap->first : first;
        gap->count = stop - gap->first;
    }
    return count;
}
