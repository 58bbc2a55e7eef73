"""The monitors of one association: devices by cross reference, each with a licence."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from osrec_emulators.cap.licences import LicencePool


class Monitors:
    """Attributes:
    devices: monitored devices by cross reference, the oldest monitor first.
    """

    def __init__(self, licences: LicencePool, cross_ref_octets: int) -> None:
        self.devices: dict[bytes, str] = {}
        self._licences = licences
        self._octets = cross_ref_octets
        self._of: dict[str, list[bytes]] = {}
        self._next = 1  # in each association anew: a client must not believe in those of the last one

    def start(self, device: str, *, silent: bool = False) -> bytes | None:
        """A new cross reference; None when there is no licence for it. `silent`: its filter lets no event pass."""
        if not self._licences.take():
            return None
        cross_ref = self._free()
        self.devices[cross_ref] = device
        if not silent:
            self._of.setdefault(device, []).append(cross_ref)
        return cross_ref

    def stop(self, cross_ref: bytes) -> bool:
        """Whether there was one."""
        device = self.devices.pop(cross_ref, None)
        if device is None:
            return False
        if cross_ref in self._of.get(device, ()):
            self._of[device].remove(cross_ref)
        self._licences.give_back()
        return True

    def stop_all(self) -> None:
        self._licences.give_back(len(self.devices))
        self.devices.clear()
        self._of.clear()

    def of(self, device: str) -> tuple[bytes, ...]:
        """Its monitors."""
        return tuple(self._of.get(device, ()))

    def matching(self, pattern: str) -> list[bytes]:
        return [cross_ref for cross_ref, device in self.devices.items() if fnmatchcase(device, pattern)]

    def beyond_licences(self) -> Iterator[bytes]:
        """The newest ones, until the licences suffice; whoever asks stops each before the next."""
        while self._licences.overdrawn and self.devices:
            yield next(reversed(self.devices))

    def _free(self) -> bytes:
        while True:
            cross_ref = (self._next % (1 << 8 * self._octets)).to_bytes(self._octets, "big")
            self._next += 1
            if cross_ref not in self.devices:
                return cross_ref
