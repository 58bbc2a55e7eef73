"""A model of DAHDI in the kernel, in place of dahdi_system.Linux: spans in pairs, and time that tests pass.

It behaves as the real driver was seen to in a virtual machine (tests/dahdi, docs/e1-dahdi.md): superchannels, buffers
that fill and drop, events that block reading and writing until they are fetched, alarms, spans that vanish. Time
passes in ticks of 1 ms when a test says so, and each tick waits until whoever has a channel open has done what the
one before made him do: so nothing depends on how fast this machine is.
"""

import contextlib
import errno
import os
import select
import threading
from collections.abc import Iterator
from dataclasses import replace

from osrec_drivers import dahdi_abi as abi
from osrec_drivers.dahdi_abi import Buffers, ChannelParams, Event, Signalling, SpanAlarm
from tests.dahdi_channels import SLOTS, Channel, ModelSpan, new_span

TICK_NS = 1_000_000
PATIENCE = 20.0  # seconds until a test whose line hangs gives up
_CTL = -1  # stands for a channel in descriptors of /dev/dahdi/ctl


class ModelDahdi:
    """Implements dahdi_system.System. Spans 1 and 2 are joined by a cable, 3 and 4, and so on.

    Attributes:
        spans: by number.
        cut: spans whose receive pair is unplugged: no ticks come, as on dahdi_dynamic_loc.
        missed_ticks: so many ticks of a span are lost inside the board, unnoticed by DAHDI.
    """

    pumps = False

    def __init__(self, spans: int = 2, *, loaded: bool = True) -> None:
        self.loaded = loaded
        self.refused_paths: dict[str, int] = {}
        self.spans = {number: new_span(number) for number in range(1, spans + 1)}
        self.cut: set[int] = set()
        self.missed_ticks: dict[int, int] = {}
        self._now = 5_000_000_000
        self._changed = threading.Condition(threading.RLock())
        self._fds: dict[int, Channel | int | None] = {}
        self._next_fd = 1000

    # ---- what tests do ----

    def pass_time(self, milliseconds: int) -> None:
        for _ in range(milliseconds):
            with self._changed:
                self._settle()
                self._now += TICK_NS
                self._tick()
                self._changed.notify_all()
        with self._changed:
            self._settle()

    def alarms(self, span: int, alarms: SpanAlarm) -> None:
        """The board sees them from now on; DAHDI makes events of the first and of the end of the last only."""
        with self._changed:
            there = self.spans[span]
            event = None
            if bool(alarms) != bool(there.status.alarms):
                event = Event.ALARM if alarms else Event.NO_ALARM
            there.status = replace(there.status, alarms=alarms)
            for channel in there.channels:
                if event is not None:
                    channel.events.append(event)
            self._changed.notify_all()

    def count(self, span: int, *, slips: int = 0, **counts: int) -> None:
        """The board counts so much more, by the names in SpanStatus."""
        with self._changed:
            there = self.spans[span]
            there.slips += slips
            there.status = replace(
                there.status, **{name: getattr(there.status, name) + more for name, more in counts.items()}
            )

    @contextlib.contextmanager
    def nobody_reads(self, span: int) -> Iterator[None]:
        """The threads that wait for this span's channels do not get on."""
        with self._changed:
            self._settle()
            for channel in self.spans[span].channels:
                channel.stalled = True
        yield
        with self._changed:
            for channel in self.spans[span].channels:
                channel.stalled = False
            self._changed.notify_all()

    def remove(self, span: int) -> None:
        """The board is unplugged."""
        with self._changed:
            self.spans[span].there = False
            for channel in self.spans[span].channels:
                channel.events.append(Event.REMOVED)
                channel.open = False
            self._changed.notify_all()

    def plug_in(self, span: int) -> None:
        with self._changed:
            self.spans[span] = new_span(span)

    @property
    def open_descriptors(self) -> int:
        return len(self._fds)

    # ---- time ----

    def _tick(self) -> None:
        sent = {number: span.octets() for number, span in self.spans.items() if span.running and span.there}
        for number, span in self.spans.items():
            peer = number + 1 if number % 2 else number - 1
            if not span.running or not span.there or number in self.cut:
                continue
            if self.missed_ticks.get(number):
                self.missed_ticks[number] -= 1
                continue
            silence = dict.fromkeys(range(1, SLOTS + 1), b"\xff" * abi.CHUNK)
            span.take(sent.get(peer, silence))

    def _settle(self) -> None:
        quiet = self._changed.wait_for(lambda: all(map(self._at_rest, self._open_channels())), PATIENCE)
        assert quiet, "a line does not come back to its channel"

    def _open_channels(self) -> list[Channel]:
        return [
            channel
            for channel in self._fds.values()
            if isinstance(channel, Channel) and channel.open and channel.signalling == Signalling.CLEAR
        ]

    def _at_rest(self, channel: Channel) -> bool:
        if channel.stalled:
            return True
        return channel.waits_until is not None and channel.waits_until > self._now and not channel.ready

    # ---- System ----

    def now(self) -> int:
        return self._now

    def open(self, path: str) -> int:
        if path in self.refused_paths:
            raise OSError(self.refused_paths[path], os.strerror(self.refused_paths[path]))
        if not self.loaded or path not in ("/dev/dahdi/ctl", "/dev/dahdi/channel"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        with self._changed:
            self._next_fd += 1
            self._fds[self._next_fd] = _CTL if path.endswith("ctl") else None
            return self._next_fd

    def close(self, fd: int) -> None:
        with self._changed:
            held = self._fds.pop(fd)
            if isinstance(held, Channel):
                held.open = False
                held.waits_until = None
                held.reset()
            self._changed.notify_all()

    def read(self, fd: int, count: int) -> bytes:
        with self._changed:
            channel = self._channel(fd)
            if not channel.full:
                raise _error(errno.EAGAIN)
            return channel.full.popleft()[:count]

    def write(self, fd: int, octets: bytes) -> int:
        with self._changed:
            held = self._fds[fd]
            if isinstance(held, Channel) and held.event_at_write:
                held.events.append(held.event_at_write)
                held.event_at_write = 0
            channel = self._channel(fd)
            if len(channel.to_send) >= channel.buffers.count:
                raise _error(errno.EAGAIN)
            channel.to_send.append(octets[: channel.buffers.size])
            return min(len(octets), channel.buffers.size)

    def _channel(self, fd: int) -> Channel:
        channel = self._fds[fd]
        assert isinstance(channel, Channel), "a channel that SPECIFY has not named"
        if not channel.open:
            raise _error(errno.ENODEV)
        if channel.events:
            raise OSError(abi.ELAST, "Unknown error 500")
        return channel

    def wait(self, fd: int, wake: int, milliseconds: int) -> None:
        with self._changed:
            channel = self._fds[fd]
            assert isinstance(channel, Channel)
            channel.waits_until = self._now + milliseconds * TICK_NS
            self._changed.notify_all()
            while channel.open and (channel.stalled or (not channel.ready and self._now < channel.waits_until)):
                if select.select([wake], [], [], 0)[0]:
                    break
                self._changed.wait(0.005)  # the wake descriptor notifies nobody
            channel.waits_until = None

    def ioctl(self, fd: int, request: int, argument: bytearray) -> None:
        with self._changed:
            held = self._fds[fd]
            if request == abi.SPECIFY:
                self._specify(fd, abi.integer_of(argument))
            elif isinstance(held, Channel):
                self._channel_ioctl(held, request, argument)
            else:
                assert held == _CTL, f"ioctl {request:#x} before SPECIFY"
                self._ctl_ioctl(request, argument)

    def _specify(self, fd: int, number: int) -> None:
        channel = next(
            (channel for span in self._there() for channel in span.channels if channel.number == number), None
        )
        if channel is None:
            raise _error(errno.EINVAL)
        if not channel.signalling:
            raise _error(errno.ENXIO)
        if channel.open or channel.master not in (0, channel.number):
            raise _error(errno.EBUSY)
        channel.open = True
        channel.told_buffers = False
        channel.reset()
        self._fds[fd] = channel

    def _channel_ioctl(self, channel: Channel, request: int, argument: bytearray) -> None:
        if request == abi.GET_EVENT:
            argument[:] = abi.integer(channel.events.popleft() if channel.events else 0)
        elif request == abi.SET_BUFFERS:
            buffers = Buffers.unpack(argument)
            if not 16 <= buffers.size <= 8192 or buffers.count * buffers.size > abi.MAX_SPACE:
                raise _error(errno.EINVAL)
            channel.buffers = buffers
            channel.reset()
        elif request == abi.BUFFER_EVENTS:
            channel.told_buffers = bool(abi.integer_of(argument))
        elif request == abi.SET_AUDIO_MODE:
            if channel.signalling != Signalling.CLEAR:
                raise _error(errno.EINVAL)
        else:
            raise _error(errno.ENOTTY)

    def _ctl_ioctl(self, request: int, argument: bytearray) -> None:
        number = abi.integer_of(argument[:4])
        if request == abi.GET_PARAMS:
            argument[:] = abi.params_answer(self._params(number))
            return
        if request == abi.CHANNEL_CONFIG:
            self._configure_channel(abi.ChannelSetting.unpack(argument))
            return
        span = self.spans.get(number)
        if span is None or not span.there:
            raise _error(errno.EINVAL if request == abi.SPAN_STATUS else errno.ENXIO)
        if request == abi.SPAN_STATUS:
            argument[:] = abi.span_answer(span.status)
        elif request == abi.SPAN_CONFIG:
            if "config" in span.refuses:
                raise _error(errno.EINVAL)
            setting = abi.LineSetting.unpack(argument)
            span.configured.append(setting)
            span.status = replace(span.status, line_config=setting.config, lbo=setting.lbo)
        elif request == abi.STARTUP:
            span.running = True
        else:
            raise _error(errno.ENOTTY)

    def _params(self, number: int) -> ChannelParams:
        for span in self._there():
            for channel in span.channels:
                if channel.number == number:
                    return ChannelParams(number, span.number, channel.slot, channel.signalling)
        raise _error(errno.EINVAL)

    def _configure_channel(self, setting: abi.ChannelSetting) -> None:
        span = next((span for span in self._there() if span.channels[0].number <= setting.channel <= span.last), None)
        if span is None:
            raise _error(errno.EINVAL)
        by_number = {channel.number: channel for channel in span.channels}
        slave = setting.signalling == Signalling.SLAVE
        channel = by_number[setting.channel]
        channel.master = setting.master if slave else channel.number
        channel.signalling = by_number[setting.master].signalling if slave else setting.signalling
        for master in span.channels:
            master.slaves = tuple(
                other for other in span.channels if other.master == master.number and other is not master
            )
        span.status = replace(span.status, configured=sum(1 for channel in span.channels if channel.signalling))

    def _there(self) -> Iterator[ModelSpan]:
        return (span for span in self.spans.values() if span.there)

    def text(self, path: str) -> str:
        with self._changed:
            *_, folder, name = path.split("/")
            if folder == "dahdi" and name.isdigit():
                return self._proc(int(name))
            span = self.spans.get(int(folder.removeprefix("span-") or 0))
            if span is None or not span.there:
                return ""
            return {"channels": f"{span.status.channels}\n", "desc": f"{span.status.description}\n"}.get(name, "")

    def _proc(self, number: int) -> str:
        span = self.spans.get(number)
        if span is None or not span.there:
            return ""
        head = f'Span {number}: {span.status.name} "{span.status.description}" \n'
        slips = f"\tTiming slips: {span.slips}\n" if span.slips else ""
        return (
            head
            + slips
            + "".join(
                f"\t{channel.number:4} {span.status.name}/{channel.slot} Clear {'(In use) ' if channel.open else ''}\n"
                for channel in span.channels
            )
        )

    def names(self, path: str) -> list[str]:
        return [f"span-{span.number}" for span in self._there()] if path == "/sys/bus/dahdi_spans/devices" else []


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number)) if number != errno.EAGAIN else BlockingIOError(number, "again")
