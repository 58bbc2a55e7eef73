"""The PBX's trunk when forks come and go, frames get lost and the recorder does as it likes: it comes to rest."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from osrec.wire.q921.frames import Side
from osrec_emulators.diun2 import call_events as layer3
from osrec_emulators.diun2.call_events import Dialect
from osrec_emulators.diun2.call_faults import CallFaults, Strikes
from osrec_emulators.diun2.signalling import IsdnSettings
from osrec_emulators.diun2.trunk import IsdnTrunk
from osrec_emulators.diun2.trunk_events import FrameArrived, Start
from osrec_emulators.pbx.media import Fork
from osrec_emulators.pbx.media import Side as Half
from tests.unit.diun2_peer import OTHER, OWN, PLACES, THIRD, Behaviour, Peer, answer, ignore, on_slot, refuse

FORKS = (OWN, OTHER, THIRD, Fork("7104", "3101", Half.OTHER, "02"))
BEHAVIOURS: list[Behaviour] = [answer, ignore, on_slot(17), refuse(17), refuse(44)]
SHARE = Strikes(rate=0.3)

dialects = st.builds(Dialect, st.booleans(), st.sampled_from(Side))
settings_of_trunks = st.builds(
    IsdnSettings,
    dialect=dialects,
    calls=st.sampled_from(["each", "pair"]),
    slots=st.sampled_from(["port", "lowest", "highest"]),
    exclusive=st.booleans(),
    hang_up=st.booleans(),
    attempts=st.integers(1, 3),
    restart=st.sampled_from(["none", "interface", "channels"]),
)
faults = st.builds(
    CallFaults,
    seed=st.integers(0, 99),
    late_release=st.just(SHARE),
    early_release=st.just(SHARE),
    duplicate_setup=st.just(SHARE),
    double_seizure=st.just(SHARE),
    mute=st.just(SHARE),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("forks"), st.sets(st.sampled_from(FORKS))),
        st.tuples(st.just("wait"), st.floats(0.1, 200.0)),
        st.tuples(st.just("lose"), st.integers(1, 6)),
        st.tuples(st.just("behave"), st.integers(0, len(BEHAVIOURS) - 1)),
        st.tuples(st.just("hang up"), st.integers(0, 9)),
        st.tuples(st.just("restart"), st.sampled_from([(), (1,), (2, 17)])),
    ),
    max_size=12,
)


def do(peer: Peer, action: str, value: object) -> None:
    match action, value:
        case "forks", set():
            peer.ports(*sorted(value, key=lambda fork: fork.port))
        case "wait", float():
            peer.until(peer.now + value)
        case "lose", int():
            peer.to_lose = value
        case "behave", int():
            peer.behaviour = BEHAVIOURS[value]
        case "hang up", int() if peer.offered:
            peer.tell(peer.offered[value % len(peer.offered)], layer3.Clear())
        case "restart", tuple():
            peer.restart(*value)


@settings(max_examples=60, deadline=None)
@given(settings_of_trunks, faults, steps)
def test_calls_follow_forks_and_none_is_left_in_the_end(
    how: IsdnSettings, wrong: CallFaults, script: list[tuple[str, object]]
) -> None:
    peer = Peer(how, wrong)
    wanted: set[str] = set()
    for action, value in script:
        do(peer, action, value)
        if action == "forks" and isinstance(value, set):
            wanted = {fork.port for fork in value}
        assert peer.trunk.open.keys() <= wanted
        carried = list(peer.trunk.open.values())
        assert len(carried) == len(set(carried))
        assert set(carried) <= set(PLACES.values())
    peer.to_lose = 0
    peer.ports()
    assert peer.trunk.open == {}
    peer.until(peer.now + 1000.0)
    assert peer.trunk.calls == {}
    assert peer.control.calls == {}
    assert peer.trunk.up
    assert all(call.ended_at is not None and call.by is not None for call in peer.finished())


@settings(max_examples=200, deadline=None)
@given(dialects, st.lists(st.binary(max_size=40), max_size=20))
def test_no_octets_on_the_d_channel_stop_it(dialect: Dialect, frames: list[bytes]) -> None:
    trunk = IsdnTrunk(replace(IsdnSettings(), dialect=dialect), PLACES)
    trunk.handle(Start(), 0.0)
    for frame in frames:
        trunk.handle(FrameArrived(frame), 1.0)
