"""osrec.engine.link_alarms: what the link says, as alarms."""

import pytest

from osrec.csta import messages as link
from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.link_alarms import link_alarms, named
from osrec.wire.csta.model import Status


def test_licences_are_one_alarm_that_names_the_stations() -> None:
    (alarm,) = link_alarms(link.LicencesMissing(("3102", "3103", "3110")))
    assert alarm == AlarmRaised(
        "licence", Severity.MAJOR, "CAP-A licences exhausted: 3 monitors refused: 3102, 3103, 3110"
    )
    assert link_alarms(link.LicencesMissing(())) == [AlarmCleared("licence")]


def test_hundreds_of_stations_without_licence_do_not_fill_the_screen() -> None:
    stations = tuple(str(number) for number in range(3000, 3500))
    (alarm,) = link_alarms(link.LicencesMissing(stations))
    assert isinstance(alarm, AlarmRaised)
    assert alarm.text.startswith("CAP-A licences exhausted: 500 monitors refused: 3000, 3001, ")
    assert alarm.text.endswith(", 3019 and 480 more")
    assert len(alarm.text) < 250


def test_a_refusal_for_want_of_licences_raises_no_alarm_of_its_own() -> None:
    refusal = link.MonitorRefused("3102", "overallMonitorLimitExceeded", licence=True)
    assert link_alarms(refusal) == [AlarmCleared("monitor:3102")]


def test_other_refusals_are_alarms_of_their_station_until_it_is_monitored() -> None:
    (alarm,) = link_alarms(link.MonitorRefused("3102", "operation invalidDeviceID", licence=False))
    assert isinstance(alarm, AlarmRaised)
    assert alarm.key == "monitor:3102"
    assert link_alarms(link.MonitorRunning("3102", b"x")) == [AlarmCleared("monitor:3102")]
    (ended,) = link_alarms(link.MonitorLost("3102"))
    assert isinstance(ended, AlarmRaised)
    assert ended.key == "monitor:3102"


@pytest.mark.parametrize(
    ("status", "raised", "cleared"),
    [
        (Status.OVERLOAD_IMMINENT, "pbx-overload", ["pbx-status"]),
        (Status.OVERLOAD_REACHED, "pbx-overload", ["pbx-status"]),
        (Status.PARTIALLY_DISABLED, "pbx-status", ["pbx-overload"]),
        (99, "pbx-status", ["pbx-overload"]),
        (Status.NORMAL, None, ["pbx-overload", "pbx-status"]),
    ],
)
def test_what_the_pbx_says_of_itself_is_an_alarm_while_it_lasts(
    status: int, raised: str | None, cleared: list[str]
) -> None:
    changes = link_alarms(link.StatusChanged(status))
    assert [one.key for one in changes if isinstance(one, AlarmRaised)] == ([raised] if raised else [])
    assert [one.key for one in changes if isinstance(one, AlarmCleared)] == cleared


def test_the_second_server_is_a_warning_until_the_first_is_back() -> None:
    (alarm,) = link_alarms(link.ServerChanged("192.0.2.2:1040", preferred=False))
    text = "not on the first CAP server: linked to 192.0.2.2:1040"
    assert alarm == AlarmRaised("cti-server", Severity.WARNING, text)
    assert link_alarms(link.ServerChanged("192.0.2.1:1040", preferred=True)) == [AlarmCleared("cti-server")]


def test_a_full_queue_is_an_alarm_while_it_is_full() -> None:
    (alarm,) = link_alarms(link.QueueChanged(full=True, dropped=7))
    assert isinstance(alarm, AlarmRaised)
    assert (alarm.key, alarm.severity) == ("cti-queue", Severity.MAJOR)
    assert link_alarms(link.QueueChanged(full=False, dropped=9)) == [AlarmCleared("cti-queue")]


def test_the_link_itself_is_the_gravest() -> None:
    (alarm,) = link_alarms(link.LinkDown("reset"))
    assert alarm == AlarmRaised("cti-link", Severity.CRITICAL, "no CSTA link: reset")
    assert link_alarms(link.LinkUp()) == [AlarmCleared("cti-link")]


def test_what_is_no_condition_raises_nothing() -> None:
    assert link_alarms(link.Trouble("x")) == link_alarms(link.EventsLost("", "x")) == []


def test_few_stations_are_all_named() -> None:
    assert named(("1", "2")) == "1, 2"
