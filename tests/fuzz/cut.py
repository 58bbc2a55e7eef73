"""Fuzz data cut into numbers and pieces, and the other way round for seeds."""


class Cut:
    """Reads fuzz data from its beginning; behind the end all is zero and empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def number(self, below: int) -> int:
        """0 to below - 1, of one octet."""
        return int.from_bytes(self.octets(1)) % below

    def octets(self, count: int) -> bytes:
        """As many as there are, at most `count`."""
        found = self._data[self._at : self._at + count]
        self._at += count
        return found

    def piece(self) -> bytes:
        """Octets behind two that say how many."""
        return self.octets(int.from_bytes(self.octets(2)) % 512)

    def rest(self) -> bytes:
        return self.octets(len(self._data))


def piece(octets: bytes) -> bytes:
    """What `Cut.piece` reads."""
    return len(octets).to_bytes(2) + octets
