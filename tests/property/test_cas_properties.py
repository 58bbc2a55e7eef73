"""CAS against its oracle, over any octets in time slot 16 and any chunks."""

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from osrec_drivers.e1 import cas
from osrec_drivers.e1.engine import Engine
from osrec_drivers.line import Alarm
from tests.reference import cas as slow
from tests.reference import e1

CAS_ALARMS = {Alarm.LMFA16, Alarm.AIS16, Alarm.RAI16}


@st.composite
def slot_16(draw: st.DrawFn) -> bytes:
    """Multiframes with signals that change, broken off, silent, all ones, or noise in between."""
    dice, octets = random.Random(draw(st.integers(0, 2**32))), b""
    for _ in range(draw(st.integers(1, 8))):
        signals = {slot: dice.randrange(16) for slot in dice.sample(range(1, 32), 6)}
        part = slow.send(signals, draw(st.integers(1, 90)), remote_alarm=draw(st.booleans()))
        kind = draw(st.sampled_from(["whole", "whole", "cut", "zeros", "ones", "noise"]))
        if kind == "cut":
            part = part[draw(st.integers(0, 17)) :]
        elif kind == "zeros":
            part = bytes(len(part))
        elif kind == "ones":
            part = b"\xff" * len(part)
        elif kind == "noise":
            part = bytes(octet ^ (dice.random() < 0.1) * dice.randrange(256) for octet in part)
        octets += part
    return octets


@settings(max_examples=80, deadline=None)
@given(slot_16(), st.lists(st.integers(0, 10_000), max_size=8))
def test_cas_equals_its_oracle(octets: bytes, cuts: list[int]) -> None:
    frames = bytearray(random.Random(9).randbytes(32 * len(octets)))
    frames[16::32] = octets
    line = e1.send(bytes(frames), with_crc4=False)
    engine, oracle = Engine(crc4=False, capacity=1 << 14), slow.SlowCas()
    cas.state(engine)
    edges = sorted({0, len(line), *(cut % (len(line) + 1) for cut in cuts)})
    for begin, end in itertools.pairwise(edges):
        engine.receive(line[begin:end])
    oracle.feed(octets[: engine.head])
    state = cas.state(engine)
    assert engine.head >= len(octets) - 2
    assert state.aligned == (oracle.frame is not None)
    assert {slot: abcd for slot, abcd in enumerate(state.abcd) if abcd is not None} == oracle.abcd
    assert [(change.slot, change.abcd, change.sample) for change in cas.changes(engine)] == oracle.signals
    told = [change for change in engine.changes() if change.alarm in CAS_ALARMS]
    assert [(change.alarm.value, change.raised, change.sample) for change in told] == oracle.changes
    assert engine.snapshot()[4]["cas_multiframe_losses"] == oracle.losses
