"""The tracker's conversations against the PBX model's own truth, whatever people, the link and the recorder do.

After every step, when all events are in, stations that lost some have had their snapshots, and the PBX has answered
what the tracker asked, this must be equal:

- which stations are in which call, and the state of each monitored connection;
- which monitored station talks, and in which call: it is connected, and so is somebody else;
- the partition: calls of one thread, and of threads that a transfer or conference brought together, are one
  conversation for as long as a monitored station is in it, under one id;
- the people: everybody who shares a call with a monitored station is a participant, and nobody is who never was in
  the thread; ports of the recorder are nobody.

Where CSTA cannot tell, equality means this:

- Without call linkage, calls are one conversation once a monitored station has consulted or has been joined; after
  events were lost the partition is not compared, nor who is in a conversation that never was in its calls: a snapshot
  says who is in a call, not which calls are one.
- Two threads that are brought together, and nobody heard of it who was in either (none was monitored there, or the
  link was down): the linkage of the new call is that of one of them, and says nothing of the other. Not compared from
  then on.
- A conversation whose events were lost may have ended on what was heard; then it goes on under another id.
- Who is in a call in which monitored stations only ring, wait or hold, beyond the caller: no event says it, and the
  recorder asks (SnapshotCall) only where somebody monitored is connected: nothing hangs on it before, and a PBX has
  better things to do.

`OSREC_SOAK_STEPS` (of each machine) makes it run longer, and differently each time. A failing example prints what was
played and heard. The machine and its parts are in tests/property/tracker_model.
"""

import os
import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.tracker_model.machine import TrackerMachine, seeds
from tests.property.tracker_model.people import PORTS, STATIONS

HALF = STATIONS[:3]


class WithoutLinkage(TrackerMachine):
    linkage = False


class Dynamic(TrackerMachine):
    dynamic = True


class WithForks(TrackerMachine):
    """Ports of the recorder come and go, and everybody in the call is told of them."""

    ports = PORTS


class HalfWithForksDynamic(WithForks):
    monitored = HALF
    dynamic = True


class CallIdsComeAgain(TrackerMachine):
    """There are ten call ids. None comes again before all is known of the call that had it.

    Else the old ids of a transfer may be those of calls whose end nobody heard of, and nothing tells. So nothing here
    takes as long as ten more calls: no event comes late, monitors lose none for long, the link is cut for a moment, and
    nobody does anything while a snapshot is taken.
    """

    features = {"call_id_wrap": 10}  # noqa: RUF012

    @rule()
    def events_are_held_back(self) -> None:
        """Not here."""

    @rule(station=st.sampled_from(STATIONS))
    def a_monitor_loses_its_next_events(self, station: str) -> None:
        """Not here."""

    @rule(seed=seeds)
    def the_link_is_cut(self, seed: int) -> None:
        self.tell("the link is cut for a moment")
        self.short_outage(random.Random(seed))

    def somebody_may_do_something(self, chance: random.Random) -> None:
        """Not here."""


class HalfMonitored(TrackerMachine):
    monitored = HALF


class HalfMonitoredDynamic(TrackerMachine):
    monitored = HALF
    dynamic = True
    linkage = False


class WithFeatures(TrackerMachine):
    """Groups of all kinds: calls ring in parallel, wait in queues, are parked, bridged, recalled."""

    features = {  # noqa: RUF012
        "call_waiting": ["3104"],
        "recall_after": 8.0,
        "hold_recall_after": 25.0,
        "groups": [
            {"kind": "hunt", "number": "3810", "members": ["3100-3101"], "overflow": "3103"},
            {"kind": "queue", "number": "3800", "members": ["3101-3102"], "ring_time": 5.0, "wrap_up": 3.0},
            {"kind": "parallel", "number": "3811", "members": ["3102-3104"]},
            {"kind": "shared", "number": "3820", "members": ["3100", "3105"]},
            {"kind": "pickup", "members": ["3100-3103"]},
            {"kind": "executive", "number": "3105", "secretary": "3104", "private": "3199"},
            {"kind": "disa", "number": "3830"},
            {"kind": "park", "numbers": "3901-3902", "recall_after": 15.0},
        ],
    }


class HalfWithFeatures(WithFeatures):
    monitored = HALF
    dynamic = True


class HalfWithFeaturesAndForks(WithFeatures):
    monitored = HALF
    ports = PORTS


SOAK = os.environ.get("OSREC_SOAK_STEPS")
STEPS = int(SOAK or 2400)  # of each machine; some 20,000 moves in all
EACH = 30
TestEveryStationMonitored = TrackerMachine.TestCase
TestNoLinkage = WithoutLinkage.TestCase
TestDynamicIds = Dynamic.TestCase
TestForks = WithForks.TestCase
TestForksHalfMonitoredWithDynamicIds = HalfWithForksDynamic.TestCase
TestCallIdsComeAgain = CallIdsComeAgain.TestCase
TestHalfOfThemMonitored = HalfMonitored.TestCase
TestHalfOfThemWithDynamicIds = HalfMonitoredDynamic.TestCase
TestFeatures = WithFeatures.TestCase
TestFeaturesHalfMonitored = HalfWithFeatures.TestCase
TestFeaturesAndForksHalfMonitored = HalfWithFeaturesAndForks.TestCase
for case in (
    TestEveryStationMonitored,
    TestNoLinkage,
    TestDynamicIds,
    TestForks,
    TestForksHalfMonitoredWithDynamicIds,
    TestCallIdsComeAgain,
    TestHalfOfThemMonitored,
    TestHalfOfThemWithDynamicIds,
    TestFeatures,
    TestFeaturesHalfMonitored,
    TestFeaturesAndForksHalfMonitored,
):
    case.settings = settings(
        max_examples=STEPS // EACH, stateful_step_count=EACH, deadline=None, derandomize=SOAK is None
    )
del case
