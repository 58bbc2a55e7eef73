"""What is wrong with a line, in the words of somebody who has to mend it at the rack.

A finding is what was seen, and what most likely lies behind it. Pure: status in, findings out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from osrec_drivers.line import FRAME_RATE, Alarm, Crc4, LineStatus

Severity = Literal["fault", "warning", "note"]
SLIPS_PER_PPM = FRAME_RATE * 3600 / 1e6  # an hour: 1 ppm is a frame in 125 s
MOST_PPM = 50.0  # off the nominal rate that G.703 9 allows one clock; two of them against each other make twice as much
UNLOCKED_PPM = 0.5  # above it two clocks run freely: a locked one is off by nothing in the long run
MFAS = (0, 0, 1, 0, 1, 1)  # bit 1 of frames 1, 3, 5, 7, 9, 11 of a CRC-4 multiframe, G.704 2.3.3
NETWORK_ERRORS = 1  # packets a minute that are worth a word
NOT_FRAMED = frozenset({Alarm.LOS, Alarm.LOF, Alarm.AIS, Alarm.NO_PACKETS, Alarm.UNPLUGGED})


@dataclass(frozen=True, slots=True)
class Trend:
    """What has lately been counted on a line.

    Attributes:
        hours: that `slips` were counted over, up to 1; 0: not long enough to tell.
        crc_errors, remote_crc_errors, packets_lost, overruns: in the last minute.
        far_multiframe: the far end sends CRC-4 multiframes; None: not looked at.
    """

    hours: float = 0.0
    slips: int = 0
    crc_errors: int = 0
    remote_crc_errors: int = 0
    packets_lost: int = 0
    overruns: int = 0
    far_multiframe: bool | None = None

    @property
    def slips_per_hour(self) -> float | None:
        return None if self.hours == 0.0 else self.slips / self.hours


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Severity
    what: str
    likely: str


_NO_RECEPTION = {
    Alarm.UNPLUGGED: Finding(
        "fault",
        "the board, or the daemon that serves it, is gone",
        "USB cable or power; the daemon has ended; `osrec boards` says what is plugged in",
    ),
    Alarm.NO_PACKETS: Finding(
        "fault",
        "LOS of the packet line: no packets come at all",
        "the gateway is off or sends elsewhere: compare addresses and ports at both ends, then look at the network",
    ),
    Alarm.LOS: Finding(
        "fault",
        "LOS: no signal, nothing but zeros",
        "cable not plugged in, receive pair broken or swapped with the sending one, or the PBX's port not in service;"
        " with a loop plug in our port LOS must go: then port and short cable are sound",
    ),
    Alarm.AIS: Finding(
        "fault",
        "AIS: all ones, and no frames",
        "cable and port are sound; equipment between us and the PBX has lost its own input,"
        " or the PBX's circuit is switched off (DSSU)",
    ),
    Alarm.LOF: Finding(
        "fault",
        "LOF: there is a signal, but no frame alignment in it",
        "the far end is no E1 (T1, unframed, another line code than HDB3), or the cable is so bad that no FAS comes"
        " through: 75 ohm against 120 ohm, too long, wet",
    ),
}
_CAS = {
    Alarm.LMFA16: Finding(
        "fault",
        "LMFA16: no CAS multiframe in time slot 16",
        "the PBX has no CAS on this line: look at the signalling of the trunk in its configuration and in ours",
    ),
    Alarm.AIS16: Finding("fault", "AIS16: all ones in time slot 16", "the far end's signalling unit is out of service"),
    Alarm.RAI16: Finding(
        "warning", "RAI16: the far end has no CAS multiframe of ours", "it expects another signalling than CAS from us"
    ),
}


def findings(status: LineStatus, trend: Trend) -> list[Finding]:
    """All that stands out, the worst first. An empty list: nothing does."""
    found = [*_loop(status), *_reception(status, trend), *_remote(status, trend), *_errors(status, trend)]
    found += [*_slips(status, trend), *_transport(trend)]
    return sorted(found, key=lambda one: ("fault", "warning", "note").index(one.severity))


def sends_multiframe(ts0: bytes) -> bool:
    """Whether CRC-4 multiframes are in these octets of time slot 0: two alignment signals, 2 ms apart, G.706 4.2."""
    bits = [octet >> 7 for octet in ts0]
    return any(all(_signal(bits, at + shift) for shift in (0, 16)) for at in range(len(bits) - 16 - 11))


def _signal(bits: Sequence[int], at: int) -> bool:
    return tuple(bits[at + 1 : at + 12 : 2]) == MFAS


def _loop(status: LineStatus) -> Iterator[Finding]:
    if status.loop == "local":
        yield Finding(
            "warning", "loop local: we receive what we send, nothing of the PBX", "`osrec lines LINE loop off` ends it"
        )
    elif status.loop == "remote":
        yield Finding(
            "warning", "loop remote: the far end gets back what it sends", "`osrec lines LINE loop off` ends it"
        )


def _reception(status: LineStatus, trend: Trend) -> Iterator[Finding]:
    for alarm, finding in _NO_RECEPTION.items():
        if alarm in status.alarms:
            yield finding
            return  # what is below it follows from it
    for alarm, finding in _CAS.items():
        if alarm in status.alarms:
            yield finding
    if status.crc4 is Crc4.INTERWORKING:
        yield Finding(
            "warning",
            "LMFA: FAS found, no CRC-4 multiframe for 400 ms: the far end does not send CRC-4",
            "CRC-4 is switched on here only: switch it on in the PBX, or off here (crc4=0 in the line's spec)",
        )
    elif Alarm.LMFA in status.alarms:
        yield Finding(
            "fault",
            "LMFA: frames are aligned, but the CRC-4 multiframe is lost",
            "many bit errors, or equipment between here and the PBX that rewrites time slot 0",
        )
    elif status.crc4 is Crc4.OFF and trend.far_multiframe:
        yield Finding(
            "warning",
            "the far end sends CRC-4, and we are set to do without it",
            "CRC-4 is switched on in the PBX only: switch it on here (crc4=1 in the line's spec), or off there",
        )


def _remote(status: LineStatus, trend: Trend) -> Iterator[Finding]:
    if Alarm.RAI not in status.alarms or status.alarms & NOT_FRAMED:
        return
    if status.crc4 is Crc4.OFF and trend.far_multiframe:
        likely = "it waits for our CRC-4, see above"
    elif status.crc4 is Crc4.INTERWORKING:
        likely = "CRC-4 is set differently at the two ends, see above; else our sending pair or its receiver"
    else:
        likely = "we receive it well, so: our sending pair is broken or swapped, or its receiver is"
    yield Finding("fault", "RAI: the far end says that it cannot receive us", likely)


def _errors(status: LineStatus, trend: Trend) -> Iterator[Finding]:
    if trend.crc_errors and trend.remote_crc_errors:
        yield Finding(
            "warning",
            f"bit errors in both directions: {trend.crc_errors} errored CRC-4 blocks here and"
            f" {trend.remote_crc_errors} there in the last minute",
            "cable near its end of life or its length, plugs, earth; or clocks that slip",
        )
    elif trend.crc_errors:
        yield Finding(
            "warning",
            f"bit errors towards us: {trend.crc_errors} errored CRC-4 blocks in the last minute",
            "our receive pair, its plugs, or the PBX's sender",
        )
    elif trend.remote_crc_errors:
        yield Finding(
            "warning",
            f"bit errors towards the PBX: it found {trend.remote_crc_errors} errored CRC-4 blocks in the last minute",
            "our sending pair, its plugs, or the PBX's receiver",
        )


def _slips(status: LineStatus, trend: Trend) -> Iterator[Finding]:
    rate, ppm = trend.slips_per_hour, status.ppm
    if rate:
        seen = f"slips: {rate:.1f} an hour" + ("" if ppm is None else f", the far end's clock {ppm:+.1f} ppm off ours")
        yield Finding("warning", seen, _slip_cause(rate, ppm, trend))
    elif ppm is not None and abs(ppm) > 2 * MOST_PPM:
        yield Finding(
            "warning",
            f"the far end's clock is {ppm:+.1f} ppm off ours: more than two sound clocks can be apart (100 ppm)",
            "a broken oscillator, or this computer's clock is not disciplined: look at NTP first",
        )


def _slip_cause(rate: float, ppm: float | None, trend: Trend) -> str:
    if trend.overruns or trend.packets_lost:
        return "octets are lost on their way to us, not by clocks: this computer or the network is too slow"
    if ppm is not None and abs(ppm) > UNLOCKED_PPM and 0.5 < rate / (abs(ppm) * SLIPS_PER_PPM) < 2:
        return (
            "as many as two clocks so far apart make: both ends are clock masters, or neither is;"
            " the PBX must be master (REFTA), board or gateway must take its clock from the line"
        )
    if trend.crc_errors:
        return "they come with bit errors: a bad cable makes the equipment lose count, not the clocks"
    return "the PBX has lost its reference or changes between two (REFTA), or equipment in between has its own clock"


def _transport(trend: Trend) -> Iterator[Finding]:
    if trend.packets_lost >= NETWORK_ERRORS:
        yield Finding(
            "warning",
            f"{trend.packets_lost} packets lost in the last minute",
            "the network between gateway and recorder drops them: a switch port that is full or half duplex, Wi-Fi",
        )
    if trend.overruns:
        yield Finding(
            "warning",
            f"the board dropped octets {trend.overruns} times in the last minute",
            "this computer did not fetch them in time: too busy, or USB behind a hub",
        )
