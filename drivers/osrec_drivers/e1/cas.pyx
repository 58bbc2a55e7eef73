"""CAS of an Engine: the far end's abcd bits by time slot, and ours; G.704 5.1.3.2.

Cython over C because the multiframe is followed where the line is framed, under the engine's lock: each change has its
sample number however late it is fetched. The oracle is tests/reference/cas.py.
"""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from osrec_drivers.e1.engine cimport (
    E1_CAS_CHANGES,
    E1_CAS_UNKNOWN,
    E1_CAS_UNUSED,
    Engine,
    e1_cas_change,
    e1_engine,
    e1_engine_begin_cas,
    pthread_mutex_lock,
    pthread_mutex_unlock,
)

from osrec_drivers.errors import LineError
from osrec_drivers.line import CasChange, CasState


cdef int begin(Engine engine) except -1:
    """Look for CAS from now on, if that is not done already."""
    cdef bint used
    with nogil:
        pthread_mutex_lock(&engine.c.lock)
        used = engine.c.channels[16] != NULL
        if not used:
            e1_engine_begin_cas(engine.c)
        pthread_mutex_unlock(&engine.c.lock)
    if used:
        raise LineError("slot 16: a D channel is there, so it cannot carry CAS")
    return 0


def state(Engine engine not None):
    """See Line.cas."""
    cdef uint8_t abcd[32]
    cdef bint aligned
    cdef int spare, i
    begin(engine)
    with nogil:
        pthread_mutex_lock(&engine.c.lock)
        aligned = engine.c.cas.aligned
        spare = engine.c.cas.spare
        memcpy(abcd, engine.c.cas.abcd, 32)
        pthread_mutex_unlock(&engine.c.lock)
    return CasState(
        aligned,
        tuple([None if abcd[i] == E1_CAS_UNKNOWN else <int> abcd[i] for i in range(32)]),
        spare if aligned else None,
    )


def changes(Engine engine not None):
    """See Line.cas_changes."""
    cdef list found = []
    cdef e1_cas_change change
    cdef bint more = True
    begin(engine)
    while more:
        with nogil:
            pthread_mutex_lock(&engine.c.lock)
            more = engine.c.cas.change_count > 0
            if more:
                change = engine.c.cas.changes[engine.c.cas.change_first % <size_t> E1_CAS_CHANGES]
                engine.c.cas.change_first += 1
                engine.c.cas.change_count -= 1
            pthread_mutex_unlock(&engine.c.lock)
        if more:
            found.append(CasChange(change.slot, change.abcd, change.sample))
    return found


def send(Engine engine not None, int slot, int abcd):
    """See Line.send_cas."""
    if not 1 <= slot <= 31 or slot == 16:
        raise ValueError(f"slot {slot}: CAS signals for time slots 1..15 and 17..31 [G.704 5.1.3.2]")
    if not 1 <= abcd <= 15:
        raise ValueError(f"abcd {abcd}: four bits, and 0000 is forbidden, 1..15 [G.704 5.1.3.2]")
    begin(engine)
    with nogil:
        pthread_mutex_lock(&engine.c.lock)
        if not engine.c.cas_sender.on:
            memset(engine.c.cas_sender.abcd, E1_CAS_UNUSED, 32)
            engine.c.cas_sender.on = 1
        engine.c.cas_sender.abcd[slot] = <uint8_t> abcd
        pthread_mutex_unlock(&engine.c.lock)
