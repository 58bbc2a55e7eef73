"""Plays a call flow of the library through PBX, CAP server, link and tracker, octet for octet and in virtual time.

A flow is a TOML file in `flows/`: what people do, as an administrator scripts the PBX, and the conversations that
people would say they had. See `flows/README.md` for its keys.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from osrec.calls.changes import Change, Ended, Happened, Merged
from osrec.calls.conversation import Conversation
from osrec.calls.numbering import Site
from osrec.calls.tracker import Tracker
from osrec.csta import messages as link
from osrec.csta.link import Link
from osrec.csta.settings import LinkConfig
from osrec.numbers import Patterns
from osrec.wire.csta.dialect import dialect
from osrec.wire.csta.model import EventReport, Invoke
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.licences import LicencePool
from osrec_emulators.cap.messages import Close, Send
from osrec_emulators.cap.messages import Happened as Carried
from osrec_emulators.cap.session import Session
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.world import World

FLOWS = Path(__file__).parent / "flows"
LINGER = 1.0
AFTERWARDS = 20.0  # seconds that a flow goes on after its last step, unless it says otherwise
TRUNKS = "7801-7804"
PBX: dict[str, Any] = {
    "stations": [{"range": "3100-3109", "names": ["Anna", "Bert", "Cora", "Dora", "Emil", "Fred", "Gina", "Hugo"]}],
    "trunks": [{"range": TRUNKS}],
    "recorder_ports": ["7101-7104"],
}
SITE = Site(country="48", area="22", main="555")
SENT = ("account", "user data", "correlator", "digits")  # details of a step that stand in the golden lines


@dataclass(frozen=True)
class Flow:
    """One file of the library."""

    name: str
    text: dict[str, Any]

    @property
    def monitored(self) -> list[str]:
        return list(self.text["monitored"])

    @property
    def alone(self) -> list[str]:
        """Stations that see the same of the call when they are the only monitored one."""
        return list(self.text.get("alone", ()))

    @property
    def golden(self) -> list[dict[str, Any]]:
        return list(self.text.get("conversation", ()))

    @cached_property
    def groups(self) -> list[str]:
        return list(self.text.get("groups", ()))

    def pbx(self, **changes: Any) -> PbxConfig:
        return PbxConfig.model_validate(PBX | self.text.get("pbx", {}) | {"script": self.text["script"]} | changes)

    def seconds(self, config: PbxConfig) -> float:
        last = 0.0
        for script in config.script:
            at = script.start
            for step in script.steps:
                at = script.start + step.at if step.at is not None else at + (step.after or 0.0)
            last = max(last, at)
        return last + float(self.text.get("afterwards", AFTERWARDS))


def library() -> list[Flow]:
    return [Flow(file.stem, tomllib.loads(file.read_text())) for file in sorted(FLOWS.glob("*.toml"))]


@dataclass
class Seen:
    """What the tracker told of one conversation; spans of talk in seconds, by station."""

    conversation: Conversation
    line: list[str] = field(default_factory=list)
    talks: dict[str, list[list[float]]] = field(default_factory=dict)
    merged: int = 0
    end: str | None = None
    when: float | None = None


class Player:
    """One PBX, one CAP session, one link, one tracker.

    Args:
        encoding: of the CSTA link. monitored: the stations that are, None: those of the flow.
        numbered: event reports carry sequence numbers.
        twice: each event report comes twice.
        backwards: of what monitors report of one moment, the highest station's comes first, each monitor's in order.
        pbx: changes to the PBX.
    """

    def __init__(
        self,
        flow: Flow,
        *,
        encoding: str = "asn1",
        monitored: Sequence[str] | None = None,
        numbered: bool = False,
        twice: bool = False,
        backwards: bool = False,
        **pbx: Any,
    ) -> None:
        config = flow.pbx(**pbx)
        self.world = World(config)
        self.now = 0.0
        self._end = flow.seconds(config)
        stations = tuple(flow.monitored if monitored is None else monitored)
        numbers = count(1)
        self.tracker = Tracker(
            stations,
            Patterns([TRUNKS]),
            ["7101", "7102", "7103", "7104"],
            lambda: UUID(int=next(numbers)),
            site=replace(SITE, **flow.text.get("site", {})),
            groups=Patterns(flow.groups),
            linger=LINGER,
        )
        framing = "xml8" if encoding == "xml" else "be2"
        self._dialect = dialect(encoding, framing)
        self._framing = self._dialect.framing()
        cap = CapConfig.model_validate(
            {"status_interval": 0, "encoding": encoding, "framing": framing, "sequence_numbers": numbered}
        )
        self._twice, self._backwards = twice, backwards
        self._reports: list[tuple[str, EventReport]] = []
        self._session = Session(cap, self.world, LicencePool(None))
        self._link = Link(
            LinkConfig(
                devices=stations,
                associate=encoding == "asn1",
                name=b"AMHOST",
                password=b"77777",
                max_invoke_id=self._dialect.last_invoke_id,
            )
        )
        self.seen: dict[UUID, Seen] = {}

    def play(self) -> list[Seen]:
        """The whole flow; what was seen, in the order in which it began."""
        self._give(link.Connected())
        self._carry(self._session.connected(self.now))
        while self.now < self._end:
            dues = (self.world.deadline, self.tracker.deadline, self._link.deadline)
            self.now = min([self._end, *(max(due, self.now) for due in dues if due is not None)])
            self._carry(self._session.publish(self.world.advance(self.now), self.now))
            if self._link.deadline is not None and self._link.deadline <= self.now:
                self._give(link.TimerExpired())
            self._tell()
            self._take(self.tracker.expire(self.now))
        notes = [str(note) for note in self.world.take_notes()]
        assert not notes, "the PBX could not play the flow: " + "; ".join(notes)
        return list(self.seen.values())

    # --- octets

    def _carry(self, outputs: Sequence[object]) -> None:
        for output in outputs:
            match output:
                case Send(octets):
                    for frame in self._framing.feed(octets):
                        pdu = self._dialect.decode(frame)
                        event = isinstance(pdu, Invoke) and isinstance(pdu.argument, EventReport)
                        for _ in range(2 if event and self._twice else 1):
                            self._give(link.PduReceived(pdu))
                case Carried(occurrences):
                    self._carry(self._session.publish(occurrences, self.now))
                case Close(reason):
                    raise AssertionError(f"the CAP server closed: {reason}")

    def _give(self, event: link.Event) -> None:
        for output in self._link.handle(event, self.now):
            match output:
                case link.Send(pdu):
                    octets = self._framing.encode(self._dialect.encode(pdu))
                    self._carry(self._session.receive(octets, self.now))
                case link.Reported(station, report):
                    assert not report.remarks, report.remarks
                    self._reports.append((station, report))
                    if not self._backwards:
                        self._tell()
                case link.SnapshotTaken(station, legs, calls):
                    self._take(self.tracker.reconcile(station, legs, self.now, calls))
                case link.Close(reason):
                    raise AssertionError(f"the link closed: {reason}")

    def _tell(self) -> None:
        """What was reported of this moment, to the tracker."""
        reports, self._reports = self._reports, []
        for station, report in sorted(reports, key=lambda one: one[0], reverse=True) if self._backwards else reports:
            self._take(self.tracker.handle(station, report.event, self.now))

    # --- what the tracker tells

    def _take(self, changes: list[Change]) -> None:
        for change in changes:
            if isinstance(change, Merged):
                self._merge(change.conversation, change.gone)
            elif isinstance(change, Happened):
                self._of(change.conversation).line.append(self._step(change))
            elif isinstance(change, Ended):
                seen = self._of(change.conversation)
                seen.end, seen.when = change.cause, change.when
        for conversation in self.tracker.conversations.values():
            seen = self._of(conversation)
            for station in self.tracker.monitored:
                self._talk(seen, station, conversation.talking(station) is not None)

    def _of(self, conversation: Conversation) -> Seen:
        return self.seen.setdefault(conversation.id, Seen(conversation))

    def _merge(self, conversation: Conversation, gone: Conversation) -> None:
        into, absorbed = self._of(conversation), self.seen.pop(gone.id)
        into.merged += 1 + absorbed.merged
        into.line += absorbed.line
        for station, spans in absorbed.talks.items():
            into.talks[station] = sorted([*into.talks.get(station, []), *spans])

    def _talk(self, seen: Seen, station: str, talks: bool) -> None:
        spans = seen.talks.setdefault(station, [])
        open_span = bool(spans) and len(spans[-1]) == 1
        if talks and not open_span:
            spans.append([self.now])
            if len(spans) > 1 and spans[-2][1] == self.now:  # two monitors told of one moment
                spans[-2:] = [spans[-2][:1]]
        elif not talks and open_span:
            spans[-1].append(self.now)
            if spans[-1][0] == spans[-1][1]:
                spans.pop()

    def _step(self, change: Happened) -> str:
        device = change.device or "-"
        inside = device == "-" or (len(device) == 4 and device.startswith("3"))  # not a trunk, nor who is behind it
        sent = [f"{key}: {text}" for key, text in change.detail if key in SENT]
        return " ".join([f"{change.kind} {device if inside else 'outside'} {change.cause}", *sent])


def as_golden(seen: Seen) -> dict[str, Any]:
    """What was seen, as the files say it: members that say nothing are left out."""
    one = seen.conversation
    told: dict[str, Any] = {
        "direction": one.direction,
        "answered": one.answered is not None,
        "stations": sorted(one.stations),
        "parties": sorted(_party(party) for party in one.participants.values()),
        "calls": len(one.call_ids),
        "talks": {
            station: [[round(at, 2) for at in span] for span in spans]
            for station, spans in sorted(seen.talks.items())
            if spans
        },
        "end": seen.end,
        "line": seen.line,
    }
    if not told["talks"]:
        del told["talks"]
    others = {
        "merged": seen.merged,
        "failure": one.failure,
        "via": one.via,
        "parked_by": one.parked_by,
        "accounts": one.accounts,
        "digits": one.digits,
        "user_data": [piece.decode("latin-1") for piece in one.user_data],
        "correlators": [piece.decode("latin-1") for piece in one.correlators],
    }
    return told | {key: value for key, value in others.items() if value}


def _party(party: Any) -> str:
    """ "number name", in brackets who is outside, with E.164 behind "=" where it is known."""
    text = f"{party.number} {party.name}" if party.name else party.number
    text = f"[{text}]" if party.external else text
    return f"{text} = {party.e164}" if party.e164 and party.external else text
