"""Values of the wire as JSON: members by their names, octets as hex, a numeric code with its name beside it."""

from dataclasses import fields, is_dataclass
from enum import Enum, IntEnum
from typing import Any


def plain(value: Any) -> Any:
    """What `json.dumps` takes. A member `ton` that has a name gives `ton` and `ton_name`; None is left out."""
    if is_dataclass(value):
        said: dict[str, Any] = {"type": type(value).__name__}
        for field in fields(value):
            member = getattr(value, field.name)
            if member is None:
                continue
            said[field.name] = plain(member)
            if isinstance(member, IntEnum):
                said[f"{field.name}_name"] = member.name.lower()
        return said
    if isinstance(value, IntEnum):
        return int(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value
