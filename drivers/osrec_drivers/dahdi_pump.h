/* Takes what a DAHDI channel gives as it comes, whatever Python does meanwhile: DAHDI keeps 130 ms of a superchannel,
 * we keep seconds. One thread writes the ring, one reads it. No Python in here. */
#pragma once
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { PUMP_BLOCK, PUMP_EVENT, PUMP_FAILED };

typedef struct {
    int kind;
    int value;       /* PUMP_EVENT: its number; PUMP_FAILED: errno; PUMP_BLOCK: blocks lost before it, nobody took them */
    int fresh;       /* no other waited behind it */
    int64_t arrival; /* CLOCK_MONOTONIC, ns */
} pump_item;

typedef struct {
    int fd, stop_fd, told_fd; /* told_fd: readable while there is something to take */
    size_t size;              /* octets of a block */
    size_t room;              /* items */
    unsigned long get_event;  /* ioctl */
    int event_waits;          /* errno that means: fetch the event first */
    pump_item *items;
    uint8_t *octets;
    uint64_t taken, given;    /* items; given - taken of them wait */
    int lost;                 /* blocks since the last one given */
} pump;

static inline int pump_open(pump *p, int fd, size_t size, size_t room)
{
    memset(p, 0, sizeof *p);
    p->fd = fd;
    p->size = size;
    p->room = room;
    p->items = calloc(room, sizeof *p->items);
    p->octets = malloc((room + 1) * size); /* one more: where what finds no room is read to */
    p->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->told_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return p->items && p->octets && p->stop_fd >= 0 && p->told_fd >= 0 ? 0 : -1;
}

static inline void pump_close(pump *p)
{
    free(p->items);
    free(p->octets);
    if (p->stop_fd >= 0)
        close(p->stop_fd);
    if (p->told_fd >= 0)
        close(p->told_fd);
}

static inline int64_t pump_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static inline void pump_signal(int fd)
{
    uint64_t one = 1;
    if (write(fd, &one, sizeof one) < 0)
        return; /* its count is full: it is readable anyway */
}

static inline size_t pump_free(const pump *p)
{
    return p->room - (size_t)(p->given - __atomic_load_n(&p->taken, __ATOMIC_ACQUIRE));
}

static inline void pump_give(pump *p, pump_item item)
{
    p->items[p->given % p->room] = item;
    __atomic_store_n(&p->given, p->given + 1, __ATOMIC_RELEASE);
    pump_signal(p->told_fd);
}

static inline void pump_fetch_event(pump *p)
{
    int event = 0;
    if (ioctl(p->fd, p->get_event, &event) < 0 || !event)
        return;
    if (pump_free(p) > 1) /* else it is one of a flood: what it tells shows otherwise, too */
        pump_give(p, (pump_item){PUMP_EVENT, event, 0, pump_now()});
}

/* All that waits in the channel. Each block is given on when it is known whether another follows. Returns 0, or the
 * errno that ends it all. */
static inline int pump_drain(pump *p)
{
    pump_item held = {PUMP_BLOCK, 0, 0, 0};
    int holds = 0, failed = 0;
    for (;;) {
        int room = pump_free(p) > (size_t)holds + 2; /* an event and the end find room always */
        size_t at = room ? (size_t)((p->given + (uint64_t)holds) % p->room) : p->room;
        ssize_t count = read(p->fd, p->octets + at * p->size, p->size);
        int error = count < 0 ? errno : 0;
        if (holds) {
            held.fresh = error == EAGAIN;
            pump_give(p, held);
            holds = 0;
        }
        if (error == p->event_waits) {
            pump_fetch_event(p);
            continue;
        }
        if (error) {
            failed = error == EAGAIN || error == EINTR ? 0 : error;
            break;
        }
        if ((size_t)count != p->size) { /* another program has set other buffers */
            failed = EPROTO;
            break;
        }
        if (!room) {
            p->lost++;
            continue;
        }
        held = (pump_item){PUMP_BLOCK, p->lost, 0, pump_now()};
        p->lost = 0;
        holds = 1;
    }
    return failed;
}

static inline void pump_run(pump *p)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the main thread's */
    for (;;) {
        struct pollfd waits[2] = {{p->fd, POLLIN | POLLPRI, 0}, {p->stop_fd, POLLIN, 0}};
        if (poll(waits, 2, -1) < 0 && errno != EINTR)
            return;
        if (waits[1].revents)
            return;
        if (waits[0].revents & POLLPRI)
            pump_fetch_event(p);
        int failed = pump_drain(p);
        if (failed) {
            pump_give(p, (pump_item){PUMP_FAILED, failed, 0, pump_now()});
            return;
        }
    }
}
