"""An E1 span of DAHDI, opened as one superchannel: a single descriptor that carries its time slots frame by frame.

A channel that is the master of others reads and writes their octets along with its own, one of each for every frame.
So no slot can get out of step with the others, which 31 separate channels can: each of those has buffers of its own,
begins on a tick of its own and drops what it must when it must. A buffer holds whole ticks, and DAHDI drops whole
buffers or whole ticks, so that the octets of a frame stay together whatever is lost.
"""

import contextlib
import errno
from dataclasses import dataclass, replace

from osrec_drivers import dahdi_abi as abi
from osrec_drivers.dahdi_abi import Buffers, ChannelSetting, LineConfig, Signalling, SpanStatus
from osrec_drivers.dahdi_spec import DahdiSpec
from osrec_drivers.dahdi_stream import DirectStream, PumpedStream, Stream
from osrec_drivers.dahdi_system import System
from osrec_drivers.errors import LineError, OpenError

BLOCK = 80  # frames in a buffer: 10 ms
BUFFERS = abi.MAX_SPACE // (BLOCK * 31)  # 13, so 130 ms may pass before anybody reads
SLOTS = 31  # time slots 1..31; the board keeps TS0
D_SLOT = 16
_D_BUFFERS = Buffers(32, 1024)  # frames of a D channel that may wait, either way

_CTL = "/dev/dahdi/ctl"
_CHANNEL = "/dev/dahdi/channel"
_SLIPS = "Timing slips:"
_IN_USE = "(In use)"


@dataclass(frozen=True, slots=True)
class SpanPlan:
    """What to tell DAHDI of a span."""

    config: LineConfig
    lbo: int
    timing: int
    channels: tuple[ChannelSetting, ...]

    @property
    def master(self) -> int:
        return self.channels[0].channel


def plan(said: DahdiSpec, channels: dict[int, int]) -> SpanPlan:
    """How the spec wants the span, whose channel numbers are given by time slot."""
    config = LineConfig.CCS | LineConfig.HDB3 | (LineConfig.CRC4 if said.crc4 else LineConfig(0))
    master = channels[1]
    settings = [ChannelSetting(master, Signalling.CLEAR)]
    for slot in range(2, SLOTS + 1):
        if slot == D_SLOT and said.kernel_hdlc:
            settings.append(ChannelSetting(channels[slot], Signalling.HDLC_FCS))
        else:
            settings.append(ChannelSetting(channels[slot], Signalling.SLAVE, master))
    return SpanPlan(config, said.lbo, said.timing, tuple(settings))


class Span:
    """An open span.

    Attributes:
        slots: the time slots whose octets make a frame here, in their order.
        stream: what comes and goes through it, while it is open.
        d_fd: descriptor of the D channel when DAHDI does its HDLC, else None.
    """

    def __init__(self, said: DahdiSpec, system: System) -> None:
        self.said = said
        self.system = system
        self.slots = tuple(slot for slot in range(1, SLOTS + 1) if slot != D_SLOT or not said.kernel_hdlc)
        self.d_fd: int | None = None
        self.stream: Stream | None = None
        self._open: list[int] = []
        try:
            self._ctl = self._descriptor(_CTL)
            self._set_up()
        except OSError as error:
            self.close()
            raise OpenError(f"span {said.span}: {error.strerror}") from error
        except OpenError:
            self.close()
            raise

    # ---- opening ----

    def _descriptor(self, path: str) -> int:
        try:
            fd = self.system.open(path)
        except FileNotFoundError:
            raise OpenError(f"{path} is not there: the kernel module dahdi is not loaded") from None
        except PermissionError:
            raise OpenError(f"{path} may not be opened: it belongs to user and group dahdi") from None
        self._open.append(fd)
        return fd

    def _set_up(self) -> None:
        status = self._checked_status()
        channels = self._channels(status)
        wanted = plan(self.said, channels)
        if self.said.configure != "never":
            self._configure(status, wanted)
        size = BLOCK * len(self.slots)
        master = self._open_channel(wanted.master, Buffers(BUFFERS, size), octets=True)
        pumps = self.system.pumps
        self.stream = PumpedStream(master, size) if pumps else DirectStream(self.system, master, size)
        if self.said.kernel_hdlc:
            self.d_fd = self._open_channel(channels[D_SLOT], _D_BUFFERS, octets=False)

    def _checked_status(self) -> SpanStatus:
        span = self.said.span
        try:
            status = self._ask()
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            raise OpenError(f"span {span}: DAHDI has none; it has {_spans(self.system)}") from None
        if status.channels != SLOTS:
            what = f"{status.channels} channels ({status.kind}, {status.description})"
            raise OpenError(f"span {span} has {what}: an E1 has {SLOTS}")
        if in_use(self.system, span):
            raise OpenError(f"span {span} is in use by another program, as /proc/dahdi/{span} shows")
        return status

    def _channels(self, status: SpanStatus) -> dict[int, int]:
        """Channel numbers by time slot: only a search through all channels tells where those of a span begin."""
        found: dict[int, int] = {}
        for channel in range(1, 1024):  # DAHDI_MAX_CHANNELS
            answer = abi.params_query(channel)
            with contextlib.suppress(OSError):  # no such channel: a span was removed
                self.system.ioctl(self._ctl, abi.GET_PARAMS, answer)
                params = abi.channel_params(answer)
                if params.span == self.said.span:
                    found[params.time_slot] = params.channel
            if len(found) == status.channels:
                return found
        raise OpenError(f"span {self.said.span}: only {len(found)} of its {status.channels} channels are to be found")

    def _configure(self, status: SpanStatus, wanted: SpanPlan) -> None:
        span = self.said.span
        as_wanted = status.line_config == wanted.config and status.lbo == wanted.lbo and status.configured
        if self.said.configure == "always" or not as_wanted:
            setting = abi.LineSetting(span, wanted.config, wanted.lbo, wanted.timing)
            try:
                self.system.ioctl(self._ctl, abi.SPAN_CONFIG, bytearray(setting.pack()))
            except OSError as error:
                told = f"{wanted.config!r}, lbo={wanted.lbo}, timing={wanted.timing}"
                raise OpenError(f"span {span}: {status.description} refuses {told}: {error.strerror}") from None
        for channel in wanted.channels:
            self.system.ioctl(self._ctl, abi.CHANNEL_CONFIG, bytearray(channel.pack()))
        self.system.ioctl(self._ctl, abi.STARTUP, abi.integer(span))

    def _open_channel(self, channel: int, buffers: Buffers, *, octets: bool) -> int:
        fd = self._descriptor(_CHANNEL)
        try:
            self.system.ioctl(fd, abi.SPECIFY, abi.integer(channel))
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            raise OpenError(f"span {self.said.span}: channel {channel} is in use, alone or by another's lead") from None
        if octets:
            self.system.ioctl(fd, abi.SET_AUDIO_MODE, abi.integer(0))  # no gains, echo canceller or conference
        self.system.ioctl(fd, abi.BUFFER_EVENTS, abi.integer(1))
        self.system.ioctl(fd, abi.SET_BUFFERS, bytearray(buffers.pack()))
        return fd

    # ---- while open ----

    def status(self) -> SpanStatus:
        """Raises LineError when it is gone."""
        try:
            return self._ask()
        except OSError as error:
            raise LineError(f"is gone: {error.strerror}", error.errno) from error

    def _ask(self) -> SpanStatus:
        answer = abi.span_query(self.said.span)
        self.system.ioctl(self._ctl, abi.SPAN_STATUS, answer)
        return abi.span_status(answer)

    def slips(self) -> int:
        """Timing slips that the board has counted; /proc alone tells of them."""
        return slips_in(self.system.text(f"/proc/dahdi/{self.said.span}"))

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()
        for fd in self._open:
            with contextlib.suppress(OSError):
                self.system.close(fd)
        self._open.clear()


def slips_in(text: str) -> int:
    """From the text of /proc/dahdi/SPAN, where they stand when there are any."""
    _, found, rest = text.partition(_SLIPS)
    number = rest.split(maxsplit=1)[:1]
    return int(number[0]) if found and number and number[0].isdigit() else 0


def in_use(system: System, span: int) -> bool:
    """Whether a program has a channel of it open."""
    return _IN_USE in system.text(f"/proc/dahdi/{span}")


def _spans(system: System) -> str:
    numbers = sorted(int(name.removeprefix("span-")) for name in system.names("/sys/bus/dahdi_spans/devices"))
    return ", ".join(map(str, numbers)) or "no spans at all"


def since(now: SpanStatus, then: SpanStatus) -> SpanStatus:
    """The counts since then; all of them where the driver was loaded anew meanwhile."""

    def grown(new: int, old: int) -> int:
        return new - old if new >= old else new

    return replace(
        now,
        code_violations=grown(now.code_violations, then.code_violations),
        crc4_errors=grown(now.crc4_errors, then.crc4_errors),
        e_bits=grown(now.e_bits, then.e_bits),
        fas_errors=grown(now.fas_errors, then.fas_errors),
        irq_misses=grown(now.irq_misses, then.irq_misses),
    )
