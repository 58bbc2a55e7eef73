"""CAS in time slot 16, octet by octet and slowly, from G.704 5.1.3.2 and G.732 5.2: the oracle of e1.cas."""

from dataclasses import dataclass, field


def send(abcd: dict[int, int], frames: int, *, remote_alarm: bool = False) -> bytes:
    """Octets of time slot 16 from frame 0 of a multiframe on; what `abcd` leaves out is 1101."""
    signal = {slot: abcd.get(slot, 0b1101) for slot in range(32)}
    first = 0b00001011 | remote_alarm << 2
    return bytes(first if n % 16 == 0 else signal[n % 16] << 4 | signal[n % 16 + 16] for n in range(frames))


@dataclass
class SlowCas:
    """Takes all octets of time slot 16, the first one being sample `sample`."""

    sample: int = 0
    alarms: set[str] = field(default_factory=set)
    changes: list[tuple[str, bool, int]] = field(default_factory=list)
    signals: list[tuple[int, int, int]] = field(default_factory=list)  # slot, abcd, sample at which it was first seen
    abcd: dict[int, int] = field(default_factory=dict)
    losses: int = 0
    frame: int | None = None  # number of the next one in the multiframe
    _before: list[int] = field(default_factory=list)  # octets
    _bad: int = 0
    _y: list[int] = field(default_factory=list)
    _far_alarm: int = 0
    _ais: bool = False
    _history: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # abcd received, with sample
    _told: dict[int, int] = field(default_factory=dict)

    def feed(self, octets: bytes) -> None:
        for octet in octets:
            self._take(octet)

    def _take(self, octet: int) -> None:
        self._before.append(octet)
        if self.frame is not None:
            self._follow(octet, self.frame)
        elif octet >> 4 == 0 and len(self._before) > 1 and self._before[-2]:
            self.frame, self._ais, self._bad = 0, False, 0
            self._follow(octet, 0)
        if len(self._before) % 16 == 0:
            self._ais = self._before[-16:] == [255] * 16
        self.sample += 1
        now = {"ais16"} if self._ais else set()
        if not self._ais and self.frame is None and (len(self._before) >= 32 or self.losses):
            now.add("lmfa16")
        if self.frame is not None and self._far_alarm:
            now.add("rai16")
        for alarm in ("lmfa16", "ais16", "rai16"):
            if (alarm in now) != (alarm in self.alarms):
                self.changes.append((alarm, alarm in now, self.sample))
        self.alarms = now

    def _follow(self, octet: int, frame: int) -> None:
        if self._before[-16:] == [0] * 16:
            self._lose()
            return
        if frame:
            if not self._bad:
                self._signal(frame, octet >> 4)
                self._signal(frame + 16, octet & 15)
        elif octet >> 4:
            self._bad += 1
            if self._bad == 2:
                self._lose()
                return
        else:
            self._bad = 0
            self._y.append(octet >> 2 & 1)
            if len(self._y) >= 3 and len(set(self._y[-3:])) == 1 and self._y[-1] != self._far_alarm:
                self._far_alarm = self._y[-1]
        self.frame = (frame + 1) % 16

    def _signal(self, slot: int, abcd: int) -> None:
        if slot < 16 and not abcd:
            return
        history = self._history.setdefault(slot, [])
        history.append((abcd, self.sample))
        if len(history) < 2 or history[-2][0] != abcd or self.abcd.get(slot) == abcd:
            return
        self.abcd[slot] = abcd
        if self._told.get(slot) != abcd:
            self._told[slot] = abcd
            self.signals.append((slot, abcd, history[-2][1]))

    def _lose(self) -> None:
        self.losses += 1
        self.frame = None
        self._y, self._far_alarm, self._bad = [], 0, 0
        self.abcd, self._history = {}, {}
