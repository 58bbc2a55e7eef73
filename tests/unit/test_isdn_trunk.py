"""A line with a D channel whose far end has a data link, and no more to say."""

from osrec.config_lines import LineSection
from osrec.engine.messages import SignallingChanged
from osrec.isdn.link import DataLink
from osrec.isdn.link_messages import FrameReceived, LinkConfig, LinkEvent, TimerExpired, Transmit
from osrec.recorder.isdn_trunk import IsdnTrunk
from osrec.recorder.trunk_news import News, Unexpected
from osrec.wire.q921.frames import Side, decode, encode
from osrec_drivers.line import FRAME_RATE, Line, open_line

FRAME = bytes([0xD5]) * 32
POLL = 160  # frames


class Silent:
    """The network side's layer 2 on a line: it acknowledges whatever comes and answers nothing."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._channel = line.d_channel()
        self._link = DataLink(LinkConfig())

    def step(self, now: float) -> None:
        for frame in self._channel.receive():
            if frame.error is None:
                self._handle(FrameReceived(decode(frame.octets, Side.USER)), now)
        while self._link.deadline is not None and self._link.deadline <= now:
            self._handle(TimerExpired(), now)
        self._line.transmit(FRAME * POLL)

    def _handle(self, event: LinkEvent, now: float) -> None:
        for output in self._link.handle(event, now):
            if isinstance(output, Transmit):
                self._channel.send(encode(output.frame, Side.NETWORK))


def test_a_pbx_that_does_not_acknowledge_restart_gets_its_calls_through_after_the_patience() -> None:
    ours, theirs = open_line("virtual:silent-restart/a"), open_line("virtual:silent-restart/b")
    section = LineSection.model_validate(
        {"name": "trunk1", "spec": "virtual:silent-restart/a", "ports": ["7101-7130"], "signalling": "dss1"}
    )
    trunk, pbx = IsdnTrunk(section, ours, 0.0, ()), Silent(theirs)
    told: list[tuple[float, News]] = []
    for poll in range(1, 15 * FRAME_RATE // POLL):
        now = poll * POLL / FRAME_RATE
        pbx.step(now)
        told += [(now, news) for news in trunk.step(now)]
    (_, failed), (since, up) = told
    assert isinstance(failed, Unexpected)
    assert failed.key == "signalling-restart:trunk1"
    assert up == SignallingChanged("trunk1", up=True)
    assert 10.0 < since < 10.5, "restart_patience, from when the data link is up"
    assert trunk.up
    trunk.close()
    ours.close()
    theirs.close()
