"""What can go wrong with a board; the drivers know nothing of the recorder's own errors."""


class DriverError(Exception):
    """Base of all errors of this package."""


class NoSuchDriverError(DriverError):
    """No driver of that name is installed."""


class OpenError(DriverError):
    """The line is absent, busy or refused, or its spec is wrong; the message says which and what would be right."""


class LineError(DriverError):
    """An open line failed.

    Attributes:
        errno: of the system call that failed, or None.
    """

    def __init__(self, message: str, errno: int | None = None) -> None:
        super().__init__(message)
        self.errno = errno
