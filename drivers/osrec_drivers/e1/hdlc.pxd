"""hdlc.h and what belongs to it, for the extensions that carry a D channel."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t


cdef extern from "hdlc.h" nogil:
    int HDLC_LONGEST
    int HDLC_FCS
    void hdlc_setup()
    unsigned hdlc_fcs(const uint8_t *octets, size_t count)


cdef extern from "hdlc_decoder.h" nogil:
    ctypedef enum hdlc_kind:
        HDLC_GOOD
        HDLC_ABORT
        HDLC_BAD_FCS
        HDLC_NOT_OCTETS
        HDLC_LONG
        HDLC_SHORT
        HDLC_KINDS

    ctypedef struct hdlc_event:
        int64_t end
        uint32_t first
        uint32_t count
        hdlc_kind kind

    ctypedef struct hdlc_sink:
        hdlc_event *events
        uint8_t *octets
        size_t events_room
        size_t octets_room
        size_t events_used
        size_t octets_used

    ctypedef struct hdlc_decoder:
        int64_t position
        uint64_t *counts

    void hdlc_decoder_init(hdlc_decoder *d, uint32_t shortest, uint32_t longest, int lsb_first)
    size_t hdlc_feed(hdlc_decoder *d, const uint8_t *octets, size_t count, hdlc_sink *sink)
    void hdlc_skip(hdlc_decoder *d, int64_t count, hdlc_sink *sink)


cdef extern from "hdlc_encoder.h" nogil:
    ctypedef struct hdlc_encoder:
        uint64_t head
        uint64_t tail
        uint64_t frames

    void hdlc_encoder_init(hdlc_encoder *e, int ones, int lsb_first)
    int hdlc_send(hdlc_encoder *e, const uint8_t *octets, size_t count)
    void hdlc_pull(hdlc_encoder *e, uint8_t *octets, size_t count)
