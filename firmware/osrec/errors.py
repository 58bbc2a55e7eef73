"""Errors, by who must act on them."""


class OsrecError(Exception):
    """Base of all errors of the recorder."""


class ProtocolError(OsrecError):
    """The peer broke a rule: count it and go on.

    Attributes:
        clause: of the standard that says what would be right, or "".
    """

    def __init__(self, message: str, clause: str = "") -> None:
        super().__init__(f"{message} [{clause}]" if clause else message)
        self.clause = clause


class WireError(ProtocolError, ValueError):
    """Octets that are no valid message."""


class UsageError(OsrecError):
    """Our own caller asked for what the state does not allow: a bug."""


class ConfigError(OsrecError):
    """The configuration is wrong; the message names file, key, value and what would be right."""


class StoreError(OsrecError):
    """A disk, file or database that the recorder writes to failed; the message names it."""
