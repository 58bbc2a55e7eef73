"""What goes wrong at the CAP server, as an administrator declares it; without a word of it the server is healthy.

Faults by chance are given as "one in N" (`..._every = N`; 1: each time) and drawn from a generator with `seed`, so the
same traffic meets the same faults.
"""

from enum import Enum
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from osrec.wire.csta.model import ErrorCategory, Status
from osrec_emulators.section import Section

Seconds = Annotated[float, Field(ge=0)]
Every = Annotated[int, Field(ge=1)] | None
Count = Annotated[int, Field(ge=1)]


class Refusal(Enum):
    """How an association is refused."""

    REJECT = "reject"  # AARE, rejected-permanent
    TRANSIENT = "transient"  # AARE, rejected-transient
    ABORT = "abort"  # ABRT
    SILENCE = "silence"  # nothing at all


class Association(Section):
    """[cap.faults.association]

    Attributes:
        refuse: how associations are refused; None: those with valid credentials are accepted. For the first ones only:
            [[cap.clients]] with `connections`.
        diagnostic: of a rejection, as X.227 numbers it.
    """

    refuse: Refusal | None = None
    diagnostic: Annotated[int, Field(ge=0)] = 13


class Heartbeat(Section):
    """[cap.faults.status]: SystemStatus that the server sends.

    Attributes:
        never: not even the first one after the association is sent.
        late: seconds from the association to the first one.
        lost_after: seconds after the association from which none is sent any more, and none that is asked for answered.
    """

    never: bool = False
    late: Seconds = 0.0
    lost_after: Seconds | None = None


def _category(name: str) -> str:
    if name not in ERROR_CATEGORIES:
        raise ValueError(f"{name!r} is no category of errors; there are {', '.join(ERROR_CATEGORIES)}")
    return name


ERROR_CATEGORIES = {category.name.lower(): category for category in ErrorCategory}


class RefusedMonitors(Section):
    """MonitorStart of `devices` (a pattern such as 31*) is refused; with `times`, the first ones per device."""

    devices: str
    category: Annotated[str, AfterValidator(_category)] = "operation"
    value: Annotated[int, Field(ge=0)] = 12  # invalidDeviceID
    times: Count | None = None

    def matches(self, device: str) -> bool:
        return fnmatchcase(device, self.devices)


class Limits(Section):
    """[cap.faults.limits]: more than so many requests without answer at once, or in any one second, are refused.

    As subscribedResource outstandingReqLimit (4) and performance limitExceeded (2), csta.md 2.7.
    """

    outstanding: Count | None = None
    per_second: Count | None = None


class Answers(Section):
    """[cap.faults.answers]

    Attributes:
        late: seconds that every answer takes; what a request brought about is reported before it.
        monitor_result_late: seconds that results of MonitorStart wait for an event of that monitor to overtake them.
        lost_every: one answer in so many is lost. lost_of: of those to these services only; empty: of all.
        failed_every: one request in so many for a monitor or a snapshot is not served: the answer is the error
            performance limitExceeded, as a CAP gives it that has too much to do.
        refuse_monitors: first match counts.
        snapshot_segments: entries in one op 76 or 77 segment; 0: snapshots come whole, in the result.
        device_segments: entries in one op 205 segment of the list of devices; 0: op 204 is not offered.
        segments_first: segments come before the result that announces them.
        last_segment_lost: the last segment of each snapshot or list never comes.
    """

    late: Seconds = 0.0
    monitor_result_late: Seconds = 0.0
    lost_every: Every = None
    lost_of: tuple[Literal["MonitorStart", "SnapshotDevice", "SnapshotCall"], ...] = ()
    failed_every: Every = None
    refuse_monitors: tuple[RefusedMonitors, ...] = ()
    snapshot_segments: Annotated[int, Field(ge=0)] = 0
    device_segments: Annotated[int, Field(ge=0)] = 0
    segments_first: bool = False
    last_segment_lost: bool = False


class Events(Section):
    """[cap.faults.events]: one event report in so many is ...

    Attributes:
        lost_every: never sent. With `lost_reported` a SystemStatus messagesLost says so.
        duplicate_every: sent twice, with invoke ids of their own.
        reorder_every: held back for `reorder_by` seconds while those of other monitors pass; its own monitor's wait.
        swap_every: sent after the next one of the same monitor, if that comes within `reorder_by`.
        damaged_every: damaged on its way, so that no decoder can read the PDU.
        unknown_cause_every: given a cause that no standard knows.
        unknown_member_every: given a member that no standard knows, before all others of the event.
        unknown_event_every: accompanied by an event that no standard knows.
        unknown_monitor_every: accompanied by a copy under a cross reference that nobody was given.
        private_every: given private data, of changing tags.
        eight_bit_every: given a device name of all octets from 80 to FF.
        indefinite_every: encoded with indefinite lengths (BER only).
        junk_every: accompanied by a PDU that no decoder can read.
        oversized_every: given private data until the PDU has `oversized_octets`.
    """

    lost_every: Every = None
    lost_reported: bool = False
    duplicate_every: Every = None
    reorder_every: Every = None
    reorder_by: Annotated[float, Field(gt=0)] = 0.2
    swap_every: Every = None
    damaged_every: Every = None
    unknown_cause_every: Every = None
    unknown_member_every: Every = None
    unknown_event_every: Every = None
    unknown_monitor_every: Every = None
    private_every: Every = None
    eight_bit_every: Every = None
    indefinite_every: Every = None
    junk_every: Every = None
    oversized_every: Every = None
    oversized_octets: Annotated[int, Field(ge=1000, le=1 << 21)] = 20_000


class Transport(Section):
    """[cap.faults.transport]: what happens to octets.

    Attributes:
        fragment: octets in one write, 1 for one by one; 0: as they come.
        coalesce: seconds for which octets are gathered before they go out together.
        read_octets: octets that are read in a second at most; 0: all that come.
    """

    fragment: Annotated[int, Field(ge=0)] = 0
    coalesce: Seconds = 0.0
    read_octets: Annotated[int, Field(ge=0)] = 0


STATUSES = {status.name.lower(): status for status in Status}
TimedWhat = Literal["cut", "half_open", "silence", "pause_reading", "lose_events", "status", "monitor_stop", "junk"]
_LASTING = frozenset({"half_open", "silence", "pause_reading", "lose_events", "status"})
_OVERLOAD = (Status.OVERLOAD_IMMINENT, Status.OVERLOAD_REACHED)


class Timed(Section):
    """[[cap.faults.timed]]: something that happens at a moment, and again `every` so many seconds.

    Attributes:
        what: "cut": the connection is closed; "half_open": nothing is sent or read any more, and nobody is told;
            "silence": nothing is sent any more; "pause_reading": nothing is read; "lose_events": events are not sent;
            "status": SystemStatus `status`; "monitor_stop": monitors of `devices` are stopped by the PBX;
            "junk": a PDU that no decoder can read.
        at: PBX time, in seconds. after: seconds after each association. One of them.
        seconds: how long, for what lasts; None: for ever. After "lose_events" a SystemStatus messagesLost tells of it
            if any event was lost and events.lost_reported is set; after "status" another one says that all is well.
    """

    what: TimedWhat
    at: Seconds | None = None
    after: Seconds | None = None
    every: Annotated[float, Field(gt=0)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    status: str | int | None = None
    devices: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.at is None) == (self.after is None):
            raise ValueError("give either `at` (PBX time) or `after` (from the association on), in seconds")
        if self.seconds is not None and self.what not in _LASTING:
            raise ValueError(f"`seconds` goes with {', '.join(sorted(_LASTING))}, not with {self.what!r}")
        if (self.status is None) == (self.what == "status"):
            raise ValueError(f"`status` goes with what = 'status', and only there; there are {', '.join(STATUSES)}")
        if isinstance(self.status, str) and self.status not in STATUSES:
            raise ValueError(f"status {self.status!r}: there are {', '.join(STATUSES)}, or any number")
        if (self.devices is None) == (self.what == "monitor_stop"):
            raise ValueError("`devices` (a pattern such as 31*) goes with what = 'monitor_stop', and only there")
        return self

    @property
    def detail(self) -> str:
        """What there is to say beyond `what`."""
        lasting = "" if self.what not in _LASTING else "for ever" if self.seconds is None else f"{self.seconds:g} s"
        if self.status is not None:
            return str(self.status) if self.seconds is None else f"{self.status} for {lasting}"
        return self.devices or lasting

    @property
    def status_value(self) -> int:
        return STATUSES[self.status] if isinstance(self.status, str) else int(self.status or 0)

    @property
    def afterwards(self) -> "Timed | None":
        """The status that follows this one when its time is over."""
        if self.what != "status" or self.seconds is None:
            return None
        well = "overload_relieved" if self.status_value in _OVERLOAD else "normal"
        return Timed(what="status", after=self.seconds, status=well)


class Faults(Section):
    """[cap.faults], or `faults` of one of [[cap.clients]]."""

    seed: int = 1
    association: Association = Association()
    status: Heartbeat = Heartbeat()
    limits: Limits = Limits()
    answers: Answers = Answers()
    events: Events = Events()
    transport: Transport = Transport()
    timed: tuple[Timed, ...] = ()


class Client(Section):
    """[[cap.clients]]: faults of certain clients, in place of those of [cap.faults]; the first match counts.

    Attributes:
        user: pattern of the user name that it associates with, in XML of the applicationID where a session is required;
            a client has none before.
        address: pattern of the address that it comes from.
        connections: which connections, counted from 1 over all since the start: [3, 5] is the third to the fifth.
        listener: 1: who comes to `listen` and `port`, 2: to the first of `also_listen`, and so on.
    """

    user: str | None = None
    address: str | None = None
    connections: tuple[Count, Count] | None = None
    listener: Count | None = None
    faults: Faults

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if all(given is None for given in (self.user, self.address, self.connections, self.listener)):
            raise ValueError("name at least one of `user`, `address`, `connections`, `listener`; for all: [cap.faults]")
        return self

    def matches(self, connection: "Connection", user: str | None) -> bool:
        return (
            (self.user is None or (user is not None and fnmatchcase(user, self.user)))
            and (self.address is None or fnmatchcase(connection.address, self.address))
            and (self.connections is None or self.connections[0] <= connection.number <= self.connections[1])
            and (self.listener is None or connection.listener == self.listener)
        )


class Connection(Section):
    """By what clients are told apart before they say who they are."""

    address: str = "127.0.0.1"
    number: int = 1
    listener: int = 1


class LicenceChange(Section):
    """[[cap.licence_changes]]: from PBX time `at` on there are so many licences; None: without limit."""

    at: Seconds
    licences: Annotated[int, Field(ge=0)] | None = None


class Restart(Section):
    """[[cap.restarts]]: the CAP goes down at PBX time `at`, and again `every` so many seconds; all it knew is lost.

    Attributes:
        closed: seconds for which nobody can connect.
        listener: only this address goes down, as of Client; None: all.
    """

    at: Seconds
    every: Annotated[float, Field(gt=0)] | None = None
    closed: Seconds = 5.0
    listener: Count | None = None

    @model_validator(mode="after")
    def _is_up_between(self) -> Self:
        if self.every is not None and self.every <= self.closed:
            raise ValueError(
                f"`every` = {self.every:g} s leaves no time between outages of `closed` = {self.closed:g} s"
            )
        return self
