"""CSTA events written briefly, for tests of what is made of them."""

from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId, LinkedConnection, LocalState, Parties

NEW_CALL, CONSULTATION, TRANSFER, CONFERENCE, SINGLE_STEP, NORMAL_CLEARING, BUSY = 22, 37, 32, 63, 51, 48, 3


def conn(call: int, device: str) -> ConnectionId:
    return ConnectionId(call.to_bytes(2, "big"), DeviceId(device))


def parties(calling: str, called: str, *, trunk_in: str | None = None) -> Parties:
    """`trunk_in`: the trunk that the call came in on."""
    associated = DeviceId(trunk_in) if trunk_in else None
    return Parties(DeviceId(calling), DeviceId(called), associated_calling=associated)


def initiated(call: int, device: str, cause: int = NEW_CALL, thread: bytes | None = None) -> model.ServiceInitiated:
    linkage = model.Linkage(b"g" * 16, thread) if thread else None
    return model.ServiceInitiated(
        connection=conn(call, device), device=DeviceId(device), cause=cause, local=LocalState.INITIATED, linkage=linkage
    )


def originated(call: int, device: str, called: str) -> model.Originated:
    return model.Originated(
        connection=conn(call, device),
        device=DeviceId(device),
        parties=parties(device, called),
        cause=NEW_CALL,
        local=LocalState.CONNECTED,
    )


def reached(call: int, trunk: str, calling: str, called: str) -> model.NetworkReached:
    return model.NetworkReached(
        connection=conn(call, trunk),
        device=DeviceId(trunk),
        parties=parties(calling, called),
        cause=NEW_CALL,
        local=LocalState.CONNECTED,
    )


def delivered(call: int, to: str, who: Parties, local: LocalState) -> model.Delivered:
    return model.Delivered(connection=conn(call, to), device=DeviceId(to), parties=who, cause=NEW_CALL, local=local)


def established(call: int, by: str, who: Parties) -> model.Established:
    return model.Established(
        connection=conn(call, by), device=DeviceId(by), parties=who, cause=NEW_CALL, local=LocalState.CONNECTED
    )


def held(call: int, by: str, local: LocalState) -> model.Held:
    return model.Held(connection=conn(call, by), device=DeviceId(by), cause=CONSULTATION, local=local)


def retrieved(call: int, by: str) -> model.Retrieved:
    return model.Retrieved(connection=conn(call, by), device=DeviceId(by), cause=NEW_CALL, local=LocalState.CONNECTED)


def failed(call: int, device: str) -> model.Failed:
    return model.Failed(connection=conn(call, device), device=DeviceId(device), cause=BUSY, local=LocalState.CONNECTED)


def cleared(call: int, device: str, local: LocalState) -> model.ConnectionCleared:
    return model.ConnectionCleared(
        connection=conn(call, device), device=DeviceId(device), cause=NORMAL_CLEARING, local=local
    )


def links(new: int, olds: dict[str, int]) -> tuple[LinkedConnection, ...]:
    """Each device's connection in the new call, with the call that it came from."""
    return tuple(
        LinkedConnection(new=conn(new, device), old=conn(old, device), endpoint=DeviceId(device))
        for device, old in olds.items()
    )


def transferred(
    by: str, to: str, first: int, second: int, new: int, olds: dict[str, int], local: LocalState
) -> model.Transferred:
    return model.Transferred(
        primary=conn(first, by),
        secondary=conn(second, by),
        device=DeviceId(by),
        to=DeviceId(to),
        connections=links(new, olds),
        cause=TRANSFER,
        local=local,
    )


def conferenced(
    by: str, added: str, first: int, second: int | None, new: int, olds: dict[str, int], local: LocalState
) -> model.Conferenced:
    return model.Conferenced(
        primary=conn(first, by),
        secondary=conn(second, by) if second is not None else None,
        device=DeviceId(by),
        added=DeviceId(added),
        connections=links(new, olds),
        cause=SINGLE_STEP if second is None else CONFERENCE,
        local=local,
    )
