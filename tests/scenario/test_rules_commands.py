"""`osrec rules`, `osrec ledger` and `osrec call`, on real recordings and on a real recorder process."""

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from osrec.recorder.control import ControlServer
from osrec_emulators.demo.processes import command, descendants, status
from tests.scenario.site import Site
from tests.scenario.test_calls import TWO_PARTY, steps
from tests.scenario.test_commands import Commands
from tests.scenario.test_processes import Running

OTHERS = """
[[rules]]
name = "no helpdesk"
action = "never"
stations = ["3102"]
[[rules]]
name = "half"
action = "record"
percentage = 50
[[rules]]
name = "rest"
action = "on_demand"
"""


@pytest.fixture(scope="module")
def osrec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    directory = tmp_path_factory.mktemp("rules")
    inside = steps((6.0, "3102", "call", "3103"), (1.0, "3103", "answer"), (2.0, "3103", "hangup"))
    unanswered = steps((1.0, "3101", "call", "3103"), (2.0, "3101", "hangup"))
    with Site(directory, steps(*TWO_PARTY, (2.0, "3100", "hangup")), inside, unanswered) as site:
        site.run(12).finish()
        config = directory / "osrec.toml"
        config.write_text(
            f'[data]\ndirectory = "{directory}/data"\n[csta]\nhost = "x"\nport = 1\n'
            '[[lines]]\nname = "trunk1"\nspec = "virtual:commands/b"\nports = ["7101-7130"]\n'
            '[stations]\nmonitored = ["3100-3103"]\n[[rules]]\nname = "all"\naction = "record"\n'
        )
        yield Commands(site, config)


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.toml"
    path.write_text(OTHERS)
    return path


def test_the_ledger_tells_each_conversation_and_the_sums(osrec: Commands) -> None:
    ledger = osrec.json("ledger")
    assert ledger["totals"] == {"recorded": 2, "gaps": 0, "not_recorded": 1}
    assert [one["class"] for one in ledger["conversations"]] == ["recorded", "not_recorded", "recorded"]
    assert ledger["conversations"][1]["reason"] == "not_answered"
    assert (ledger["findings"], ledger["running"]) == ([], [])
    text = osrec("ledger")
    assert "2 recorded in full" in text
    assert "1 not recorded: 1 not_answered" in text


def test_the_ledger_is_told_without_an_index_and_not_without_data(osrec: Commands, tmp_path: Path) -> None:
    config = tmp_path / "osrec.toml"
    config.write_text(osrec.config.read_text().replace(f"{osrec.site.config.data.directory}", f"{tmp_path}/data"))
    bare = Commands(osrec.site, config)
    assert f"osrec: {tmp_path}/data: there is no such data directory" in bare("ledger", code=1)
    shutil.copytree(osrec.site.config.data.directory, tmp_path / "data", ignore=shutil.ignore_patterns("index.sqlite*"))
    (tmp_path / "data" / "keeper.json").unlink()
    text = bare("ledger", code=1)
    assert f"{tmp_path}/data/index.sqlite is not there: recordings, blind spans" in " ".join(text.split())
    assert "0 conversations" in text


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--class", "not_recorded"), 1),
        (("--station", "3102"), 1),
        (("--station", "31??"), 3),
        (("--from", "2026-11-23T12:00:05+00:00"), 1),
        (("--to", "2026-11-23T12:00:05+00:00"), 2),
        (("--since", "2026-11-23T12:00:05+00:00"), 1),
        (("--until", "2026-11-23T12:00:05+00:00"), 2),
    ],
)
def test_the_ledger_can_be_narrowed(osrec: Commands, arguments: tuple[str, ...], count: int) -> None:
    assert len(osrec.json("ledger", *arguments)["conversations"]) == count


def test_a_wrong_argument_of_the_ledger_is_named(osrec: Commands) -> None:
    assert "'x' is" in osrec("ledger", "--station", "x", code=2)
    text = re.sub(r"[\s│]+", " ", osrec("ledger", "--from", "2027-01-01", "--to", "2026-01-01", code=2))
    assert "--since 2027-01-01 is not before --until 2026-01-01" in text
    assert "Invalid value for --until: 'soon' is no time" in osrec("ledger", "--to", "soon", code=2)


def test_a_narrowed_ledger_takes_no_call_that_goes_on_for_lost(osrec: Commands, tmp_path: Path) -> None:
    site = shutil.copytree(osrec.config.parent, tmp_path / "copy")
    config = site / "osrec.toml"
    config.write_text(config.read_text().replace(str(osrec.config.parent), str(site)))
    known = osrec.json("ledger")["conversations"][0]
    with closing(sqlite3.connect(next(site.rglob("index.sqlite")))) as index, index:
        index.execute("DELETE FROM conversations WHERE id = ?", (UUID(known["id"]).bytes,))
        index.execute("DELETE FROM conversations WHERE id IN (?, ?)", (known["id"], UUID(known["id"]).hex))
    there = Commands(osrec.site, config)
    there("ledger", code=1)

    async def with_recorder() -> str:
        state = {"conversations": [{"id": known["id"], "stations": known["stations"]}]}
        control = ControlServer(site / "data" / "control.sock", lambda: state)
        await control.start()
        try:
            return await asyncio.to_thread(there, "ledger", "--station", "3999")
        finally:
            await control.close()

    assert "look into" not in asyncio.run(with_recorder())


def test_a_draft_is_replayed_and_what_would_change_is_told_with_the_reason(osrec: Commands, draft: Path) -> None:
    text = osrec("rules", "test", str(draft), code=1)
    assert "no helpdesk: matches, never" in text
    assert "3 conversations, " in text
    assert "record -> never" in text
    replayed = [osrec("rules", "test", str(draft), "--json", code=1) for _ in range(2)]
    assert replayed[0] == replayed[1], "a percentage draws the same conversations each time"


def test_a_draft_that_changes_nothing_is_told_so(osrec: Commands, draft: Path) -> None:
    draft.write_text('[[rules]]\nname = "everything"\naction = "record"\n')
    assert "3 conversations, 0 would be decided differently" in osrec("rules", "test", str(draft))
    span = ("--since", "2026-11-23T12:00:05+00:00")
    assert "1 conversations, 0 would be" in osrec("rules", "test", str(draft), *span)


def test_a_draft_that_changes_only_a_priority_is_told_so(osrec: Commands, draft: Path) -> None:
    draft.write_text('[[rules]]\nname = "everything"\naction = "record"\npriority = 5\n')
    text = osrec("rules", "test", str(draft), code=1)
    assert "3 conversations, 3 would be decided differently" in text
    assert "3 record with priority 0 -> record with priority 5" in text


def test_a_draft_with_a_mistake_is_refused_with_its_place(osrec: Commands, draft: Path) -> None:
    draft.write_text(OTHERS.replace("percentage = 50", "percentage = 500"))
    assert f"{draft}:9: rules[1].percentage = 500" in osrec("rules", "test", str(draft), code=2)


def test_a_decision_is_explained_rule_by_rule(osrec: Commands, draft: Path) -> None:
    text = osrec("rules", "explain", "3100", "112", "--file", str(draft))
    assert "on_demand: rule 'rest'" in text
    assert "no helpdesk: station 3100 is not in 3102" in text
    assert "half: the conversation's id is not known" in text
    (changed,) = [one for one in osrec.json("ledger")["conversations"] if one["stations"] == ["3100"]]
    drawn = osrec("rules", "explain", "3100", "112", "--file", str(draft), "--conversation", changed["id"])
    assert re.search(r"share: \d+\.\d\d of 100|share \d+\.\d\d of 100 is not below 50", drawn)


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (("Smith", "112"), "STATION", "Smith"),
        (("3100", "Smith"), "NUMBER", "Smith"),
        (("-", "112"), "STATION", "-"),
        (("3100", "0228 12345"), "NUMBER", "0228 12345"),
        (("3100", ""), "NUMBER", ""),
        (("3100", "112", "--trunk", "line one"), "--trunk", "line one"),
        (("3100", "112", "--account", "4711x"), "--account", "4711x"),
    ],
)
def test_what_is_no_number_is_not_explained(
    osrec: Commands, arguments: tuple[str, ...], field: str, value: str
) -> None:
    said = " ".join(osrec("rules", "explain", *arguments, code=2).replace("│", " ").split())
    assert f"Invalid value for {field}: {value!r} is no number: write digits, * and #" in said


def test_a_number_is_explained_in_both_forms_that_the_recorder_would_have(osrec: Commands, tmp_path: Path) -> None:
    config = tmp_path / "osrec.toml"
    site = '[site]\ncountry = "48"\narea = "22"\n'
    rules = (
        '[[rules]]\nname = "partner"\naction = "never"\nnumbers = ["+48601*"]\n'
        '[[rules]]\nname = "all"\naction = "record"\n'
    )
    before, _, _ = osrec.config.read_text().partition("[[rules]]")
    config.write_text(before + site + rules)
    draft = tmp_path / "rules.toml"
    draft.write_text(rules)
    explain = Commands(osrec.site, config)
    assert "never: rule 'partner'" in explain("rules", "explain", "3100", "0601777123")
    assert "never: rule 'partner'" in explain("rules", "explain", "3100", "0601777123", "--file", str(draft))
    assert "record: rule 'all'" in explain("rules", "explain", "3100", "0601777123", "--direction", "internal")
    assert "record: rule 'all'" in explain("rules", "explain", "3100", "-")


def test_keys_pressed_in_a_call_are_explained(osrec: Commands, tmp_path: Path) -> None:
    draft = tmp_path / "rules.toml"
    draft.write_text('[[rules]]\nname = "secret"\naction = "never"\ndigits = ["*95"]\n')
    explain = ("rules", "explain", "3100", "112", "--file", str(draft))
    assert "secret: nobody pressed *95" in osrec(*explain)
    assert "never: rule 'secret'" in osrec(*explain, "--digits", "1*95")


def test_the_rules_are_shown_with_their_version(osrec: Commands) -> None:
    assert "record     all" in osrec("rules", "show")
    shown = osrec.json("rules", "show")
    assert shown["active"] is None
    assert shown["digest"] in osrec("rules", "show")


def test_a_call_cannot_be_kept_without_a_recorder(osrec: Commands) -> None:
    assert "is `osrec run` running" in osrec("call", "keep", "3100", code=1)


# --- a real recorder


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    site = Running(tmp_path / "site")
    yield site
    site.pbx.kill()
    for pid in descendants(site.recorder.pid):
        os.kill(pid, signal.SIGKILL)
    site.recorder.kill()


def alarms(running: Running) -> dict[str, str]:
    return {alarm["key"]: alarm["text"] for alarm in running.state()["alarms"]}


@pytest.mark.timeout(240)
def test_rules_are_reloaded_and_pauses_survive_while_the_recorder_runs_on(running: Running) -> None:
    running.until(lambda: running.steady(1.0))
    state = running.state()
    run, station = state["run"], state["recordings"][0]["station"]
    config = Path(running.config)
    text = config.read_text()

    config.write_text(
        text.replace("[[rules]]", '[[rules]]\nname = "new"\naction = "never"\nstations = ["3999"]\n[[rules]]', 1)
    )
    assert running.osrec("rules", "reload")["changed"] is True
    assert running.osrec("rules", "show")["active"]["names"][0] == "new"
    assert len(running.state()["recordings"]) == len(state["recordings"])

    config.write_text(text.replace("[[rules]]", '[[rules]]\nname = "wrong"\naction = "recrod"\n[[rules]]', 1))
    os.kill(running.recorder.pid, signal.SIGHUP)  # as systemd's reload does
    running.until(lambda: "rules" in alarms(running))
    assert "rules[0].action = 'recrod'" in alarms(running)["rules"]

    config.write_text(text)
    os.kill(running.recorder.pid, signal.SIGHUP)
    running.until(lambda: running.osrec("rules", "show")["active"]["names"][0] != "new")
    assert "rules" not in alarms(running)

    assert running.osrec("call", "pause", station)["journalled"] is True
    glance = subprocess.run(
        [command("osrec"), "status", "-c", running.config], capture_output=True, text=True, check=True
    ).stdout
    assert glance.count("PAUSED") == 1
    assert "recorded in full" in glance

    running.kill("main")
    running.until(lambda: (new := status(running.directory)) and new["run"] != run and new["recordings"])
    paused = [one["station"] for one in running.state()["recordings"] if one["paused"]]
    assert paused == [station]
    assert running.osrec("call", "resume", station)["journalled"] is True
    assert not any(one["paused"] for one in running.state()["recordings"])
