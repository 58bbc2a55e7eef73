/* The thread of one pseudowire: every 5 ms it takes what has come, sends what is due, and sleeps again. */
#pragma once
#include "pseudowire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PW_BATCH = 64 };
#define PW_SWEEP (5 * PW_SECOND / 1000)

typedef struct {
    struct mmsghdr messages[PW_BATCH];
    struct iovec vectors[PW_BATCH];
    struct sockaddr_storage sources[PW_BATCH];
    union {
        struct cmsghdr align;
        uint8_t octets[CMSG_SPACE(sizeof(struct timespec))];
    } control[PW_BATCH];
    uint8_t datagrams[PW_BATCH][PW_DATAGRAM + 1]; /* one more: too long shows */
    struct mmsghdr out_messages[PW_BURST];
    struct iovec out_vectors[PW_BURST];
    uint8_t out[PW_BURST][PW_DATAGRAM];
} pw_buffers;

static int64_t pw_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * PW_SECOND + t.tv_nsec;
}

static int pw_same_source(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family != b->ss_family)
        return 0;
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *x = (const void *)a, *y = (const void *)b;
        return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
    }
    const struct sockaddr_in6 *x = (const void *)a, *y = (const void *)b;
    return x->sin6_port == y->sin6_port && memcmp(&x->sin6_addr, &y->sin6_addr, 16) == 0;
}

/* When the kernel took the packet, on the monotonic clock: packets may have waited in the socket for long. */
static int64_t pw_arrival(const pw_port *port, struct msghdr *header, int64_t now, int64_t wall_ahead)
{
    int64_t arrival = now;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            arrival = t.tv_sec * PW_SECOND + t.tv_nsec - wall_ahead;
        }
    if (arrival > now)
        return now;
    return arrival < port->swept ? port->swept : arrival; /* the wall clock was set meanwhile */
}

static void pw_take_batch(pw_port *port, pw_buffers *b, int count, int64_t now)
{
    int64_t wall_ahead = pw_clock(CLOCK_REALTIME) - pw_clock(CLOCK_MONOTONIC);
    for (int i = 0; i < count; i++) {
        struct msghdr *header = &b->messages[i].msg_hdr;
        int silent = port->engine->receiver.outside & E1_ALARM_NO_PACKETS;
        if (!port->remote_given && (!port->remote_length || silent)
            && pw_is_ours(port, b->datagrams[i], b->messages[i].msg_len)) { /* who speaks first, and anew after silence */
            port->remote = b->sources[i];
            port->remote_length = header->msg_namelen;
        }
        if (!port->remote_length || !pw_same_source(&b->sources[i], &port->remote)) {
            port->counters.malformed++;
            continue;
        }
        pw_take(port, b->datagrams[i], b->messages[i].msg_len, pw_arrival(port, header, now, wall_ahead));
    }
}

static void pw_receive_all(pw_port *port, pw_buffers *b)
{
    int count;
    do {
        for (int i = 0; i < PW_BATCH; i++) {
            b->messages[i].msg_hdr.msg_namelen = sizeof b->sources[i];
            b->messages[i].msg_hdr.msg_controllen = sizeof b->control[i];
        }
        count = recvmmsg(port->fd, b->messages, PW_BATCH, MSG_DONTWAIT, NULL);
        if (count < 0 && (errno == EBADF || errno == ENOTSOCK)) /* all else may pass: silence is an alarm anyway */
            port->failed = errno;
        int64_t now = pw_clock(CLOCK_MONOTONIC);
        pthread_mutex_lock(&port->engine->lock);
        if (count > 0)
            pw_take_batch(port, b, count, now);
        if (count < PW_BATCH) { /* nothing waits any more, so the clock may speak */
            pw_tick(port, now);
            port->swept = now;
        }
        pthread_mutex_unlock(&port->engine->lock);
    } while (count == PW_BATCH && !__atomic_load_n(&port->stopping, __ATOMIC_RELAXED));
}

static void pw_send_due(pw_port *port, pw_buffers *b)
{
    unsigned count = 0;
    int64_t now = pw_clock(CLOCK_MONOTONIC);
    pthread_mutex_lock(&port->engine->lock);
    while (count < PW_BURST && port->remote_length) {
        size_t length = pw_due(port, now, b->out[count]);
        if (!length)
            break;
        b->out_vectors[count].iov_len = length;
        b->out_messages[count].msg_hdr.msg_namelen = port->remote_length;
        count++;
    }
    pthread_mutex_unlock(&port->engine->lock);
    for (unsigned done = 0; done < count;) { /* one the network refuses is lost, as it might be further on */
        int sent = sendmmsg(port->fd, b->out_messages + done, count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        done += sent > 0 ? (unsigned)sent : 1;
    }
}

static void pw_buffers_setup(pw_port *port, pw_buffers *b)
{
    memset(b, 0, sizeof *b);
    for (int i = 0; i < PW_BATCH; i++) {
        b->vectors[i] = (struct iovec){b->datagrams[i], sizeof b->datagrams[i]};
        b->messages[i].msg_hdr =
            (struct msghdr){.msg_name = &b->sources[i], .msg_iov = &b->vectors[i], .msg_iovlen = 1,
                            .msg_control = b->control[i].octets};
    }
    for (int i = 0; i < PW_BURST; i++) {
        b->out_vectors[i].iov_base = b->out[i];
        b->out_messages[i].msg_hdr =
            (struct msghdr){.msg_name = &port->remote, .msg_iov = &b->out_vectors[i], .msg_iovlen = 1};
    }
}

void pw_run(pw_port *port)
{
    pw_buffers *buffers = malloc(sizeof *buffers);
    if (!buffers) {
        port->failed = ENOMEM;
        return;
    }
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the main thread's */
    pw_buffers_setup(port, buffers);
    int64_t next = pw_clock(CLOCK_MONOTONIC);
    while (!__atomic_load_n(&port->stopping, __ATOMIC_RELAXED) && !port->failed) {
        pw_receive_all(port, buffers);
        pw_send_due(port, buffers);
        int64_t now = pw_clock(CLOCK_MONOTONIC);
        next = next + PW_SWEEP > now ? next + PW_SWEEP : now;
        struct timespec rest = {(next - now) / PW_SECOND, (next - now) % PW_SECOND};
        struct pollfd wake = {port->wake_fd, POLLIN, 0};
        ppoll(&wake, 1, &rest, NULL);
    }
    free(buffers);
}

void pw_stop(pw_port *port)
{
    uint64_t one = 1;
    __atomic_store_n(&port->stopping, 1, __ATOMIC_RELAXED);
    if (write(port->wake_fd, &one, sizeof one) < 0)
        return; /* then it stops at its next sweep */
}

void pw_remote(pw_port *port, int family, const uint8_t *address, int udp_port, unsigned scope)
{
    if (family == AF_INET) {
        struct sockaddr_in *to = (void *)&port->remote;
        to->sin_family = AF_INET;
        to->sin_port = htons((uint16_t)udp_port);
        memcpy(&to->sin_addr, address, 4);
        port->remote_length = sizeof *to;
    } else {
        struct sockaddr_in6 *to = (void *)&port->remote;
        to->sin6_family = AF_INET6;
        to->sin6_port = htons((uint16_t)udp_port);
        to->sin6_scope_id = scope;
        memcpy(&to->sin6_addr, address, 16);
        port->remote_length = sizeof *to;
    }
    port->remote_given = 1;
}
