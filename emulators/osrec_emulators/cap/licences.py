"""The pool of CAP-A licences: one for each device that a client monitors, shared by all clients."""


class LicencePool:
    """Counts licences.

    Attributes:
        size: licences there are, None without limit.
        used: licences in use.
    """

    def __init__(self, size: int | None) -> None:
        self.size = size
        self.used = 0

    def take(self) -> bool:
        """Whether there was one left."""
        if self.size is not None and self.used >= self.size:
            return False
        self.used += 1
        return True

    def give_back(self, count: int = 1) -> None:
        self.used -= count
