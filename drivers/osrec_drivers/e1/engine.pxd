from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef extern from "<pthread.h>" nogil:
    ctypedef struct pthread_mutex_t:
        pass
    int pthread_mutex_lock(pthread_mutex_t *)
    int pthread_mutex_unlock(pthread_mutex_t *)

cdef extern from "bits.h" nogil:
    void e1_crc4_setup()
    void e1_demux(const uint8_t *frames, size_t count, uint8_t *slots, size_t stride)
    void e1_mux(const uint8_t *slots, size_t stride, size_t count, uint8_t *frames)

cdef extern from "ring.h" nogil:
    int E1_CHANGES
    ctypedef enum e1_cause:
        pass
    ctypedef struct e1_gap:
        int64_t first
        int64_t count
        e1_cause cause
    ctypedef struct e1_ring:
        size_t capacity
        int64_t start
        int64_t head
        e1_gap *gaps
        size_t gap_count
    size_t e1_ring_gaps(const e1_ring *, int64_t first, int64_t end, e1_gap **copy)
    int64_t e1_ring_oldest(const e1_ring *)
    void e1_ring_read(const e1_ring *, int slot, int64_t first, size_t count, uint8_t *out)
    void e1_ring_wipe(e1_ring *, int slot, int64_t first, int64_t end)

cdef extern from "receiver.h" nogil:
    int E1_ALARM_LOS, E1_ALARM_LOF, E1_ALARM_AIS, E1_ALARM_RAI, E1_ALARM_NO_PACKETS
    ctypedef struct e1_criteria:
        int bad_fas
        int bad_nfas
        int crc_blocks
        int crc_bad_blocks
        int multiframe_frames
        int los_zeros
        int los_window
        int los_ones
        int ais_zeros
        int rai_times
        int lof_frames
    ctypedef struct e1_sink:
        void *context
        void (*frames)(void *, const uint8_t *, size_t) noexcept nogil
        void (*publish)(void *) noexcept nogil
        void (*gap)(void *, int64_t, int64_t, e1_cause) noexcept nogil
        void (*changed)(void *, unsigned, int, int64_t) noexcept nogil
    ctypedef struct e1_receive_counters:
        uint64_t frames
        uint64_t fas_errors
        uint64_t crc_errors
        uint64_t remote_crc_errors
        uint64_t losses
    ctypedef struct e1_receiver:
        e1_receive_counters counters
        e1_sink sink
        unsigned alarms
        int aligned
        int multiframe
        int64_t tail
        int64_t next
        int64_t origin
        int far_errors
    void e1_receiver_open(e1_receiver *, const e1_criteria *, int crc4, int64_t origin)
    void e1_receive(e1_receiver *, const uint8_t *octets, size_t count)
    void e1_miss(e1_receiver *, int64_t octets, e1_cause)
    int64_t e1_received_octets(const e1_receiver *)

cdef extern from "transmitter.h" nogil:
    ctypedef struct e1_transmitter:
        int crc4
        int mf
    ctypedef struct e1_backward:
        int remote_alarm
        int multiframe
        int *errors
    void e1_transmit(e1_transmitter *, const e1_backward *, const uint8_t *frames, size_t count, uint8_t *out)

cdef extern from "engine.h" nogil:
    ctypedef struct e1_change:
        unsigned alarm
        int raised
        int64_t sample
    ctypedef struct e1_engine:
        pthread_mutex_t lock
        e1_receiver receiver
        e1_transmitter transmitter
        e1_ring ring
        e1_change *changes
        size_t change_first
        size_t change_count
    int e1_engine_open(e1_engine *, const e1_criteria *, int crc4, size_t capacity, int64_t origin)
    void e1_engine_close(e1_engine *)
    void e1_engine_transmit(e1_engine *, const uint8_t *frames, size_t count, uint8_t *out)

cdef e1_criteria criteria_of(criteria) except *


cdef class Engine:
    cdef e1_engine *c
    cdef readonly bint crc4
    cdef readonly object resume
