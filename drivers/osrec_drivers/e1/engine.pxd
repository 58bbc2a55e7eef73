from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef extern from "<pthread.h>" nogil:
    ctypedef struct pthread_mutex_t:
        pass
    int pthread_mutex_lock(pthread_mutex_t *)
    int pthread_mutex_unlock(pthread_mutex_t *)

cdef extern from "bits.h" nogil:
    void e1_crc4_setup()
    int e1_wide()
    void e1_demux(const uint8_t *frames, size_t count, uint8_t *slots, size_t stride, int wide)
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
        uint8_t *slots
        size_t capacity
        size_t stride
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
    int E1_ALARM_LMFA, E1_ALARM_LMFA16, E1_ALARM_AIS16, E1_ALARM_RAI16
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
        int interworking_frames
        int sa_times
        int cas_bad_mfas
        int cas_zero_multiframes
        int ais16_zeros
        int ais16_multiframes
        int rai16_times
        int cas_times
    ctypedef struct e1_sink:
        void *context
        void (*frames)(void *, const uint8_t *, size_t) noexcept nogil
        void (*publish)(void *) noexcept nogil
        void (*gap)(void *, int64_t, int64_t, e1_cause) noexcept nogil
        void (*changed)(void *, unsigned, int, int64_t) noexcept nogil
    ctypedef struct e1_receive_counters:
        uint64_t frames
        uint64_t fas_errors
        uint64_t bit2_errors
        uint64_t crc_errors
        uint64_t remote_crc_errors
        uint64_t losses
        uint64_t slips
    ctypedef struct e1_receiver:
        e1_criteria criteria
        e1_receive_counters counters
        e1_sink sink
        unsigned alarms
        int aligned
        int crc4
        int multiframe
        int interworking
        int sa
        int64_t tail
        int64_t next
        int64_t origin
        int far_errors
    void e1_receiver_open(e1_receiver *, const e1_criteria *, int crc4, int64_t origin, int wide)
    void e1_receive(e1_receiver *, const uint8_t *octets, size_t count)
    void e1_miss(e1_receiver *, int64_t octets, e1_cause)
    int64_t e1_received_octets(const e1_receiver *)

cdef extern from "transmitter.h" nogil:
    ctypedef struct e1_transmitter:
        int crc4
        int sa
        int mf
    ctypedef struct e1_backward:
        int remote_alarm
        int multiframe
        int *errors
    void e1_transmit(e1_transmitter *, const e1_backward *, const uint8_t *frames, size_t count, uint8_t *out)

cdef extern from "hdlc.h" nogil:
    int HDLC_LONGEST
    void hdlc_setup()

cdef extern from "hdlc_decoder.h" nogil:
    ctypedef enum hdlc_kind:
        HDLC_GOOD, HDLC_ABORT, HDLC_BAD_FCS, HDLC_NOT_OCTETS, HDLC_LONG, HDLC_SHORT, HDLC_KINDS
    ctypedef struct hdlc_event:
        int64_t end
        uint32_t first
        uint32_t count
        hdlc_kind kind
    ctypedef struct hdlc_sink:
        hdlc_event *events
        uint8_t *octets
        size_t events_used
        size_t octets_used
    ctypedef struct hdlc_decoder:
        uint64_t *counts

cdef extern from "hdlc_encoder.h" nogil:
    ctypedef struct hdlc_encoder:
        uint64_t frames
    int hdlc_send(hdlc_encoder *, const uint8_t *octets, size_t count)

cdef extern from "dchannel.h" nogil:
    ctypedef struct e1_dchannel:
        int64_t start
        hdlc_decoder decoder
        hdlc_encoder encoder
        hdlc_sink sink
        uint64_t overruns
        uint64_t refused
    size_t e1_dchannel_fetch(e1_dchannel *, hdlc_event **events, uint8_t **octets)

cdef extern from "cas.h" nogil:
    int E1_CAS_CHANGES, E1_CAS_UNKNOWN, E1_CAS_UNUSED
    ctypedef struct e1_cas_change:
        int slot
        uint8_t abcd
        int64_t sample
    ctypedef struct e1_cas:
        e1_criteria criteria
        int on
        unsigned alarms
        uint64_t losses
        int aligned
        int spare
        uint8_t *abcd
        e1_cas_change *changes
        size_t change_first
        size_t change_count
    ctypedef struct e1_cas_sender:
        int on
        uint8_t *abcd

cdef extern from "engine.h" nogil:
    int E1_SLOT_QUEUE
    ctypedef enum e1_loop_kind:
        E1_LOOP_NONE, E1_LOOP_LOCAL, E1_LOOP_REMOTE
    ctypedef struct e1_slot_queue:
        size_t first
        size_t count
        uint8_t *octets
    ctypedef struct e1_loop:
        e1_loop_kind kind
        size_t first
        size_t count
    ctypedef struct e1_change:
        unsigned alarm
        int raised
        int64_t sample
    ctypedef struct e1_engine:
        pthread_mutex_t lock
        int composed
        e1_receiver receiver
        e1_transmitter transmitter
        e1_ring ring
        e1_cas cas
        e1_cas_sender cas_sender
        e1_dchannel **channels
        e1_slot_queue **queues
        e1_loop loop
        e1_change *changes
        size_t change_first
        size_t change_count
    int e1_engine_open(e1_engine *, const e1_criteria *, int crc4, size_t capacity, int64_t origin, int wide)
    void e1_engine_close(e1_engine *)
    void e1_loop_set(e1_loop *, e1_loop_kind)
    e1_dchannel *e1_engine_open_channel(e1_engine *, int slot, uint32_t shortest, uint32_t longest)
    void e1_engine_close_channel(e1_engine *, int slot)
    void e1_engine_begin_cas(e1_engine *)
    void e1_engine_receive(e1_engine *, const uint8_t *octets, size_t count)
    void e1_engine_miss(e1_engine *, int64_t octets, e1_cause)
    void e1_engine_compose(e1_engine *, const uint8_t *frames, size_t count, uint8_t *out)
    void e1_engine_transmit(e1_engine *, const uint8_t *frames, size_t count, uint8_t *out)

cdef e1_criteria criteria_of(criteria) except *
cdef int check_slot(int slot) except -1


cdef class Engine:
    cdef e1_engine *c
    cdef readonly bint crc4
    cdef readonly object resume
