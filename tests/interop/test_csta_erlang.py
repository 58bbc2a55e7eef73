"""Our CSTA codec and Erlang/OTP's asn1, a compiler of its own descent, on the same module and the same octets.

Erlang does not take IMPLICIT tags over a CHOICE; the three places are rewritten here into what they mean on the wire.
Needs Debian's erlang-base and erlang-asn1.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings

from osrec.wire.csta import codec, model, schema
from osrec.wire.csta.causes import EVENT_CAUSES
from osrec.wire.csta.kinds import EventType
from osrec.wire.csta.members import EVENT_TYPES, IN_SERVICE_TYPES
from osrec.wire.csta.model import EventReport, Invoke, ReturnResult, UnknownArgument
from osrec.wire.csta.results import write_result
from osrec.wire.csta.services import write_argument
from tests.property.test_csta_xml_properties import ARGUMENTS, EVENTS, RESULTS, reports_of

PEER = Path(__file__).parent / "csta_peer.escript"
IMPLICIT_OVER_CHOICE = ("[2] IMPLICIT ConnectionID", "[0] IMPLICIT ConnectionID", "[3] IMPLICIT SubjectDeviceID")
ARGUMENT_TYPES = {
    5: "ClearConnectionArgument",
    10: "MakeCallArgument",
    20: "SingleStepConfArgument",
    21: "CSTAEventReportArgument",
    71: "MonitorStartArgument",
    73: "MonitorStopArgument",
    74: "SnapshotDeviceArgument",
    75: "SnapshotCallArgument",
    76: "SnapshotCallDataArgument",
    77: "SnapshotDeviceDataArgument",
    207: "SystemRegisterArgument",
    210: "RequestSysStatArg",
    211: "SystemStatusArg",
    223: "JoinCallArgument",
}
RESULT_TYPES = {
    10: "MakeCallResult",
    20: "ConferenceResult",
    71: "MonitorStartResult",
    74: "SnapshotDeviceResult",
    75: "SnapshotCallResult",
    207: "SystemRegisterResult",
    210: "RequestSysStatRes",
    223: "ConferenceResult",
}
CATEGORIES = {0: "callControlEvents", 1: "callAssociatedEvents", 5: "deviceMaintenanceEvents"}


def module_for_erlang() -> str:
    """csta3.asn1 with [n] over the CHOICE itself, in place of the tag that IMPLICIT would have replaced."""
    text = schema.text()
    for place in IMPLICIT_OVER_CHOICE:
        assert text.count(place) == 1, place
        text = text.replace(place, place.replace("IMPLICIT ", "Untagged"))
    for name in ("ConnectionID", "SubjectDeviceID"):
        text, count = re.subn(
            rf"\n{name}(\s+::= )(\[APPLICATION \d+\]) CHOICE",
            rf"\n{name}\1\2 Untagged{name}\nUntagged{name}\1CHOICE",
            text,
        )
        assert count == 1, name
    return text


class Peer:
    """The Erlang process; one line out, one line in."""

    def __init__(self, directory: Path) -> None:
        escript = shutil.which("escript")
        if escript is None:
            pytest.fail("no escript: install Debian's erlang-base and erlang-asn1")
        self._process = subprocess.Popen(
            [escript, str(PEER), str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="latin-1"
        )
        self._expect("ready")

    def _expect(self, first: str) -> list[str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        words = line.split(" ", 2)
        assert words[0].strip() == first, f"{line!r}; if asn1ct is not there, install Debian's erlang-asn1"
        return words

    def ask(self, *words: str) -> tuple[bytes, str]:
        """Octets and the value as Erlang prints it."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        _, octets, term = self._expect("ok")
        return bytes.fromhex(octets), term

    def check(self, type_name: str, octets: bytes) -> tuple[bytes, str]:
        return self.ask("check", type_name, octets.hex())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(30) == 0


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    directory = tmp_path_factory.mktemp("erlang")
    (directory / "CSTA3-Core.asn1").write_text(module_for_erlang(), encoding="ascii")
    erlang = Peer(directory)
    yield erlang
    erlang.close()


def _body(pdu: Invoke | ReturnResult) -> tuple[str, bytes]:
    """The type and the octets of what a PDU carries."""
    if isinstance(pdu, Invoke):
        opcode, octets = write_argument(pdu.argument)
        return ARGUMENT_TYPES[opcode], octets
    answered, octets = write_result(pdu.result, pdu.opcode)
    assert answered is not None
    return RESULT_TYPES[answered], octets


def _agree(peer: Peer, pdu: Invoke | ReturnResult) -> str:
    """Erlang reads what we wrote, writes the same, and we read that as the same; returns the value as Erlang has it."""
    envelope, _ = peer.check("RosePdu", codec.encode(pdu))
    assert envelope == codec.encode(pdu)
    type_name, octets = _body(pdu)
    again, term = peer.check(type_name, octets)
    assert again == octets
    return term


once = settings(max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.generate])


@pytest.mark.parametrize(
    "kind", [kind for kind in ARGUMENTS if kind not in (model.Escape, EventReport)], ids=lambda kind: kind.__name__
)
def test_erlang_reads_and_writes_our_arguments_octet_for_octet(peer: Peer, kind: type[model.Argument]) -> None:
    @once
    @given(ARGUMENTS[kind])
    def agree(argument: model.Argument) -> None:
        _agree(peer, Invoke(1, _only_known_values(argument)))

    agree()


@pytest.mark.parametrize("kind", [kind for kind in RESULTS if kind is not model.NoData], ids=lambda kind: kind.__name__)
def test_erlang_reads_and_writes_our_results_octet_for_octet(peer: Peer, kind: type[model.Result]) -> None:
    @once
    @given(RESULTS[kind])
    def agree(result: ReturnResult) -> None:
        _agree(peer, result)

    agree()


def _only_known_values(argument: model.Argument) -> model.Argument:
    """Erlang refuses a value that an enumeration does not list; we keep it (test_csta_codec.py)."""
    if isinstance(argument, model.SystemStatus):
        return model.SystemStatus(argument.status % 9)
    return argument


def _with_known_cause(report: EventReport) -> EventReport:
    cause = report.event.cause
    if cause is None:
        return report
    known = sorted(EVENT_CAUSES)
    return replace(report, event=replace(report.event, cause=known[cause % len(known)]))


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_erlang_reads_and_writes_our_events_octet_for_octet(peer: Peer, kind: type[model.Event]) -> None:
    @once
    @given(reports_of(kind))
    def agree(report: EventReport) -> None:
        known = _with_known_cause(report)
        term = _agree(peer, Invoke(1, known))
        if known.event.cause is not None:
            assert EVENT_CAUSES[known.event.cause] in term

    agree()


@pytest.mark.parametrize("kind", [*EVENT_TYPES, *IN_SERVICE_TYPES], ids=lambda kind: kind.name)
def test_we_read_what_erlang_makes_of_every_event(peer: Peer, kind: EventType) -> None:
    """With every optional member that we only pass over: tags and order of the tables in members.py are right."""
    for _ in range(15):
        octets, term = peer.ask("event", CATEGORIES[kind.category], kind.name, _event_type(kind))
        pdu, remarks = codec.decode_with_remarks(_invoke(21, octets))
        assert remarks == (), term
        assert isinstance(pdu, Invoke)
        report = pdu.argument
        assert isinstance(report, EventReport), (report, term)
        assert type(report.event) is kind.value
        if report.event.cause is not None:
            assert EVENT_CAUSES[report.event.cause] in term
        _agree(peer, Invoke(1, report))


def _event_type(kind: EventType) -> str:
    if kind.value is model.InService:
        return "ServiceStateEvent"
    return kind.name[0].upper() + kind.name[1:] + "Event"


def _invoke(opcode: int, argument: bytes) -> bytes:
    return codec.encode(Invoke(1, UnknownArgument(opcode, argument)))


@pytest.mark.parametrize("opcode", [opcode for opcode in ARGUMENT_TYPES if opcode != 21])
def test_we_read_what_erlang_makes_of_every_argument(peer: Peer, opcode: int) -> None:
    for _ in range(15):
        octets, term = peer.ask("make", ARGUMENT_TYPES[opcode])
        pdu = codec.decode(_invoke(opcode, octets))
        assert isinstance(pdu, Invoke)
        if "callObject" in term:  # we monitor devices, never calls, and say so
            assert isinstance(pdu.argument, UnknownArgument)
            assert pdu.argument.reason == "monitorStart of a call, only devices are monitored"
            continue
        assert not isinstance(pdu.argument, UnknownArgument), (pdu.argument, term)
        _agree(peer, pdu)


@pytest.mark.parametrize("opcode", RESULT_TYPES)
def test_we_read_what_erlang_makes_of_every_result(peer: Peer, opcode: int) -> None:
    for _ in range(15):
        octets, term = peer.ask("make", RESULT_TYPES[opcode])
        sent = codec.encode(ReturnResult(1, UnknownArgument(opcode, octets), opcode))
        pdu = codec.decode(sent)
        assert isinstance(pdu, ReturnResult)
        assert not isinstance(pdu.result, UnknownArgument), (pdu.result, term)
        _agree(peer, pdu)


@pytest.mark.parametrize("version", [(b"\x10\x00", 16), (b"\x10", 4)], ids=["fixed", "trimmed"])
@pytest.mark.parametrize("reference", [None, "1.3.12.0.285.200"])
@pytest.mark.parametrize("name", [None, b"AMHOST"])
def test_erlang_understands_our_associations(
    peer: Peer, version: tuple[bytes, int], reference: str | None, name: bytes | None
) -> None:
    pdu = model.Associate(name=name, password=b"77777" if name else None, version=version, reference=reference)
    octets, term = peer.check("AcsePdu", codec.encode(pdu))
    assert "{newDefinition," in term
    assert "[versionFour]" in term
    assert ('<<"AMHOST">>' in term) is (name is not None)
    trimmed = replace(pdu, version=(b"\x10", 4))  # Erlang sends named bits without trailing zeros (X.690 11.2.2)
    assert codec.decode(octets) == trimmed


def test_erlang_understands_our_answers_to_associations(peer: Peer) -> None:
    answers: tuple[model.Pdu, ...] = (
        model.Associated(0, 0, stamp=b"AMOS", system_version=b"1", version=(b"\x10", 4)),
        model.Associated(1, 13),
        model.Release(0),
        model.Released(),
        model.Abort(1, 5),
    )
    for pdu in answers:
        octets, _ = peer.check("AcsePdu", codec.encode(pdu))
        assert codec.decode(octets) == pdu


def test_we_read_the_associations_that_erlang_makes_up(peer: Peer) -> None:
    kinds: dict[str, type[model.Pdu]] = {
        "aarq": model.Associate,
        "aare": model.Associated,
        "rlrq": model.Release,
        "rlre": model.Released,
        "abrt": model.Abort,
    }
    for _ in range(60):
        octets, term = peer.ask("make", "AcsePdu")
        name = term[1:5]
        assert type(codec.decode(octets)) is kinds[name], term
