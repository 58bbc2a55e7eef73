"""osrec.csta.endpoints: fail-over to the next CAP server, and back."""

import pytest

from osrec.csta.endpoints import (
    Dial,
    Ended,
    EndpointEvent,
    EndpointOutput,
    Endpoints,
    EndpointsConfig,
    HangUp,
    Probe,
    Probed,
    Server,
    Settled,
    Started,
    State,
    TimeIs,
    WentDown,
    WentUp,
)

A, B, C = Server("192.0.2.1", 1040), Server("192.0.2.2", 1040), Server("192.0.2.3", 1040)
TWO = EndpointsConfig((A, B), backoff_first=1.0, backoff_most=8.0, fail_over_after=10.0, fail_back=30.0)
QUIET, BUSY = TimeIs(quiet=True), TimeIs(quiet=False)

Step = tuple[float, EndpointEvent, list[EndpointOutput]]


def machine(config: EndpointsConfig = TWO) -> Endpoints:
    return Endpoints(config, lambda: 1.0)


def play(choice: Endpoints, *script: Step) -> None:
    for now, event, outputs in script:
        assert choice.handle(event, now) == outputs, f"at {now}: {event}"


def on_the_spare(config: EndpointsConfig = TWO) -> Endpoints:
    """Since time 12 on B; the first probe is due."""
    choice = machine(config)
    play(
        choice,
        (0.0, Started(), [Dial(A)]),
        (10.0, QUIET, [HangUp("no link to 192.0.2.1:1040 within 10 s")]),
        (10.0, Ended(), []),
        (11.0, QUIET, [Dial(B)]),
        (12.0, WentUp(), [Settled(B, preferred=False)]),
    )
    return choice


def test_one_server_is_dialled_again_and_again_with_growing_pauses() -> None:
    choice = machine(EndpointsConfig((A,), backoff_first=1.0, backoff_most=4.0))
    play(choice, (0.0, Started(), [Dial(A)]))
    assert choice.deadline is None, "with one server nothing is given up"
    now = 0.0
    for pause in (1.0, 2.0, 4.0, 4.0):
        play(choice, (now, Ended(), []))
        assert choice.deadline == now + pause
        now += pause
        play(choice, (now, QUIET, [Dial(A)]))
    play(choice, (now, WentUp(), []), (now + 9, Ended(), []))
    assert choice.deadline == now + 10, "after a link that was up the pauses begin anew"


def test_the_jitter_shortens_the_pauses() -> None:
    choice = Endpoints(TWO, lambda: 0.5)
    play(choice, (0.0, Started(), [Dial(A)]), (1.0, Ended(), []))
    assert choice.deadline == 1.5


def test_a_server_that_takes_connections_but_does_not_come_up_is_left() -> None:
    assert on_the_spare().current == B


def test_a_server_that_refuses_is_tried_for_a_while_before_the_next() -> None:
    choice = machine()
    play(
        choice,
        (0.0, Started(), [Dial(A)]),
        (0.1, Ended(), []),
        (1.1, QUIET, [Dial(A)]),
        (1.2, Ended(), []),
        (3.2, QUIET, [Dial(A)]),
        (3.3, Ended(), []),
        (7.3, QUIET, [Dial(A)]),
        (7.4, Ended(), []),
    )
    assert choice.deadline == 10.0, "not the end of the pause"
    play(choice, (10.0, QUIET, [Dial(B)]), (10.1, WentUp(), [Settled(B, preferred=False)]))
    assert (choice.changes, choice.state) == (1, State.UP)


def test_the_last_server_is_followed_by_the_first() -> None:
    choice = machine(EndpointsConfig((A, B, C), backoff_first=1.0, fail_over_after=10.0))
    play(
        choice,
        (0.0, Started(), [Dial(A)]),
        (12.0, Ended(), []),
        (13.0, QUIET, [Dial(B)]),
        (23.0, Ended(), []),
        (24.0, QUIET, [Dial(C)]),
        (34.0, Ended(), []),
        (35.0, QUIET, [Dial(A)]),
        (36.0, WentUp(), []),
    )


def test_a_link_that_was_up_gets_its_time_again_at_the_same_server() -> None:
    choice = machine()
    play(
        choice,
        (0.0, Started(), [Dial(A)]),
        (1.0, WentUp(), []),
        (100.0, Ended(), []),
        (101.0, QUIET, [Dial(A)]),
        (102.0, WentUp(), []),
    )


def test_a_server_whose_pbx_stops_working_is_left_though_the_connection_stands() -> None:
    choice = machine()
    play(
        choice,
        (0.0, Started(), [Dial(A)]),
        (1.0, WentUp(), []),
        (50.0, WentDown(), []),
        (60.0, QUIET, [HangUp("no link to 192.0.2.1:1040 within 10 s")]),
        (60.1, Ended(), []),
        (61.1, QUIET, [Dial(B)]),
    )


def test_a_pbx_that_works_again_in_time_keeps_its_link() -> None:
    choice = machine()
    play(choice, (0.0, Started(), [Dial(A)]), (1.0, WentUp(), []), (50.0, WentDown(), []), (55.0, WentUp(), []))
    assert choice.deadline is None


# --- the way back


def test_a_better_server_that_answers_for_long_enough_takes_the_link_back_in_a_quiet_moment() -> None:
    choice = on_the_spare()
    play(
        choice,
        (12.0, QUIET, [Probe(A)]),
        (12.1, Probed(A, answered=True), []),
        (17.0, QUIET, [Probe(A)]),
        (17.1, Probed(A, answered=True), []),
        (43.0, BUSY, [Probe(A)]),
        (48.0, QUIET, [HangUp("back from 192.0.2.2:1040 to 192.0.2.1:1040")]),
        (48.1, WentDown(), []),
        (48.2, Ended(), [Dial(A)]),
        (48.3, WentUp(), [Settled(A, preferred=True)]),
    )
    assert choice.deadline is None, "on the first server nothing is probed"


def test_one_missed_probe_begins_the_time_anew() -> None:
    choice = on_the_spare()
    play(
        choice,
        (12.0, QUIET, [Probe(A)]),
        (12.1, Probed(A, answered=True), []),
        (40.0, QUIET, [Probe(A)]),
        (40.1, Probed(A, answered=False), []),
        (45.0, QUIET, [Probe(A)]),
        (45.1, Probed(A, answered=True), []),
        (70.0, QUIET, [Probe(A)]),
        (75.2, QUIET, [HangUp("back from 192.0.2.2:1040 to 192.0.2.1:1040")]),
    )


def test_a_site_that_is_never_quiet_is_taken_back_in_the_end() -> None:
    choice = on_the_spare()
    play(choice, (12.0, BUSY, [Probe(A)]), (12.1, Probed(A, answered=True), []), (1800.0, BUSY, [Probe(A)]))
    play(choice, (1842.2, BUSY, [HangUp("back from 192.0.2.2:1040 to 192.0.2.1:1040")]))


def test_a_better_server_that_fails_again_has_to_prove_itself_for_longer() -> None:
    choice = on_the_spare()
    play(
        choice,
        (12.0, QUIET, [Probe(A)]),
        (12.1, Probed(A, answered=True), []),
        (43.0, QUIET, [HangUp("back from 192.0.2.2:1040 to 192.0.2.1:1040")]),
        (43.1, Ended(), [Dial(A)]),
        (53.1, QUIET, [HangUp("no link to 192.0.2.1:1040 within 10 s")]),
        (53.2, Ended(), []),
        (54.2, QUIET, [Dial(B)]),
        (55.0, WentUp(), []),
        (55.0, QUIET, [Probe(A)]),
        (55.1, Probed(A, answered=True), []),
        (86.0, QUIET, [Probe(A)]),  # 30 s would have done the first time
        (116.0, QUIET, [HangUp("back from 192.0.2.2:1040 to 192.0.2.1:1040")]),
    )


def test_never_back_means_that_nothing_is_probed() -> None:
    choice = on_the_spare(EndpointsConfig((A, B), backoff_first=1.0, fail_over_after=10.0, fail_back=None))
    assert choice.deadline is None


def test_an_answer_to_a_probe_that_comes_too_late_is_of_no_account() -> None:
    choice = on_the_spare()
    play(choice, (12.0, QUIET, [Probe(A)]), (13.0, Ended(), []), (13.1, Probed(A, answered=True), []))
    play(choice, (14.0, QUIET, [Dial(B)]), (14.1, WentUp(), []), (14.1, QUIET, [Probe(A)]))
    play(choice, (44.0, QUIET, [Probe(A)]))


@pytest.mark.parametrize("server", [A, B])
def test_a_server_is_named_by_host_and_port(server: Server) -> None:
    assert str(server).endswith(":1040")
