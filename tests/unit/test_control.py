"""The control socket: what is asked, what is answered."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from osrec.recorder import ask
from osrec.recorder.ask import NotRunningError
from osrec.recorder.control import ControlServer


def talk(path: Path, *lines: bytes) -> list[dict[str, Any]]:
    """Send lines to a fresh server, one after the other; its answers."""

    async def conversation() -> list[dict[str, Any]]:
        server = ControlServer(path, lambda: {"unit": "test"})
        await server.start()
        reader, writer = await asyncio.open_unix_connection(path)
        answers = []
        for line in lines:
            writer.write(line)
            answers.append(json.loads(await reader.readline()))
        writer.close()
        await server.close()
        return answers

    return asyncio.run(conversation())


def test_status_is_answered(tmp_path: Path) -> None:
    assert talk(tmp_path / "s", b'{"ask": "status"}\n') == [{"ok": True, "status": {"unit": "test"}}]


@pytest.mark.parametrize(
    "request_line",
    [b"status\n", b"[]\n", b'{"what": 1}\n', b'{"ask": "reboot"}\n', b'{"ask": "follow", "every": "now"}\n', b"\xff\n"],
)
def test_a_wrong_request_is_answered_with_what_would_be_right_and_the_next_one_served(
    tmp_path: Path, request_line: bytes
) -> None:
    wrong, right = talk(tmp_path / "s", request_line, b'{"ask": "status"}\n')
    assert wrong["ok"] is False
    assert wrong["error"]
    assert right["ok"] is True


def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    (answer,) = talk(tmp_path / "s", b"x" * 10000 + b"\n")
    assert answer["ok"] is False


def test_a_socket_left_behind_by_a_killed_process_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "s").touch()
    assert talk(tmp_path / "s", b'{"ask": "status"}\n')[0]["ok"]


def test_a_volume_that_cannot_be_written_does_not_stop_the_recorder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    server = ControlServer(tmp_path / "file" / "s", dict)

    async def live() -> None:
        await server.start()
        await server.close()

    asyncio.run(live())
    assert not (tmp_path / "file" / "s").exists()


def test_asking_a_recorder_that_does_not_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="is `osrec run` running"):
        ask.status(tmp_path / "s")


def test_following_gives_one_state_after_the_other(tmp_path: Path) -> None:
    async def conversation() -> list[Any]:
        states = iter(range(100))
        server = ControlServer(tmp_path / "s", lambda: {"n": next(states)})
        await server.start()

        def follow() -> list[Any]:
            answers = ask.follow(tmp_path / "s", 0.1)
            got = [next(answers), next(answers)]
            answers.close()  # type: ignore[attr-defined]
            return got

        got = await asyncio.to_thread(follow)
        await server.close()
        return got

    assert asyncio.run(conversation()) == [{"n": 0}, {"n": 1}]
