"""osrec.csta.requests: which answers are awaited, and which are overdue."""

from osrec.csta.requests import Purpose, Request, Requests
from osrec.wire.csta.model import RequestSystemStatus


def request(deadline: float, purpose: Purpose = Purpose.SERVICE) -> Request:
    return Request(purpose, RequestSystemStatus(), deadline - 10.0, deadline)


def test_the_deadline_is_that_of_the_request_that_is_overdue_first() -> None:
    requests = Requests(9)
    for deadline in (5.0, 3.0, 4.0):
        requests.add(request(deadline))
    assert requests.deadline == 3.0
    assert requests.take_overdue().deadline == 3.0
    assert requests.take(1) == request(5.0)
    assert (requests.deadline, requests.outstanding) == (4.0, 1)


def test_an_answered_request_does_not_hasten_the_one_that_has_its_invoke_id_now() -> None:
    requests = Requests(1)
    requests.add(request(5.0))
    requests.take(1)
    requests.add(request(9.0))
    assert requests.deadline == 9.0
    assert requests.take_overdue() == request(9.0)
    assert requests.deadline is None


def test_only_what_the_window_counts_is_counted() -> None:
    requests = Requests(9)
    for purpose in Purpose:
        requests.add(request(1.0, purpose))
    assert requests.paced == 3
    assert len(requests.clear()) == len(Purpose)
    assert (requests.paced, requests.outstanding, requests.deadline) == (0, 0, None)


def test_an_answer_to_nothing_takes_nothing() -> None:
    requests = Requests(9)
    requests.add(request(1.0, Purpose.START))
    assert requests.take(7) is None
    assert requests.paced == 1


def test_a_thousand_answered_requests_leave_nothing_behind() -> None:
    requests = Requests(5000)
    for number in range(1000):
        requests.take(requests.add(request(float(number))).invoke_id)
    assert requests.deadline is None
    assert not requests._due
