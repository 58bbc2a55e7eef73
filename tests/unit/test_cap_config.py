"""[cap] of the emulator's file: what is wrong in it is named with key, value and rule."""

from pathlib import Path

import pytest

from osrec.errors import ConfigError
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.config import load_config
from tests.unit.test_emulator_config import GOOD, write

EXAMPLE = Path(__file__).parents[2] / "docs" / "pbx.toml"


@pytest.mark.parametrize(
    ("cap", "complaint"),
    [
        ('framing = "be3"', "cap.framing = 'be3': Input should be 'be2', 'siemens'"),
        ('encoding = "xml"', "cap: framing 'be2' with encoding 'xml': XML needs xml8"),
        ('framing = "xml8"', "cap: framing 'xml8' with encoding 'asn1': XML needs xml8"),
        (
            'encoding = "xml"\nframing = "xml8"\ndevice_form = "tel"',
            "cap: device form 'tel': it has to hold {number} once, as in tel:{number}",
        ),
        ('also_listen = ["1041"]', "cap.also_listen[0] = '1041': '1041' is no address and port such as"),
        ('version = "abc"', "cap.version = 'abc': 'abc' is neither octets in hex such as 1000, nor"),
        ("first_invoke_id = 0", "cap.first_invoke_id = 0: Input should be greater than or equal to 1"),
        ("faults.events.lost_evry = 3", "cap.faults.events.lost_evry = 3: no such key; there are damaged_every"),
        ("faults.events.lost_every = 0", "cap.faults.events.lost_every = 0: Input should be greater than or equal"),
        ('faults.association.refuse = "no"', "cap.faults.association.refuse = 'no': Input should be 'reject'"),
        (
            'faults.answers.refuse_monitors = [{devices = "*", category = "x"}]',
            "cap.faults.answers.refuse_monitors[0].category = 'x': 'x' is no category of errors; there are operation",
        ),
        (
            'faults.timed = [{what = "cut"}]',
            "cap.faults.timed[0]: give either `at` (PBX time) or `after` (from the association on)",
        ),
        (
            'faults.timed = [{what = "cut", at = 1, seconds = 3}]',
            "cap.faults.timed[0]: `seconds` goes with half_open, lose_events, pause_reading, silence, status, "
            "not with 'cut'",
        ),
        ('faults.timed = [{what = "status", at = 1}]', "cap.faults.timed[0]: `status` goes with what = 'status'"),
        (
            'faults.timed = [{what = "status", at = 1, status = "fine"}]',
            "cap.faults.timed[0]: status 'fine': there are initializing, enabled, normal, messages_lost",
        ),
        (
            'faults.timed = [{what = "monitor_stop", at = 1}]',
            "cap.faults.timed[0]: `devices` (a pattern such as 31*) goes with what = 'monitor_stop'",
        ),
        ("clients = [{faults = {}}]", "cap.clients[0]: name at least one of `user`, `address`, `connections`"),
        (
            "clients = [{listener = 2, faults = {}}]",
            "cap: clients[0].listener = 2: there are 1: `listen` with `port`, and those of `also_listen`",
        ),
        ("restarts = [{at = 1, every = 4}]", "cap.restarts[0]: `every` = 4 s leaves no time between outages of"),
        ("restarts = [{at = 1, listener = 3}]", "cap: restarts[0].listener = 3: there are 1"),
        (
            'encoding = "xml"\nframing = "xml8"\nfaults.events.indefinite_every = 9',
            "cap: faults.events.indefinite_every = 9: indefinite lengths are BER's",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, cap: str, complaint: str) -> None:
    file = write(tmp_path, GOOD.replace("port = 0", f"port = 0\n{cap}"))
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    assert str(raised.value).startswith(f"{file}: {complaint}")


def test_the_example_declares_every_key_there_is() -> None:
    """Whoever adds a key tells of it in docs/pbx.toml."""
    example = load_config(EXAMPLE).cap
    unset = {key for key in CapConfig.model_fields if key not in example.model_fields_set}
    assert unset == set()
    for section in ("session",):
        assert getattr(example, section).model_fields_set == set(type(getattr(example, section)).model_fields)
    faults = example.faults
    assert faults.model_fields_set == set(type(faults).model_fields)
    for section in ("status", "limits", "answers", "events", "transport"):
        declared = getattr(faults, section)
        assert declared.model_fields_set == set(type(declared).model_fields), section
    text = EXAMPLE.read_text()
    for word in ("half_open", "pause_reading", "lose_events", '"silence"', '"cut"', '"junk"'):
        assert word in text


def test_without_a_word_the_server_is_healthy() -> None:
    config = CapConfig()
    assert config.faults == type(config.faults)()
    assert not (config.clients)
    assert not (config.restarts)
    assert not config.licence_changes
