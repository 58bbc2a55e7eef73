"""Which keys to look at when no link comes about: told from what the server sent, or did not send."""

import asyncio
from itertools import product

import pytest

from osrec.csta import hints
from osrec.csta.hints import Impression
from osrec.csta.messages import LinkDown
from osrec.csta.settings import LinkConfig, RunnerConfig
from osrec.csta.status import link_status
from osrec.wire.csta.dialect import Dialect, dialect
from osrec.wire.csta.framing import NAMES
from osrec.wire.csta.model import Associated, Invoke, Pdu, Status, SystemStatus
from osrec.wire.csta.recognition import recognise
from tests.unit.test_csta_runner_faults import Site, run

FIRST_WORDS: tuple[Pdu, ...] = (Associated(0), Invoke(1, SystemStatus(Status.NORMAL)))


def spoken(framing: str) -> Dialect:
    return dialect("xml" if framing == "xml8" else "asn1", framing)


def sent(framing: str, pdu: Pdu = FIRST_WORDS[1]) -> bytes:
    said = spoken(framing)
    return said.framing().encode(said.encode(pdu))


def configured(framing: str, port: int = 1, **link: object) -> RunnerConfig:
    encoding = "xml" if framing == "xml8" else "asn1"
    settings = LinkConfig(associate=encoding == "asn1", **link)  # type: ignore[arg-type]
    return RunnerConfig("127.0.0.1", port, framing, encoding=encoding, link=settings, backoff_first=0.01)


def impression(ours: str, *octets: bytes) -> Impression:
    made = Impression(configured(ours))
    made.connected()
    for piece in octets:
        made.octets(piece)
    return made


@pytest.mark.parametrize(("ours", "theirs"), [pair for pair in product(NAMES, NAMES) if pair[0] != pair[1]])
@pytest.mark.parametrize("pdu", FIRST_WORDS, ids=["acse", "rose"])
def test_every_other_framing_is_recognised_by_what_the_server_sends_first(ours: str, theirs: str, pdu: Pdu) -> None:
    if theirs == "xml8":
        pdu = FIRST_WORDS[1]  # an XML server without session has no other first word
    octets = sent(theirs, pdu)
    said = impression(ours, *(octets[at : at + 1] for at in range(len(octets)))).explained("why")
    encodings = ["xml" if framing == "xml8" else "asn1" for framing in (ours, theirs)]
    assert said.startswith(f'why; [csta] framing = "{ours}", encoding = "{encodings[0]}": the first octets ')
    assert f'{octets[:8].hex(" ")} look like framing = "{theirs}", encoding = "{encodings[1]}"' in said
    if theirs != "xml8":
        assert said.endswith("(ACSE)" if isinstance(pdu, Associated) else "(ROSE)")


@pytest.mark.parametrize("framing", NAMES)
def test_what_is_framed_as_configured_gets_no_hint(framing: str) -> None:
    assert impression(framing, sent(framing)).explained("why") == "why"


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (bytes.fromhex("15030300020250"), "15 03 03 00 02 02 50 look like TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n", "look like HTTP"),
        (b"<?xml version='1.0'?><SystemStatus/>", 'encoding = "xml" without any header'),
        (b"\x01\x40<?xml version='1.0'?>", 'encoding = "xml" behind 2 octets of length'),
        (bytes.fromhex("0300000e09d00000123400c1"), 'framing = "tpkt", encoding = "asn1" (COTP)'),
        (b"SSH-2.0-OpenSSH_9.2", "53 53 48 2d 32 2e 30 2d are no CSTA that is known"),
        (b"\0\x2f", "00 2f are no CSTA that is known"),
    ],
)
def test_other_protocols_are_named_and_the_unknown_is_shown(octets: bytes, says: str) -> None:
    assert says in impression("be2", octets).explained("why")


def test_silence_names_all_that_may_cause_it() -> None:
    said = impression("tpkt").explained("why")
    assert said == 'why; nothing came on this connection: look at [csta] framing = "tpkt", encoding = "asn1", and port'


def test_no_hint_is_given_once_a_pdu_was_read_nor_for_a_connection_that_was_never_made() -> None:
    understood = impression("be2", sent("be4"))
    understood.understood()
    assert understood.explained("why") == "why"
    understood.forget()
    assert understood.explained("cannot connect") == "cannot connect"
    understood.connected()
    assert "nothing came" in understood.explained("why")


@pytest.mark.parametrize("octets", [b"", b"\3", b"\0\0\0", b"\x26\x80", b"\xff" * 16])
def test_too_few_octets_and_noise_are_not_recognised(octets: bytes) -> None:
    assert recognise(octets) is None


@pytest.mark.parametrize(
    ("diagnostic", "transient", "session", "says"),
    [
        (13, False, False, " (authentication-failure): look at [csta] name and password"),
        (14, False, False, " (authentication-required): look at [csta] authentication, and [csta] name and password"),
        (2, False, False, " (application-context-name-not-supported): look at [csta] context"),
        (1, True, False, " (no reason given)"),
        (1, False, True, " (invalidApplicationInfo): look at [csta] application and session_info"),
        (2, False, True, " (requestedProtocolVersionNotSupported): look at [csta] edition"),
        (4, True, True, " (maxNumberSessions)"),
    ],
)
def test_a_refusal_names_the_keys_that_it_is_about(diagnostic: int, transient: bool, session: bool, says: str) -> None:
    assert hints.refused(diagnostic, transient=transient, session=session) == says


def test_an_unknown_diagnostic_names_all_keys_of_the_association() -> None:
    said = hints.refused(9, transient=False, session=False)
    assert all(key in said for key in ("context", "version_bits", "reference", "protocol_version", "name", "password"))


# --- over real sockets


class Server(asyncio.Protocol):
    """Sends its first words, whatever comes; without any it hangs up."""

    def __init__(self, first: bytes) -> None:
        self._first = first

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._first)
        if not self._first:
            transport.close()


async def _server(first: bytes) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(lambda: Server(first), "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("be2", "tpkt"), ("be2", "xml8"), ("xml8", "be2"), ("be4", "xml8"), ("tpkt", "be2")]
)
def test_the_alarm_and_the_status_of_a_real_link_name_the_keys(ours: str, theirs: str) -> None:
    async def scenario() -> None:
        server = await _server(sent(theirs))
        port = server.sockets[0].getsockname()[1]
        timers = {"association_timeout": 0.1, "status_timeout": 0.1, "heartbeat_timeout": 0.1}
        async with server, Site(configured(ours, port, **timers)) as site:
            *_, down = await site.until(LinkDown)
            assert isinstance(down, LinkDown)
            assert f'framing = "{ours}"' in down.reason
            assert f'look like framing = "{theirs}"' in down.reason
            status = link_status(site.runner, asyncio.get_running_loop().time())
            assert status["down_reason"] == down.reason

    run(scenario)


def test_a_server_that_closes_without_a_word_is_told_apart_from_one_that_nobody_can_reach() -> None:
    async def scenario() -> None:
        server = await _server(b"")
        port = server.sockets[0].getsockname()[1]
        async with server, Site(configured("siemens", port)) as site:
            *_, down = await site.until(LinkDown)
            assert isinstance(down, LinkDown)
            assert 'nothing came on this connection: look at [csta] framing = "siemens"' in down.reason

    run(scenario)
