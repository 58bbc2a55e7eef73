"""The audio plane: who is heard on which port, in step, exactly."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from osrec.errors import ConfigError, UsageError
from osrec_emulators.audio import alaw, tones
from osrec_emulators.audio.alaw import Octets
from osrec_emulators.audio.plane import AudioPlane, mix
from osrec_emulators.audio.voices import load_voices
from osrec_emulators.pbx.media import Fork, Side, Source, Tone, Voice

SPEECH = Path(__file__).parents[1] / "vectors" / "speech"


class Network:
    """A topology that a test writes by hand."""

    def __init__(self) -> None:
        self.version = 0
        self.forks: Mapping[str, Fork] = {}
        self.heard: dict[str, Sequence[Source]] = {}
        self.speech: dict[str, str] = {}

    def hears(self, device: str) -> Sequence[Source]:
        return self.heard.get(device, ())

    def speaks(self, device: str) -> bool:
        return device in self.speech

    def says(self, device: str) -> str:
        return self.speech[device]

    def fork(self, station: str, own: str, other: str) -> None:
        self.forks = {
            **self.forks,
            own: Fork(own, station, Side.OWN, "0a01"),
            other: Fork(other, station, Side.OTHER, "0a01"),
        }
        self.version += 1


def two_party() -> Network:
    network = Network()
    network.speech = {"3101": "en-order", "3102": "pl-serwis"}
    network.heard = {"3101": [Voice("3102")], "3102": [Voice("3101")]}
    return network


def render(plane: AudioPlane, *counts: int) -> dict[str, Octets]:
    """Audio by port, block after block."""
    blocks = [plane.render(count) for count in counts]
    return {
        fork.port: np.concatenate([block.octets[row] for block in blocks]) for row, fork in enumerate(blocks[0].forks)
    }


def plane_of(network: Network) -> AudioPlane:
    return AudioPlane(network, load_voices(SPEECH))


def test_own_is_a_cut_of_the_stations_speech_and_other_one_of_the_other_party() -> None:
    network = two_party()
    network.fork("3101", "7101", "7102")
    audio = render(plane_of(network), *[80] * 100)
    for port, speech in (("7101", "en-order"), ("7102", "pl-serwis")):
        twice = np.tile(load_voices(SPEECH)[speech], 2).tobytes()
        assert audio[port].tobytes() in twice


def test_both_forks_of_a_call_carry_the_same_voices_crosswise_and_in_step() -> None:
    network = two_party()
    network.fork("3101", "7101", "7102")
    network.fork("3102", "7103", "7104")
    audio = render(plane_of(network), 80, 160, 8, 800)
    assert np.array_equal(audio["7101"], audio["7104"])
    assert np.array_equal(audio["7102"], audio["7103"])


def test_speech_goes_on_in_pbx_time_whether_it_is_forked_or_not() -> None:
    network = two_party()
    plane = plane_of(network)
    plane.render(12345)
    network.fork("3101", "7101", "7102")
    late = render(plane, 400)
    network = two_party()
    network.fork("3101", "7101", "7102")
    early = render(plane_of(network), 12345 + 400)
    assert np.array_equal(late["7101"], early["7101"][12345:])


def test_speech_begins_again_at_its_end() -> None:
    network = two_party()
    network.fork("3101", "7101", "7102")
    speech = load_voices(SPEECH)["en-order"]
    audio = render(plane_of(network), len(speech), 500)
    assert np.array_equal(audio["7101"][len(speech) :], audio["7101"][:500])


def test_stations_with_the_same_speech_are_at_different_places_in_it() -> None:
    network = Network()
    network.speech = {"3101": "en-order", "3102": "en-order"}
    network.fork("3101", "7101", "7102")
    network.fork("3102", "7103", "7104")
    audio = render(plane_of(network), 800)
    assert not np.array_equal(audio["7101"], audio["7103"])


def test_who_does_not_speak_is_idle() -> None:
    network = Network()
    network.heard = {"3101": [Voice("3102")]}
    network.fork("3101", "7101", "7102")
    audio = render(plane_of(network), 80)
    assert set(audio["7101"].tolist()) == set(audio["7102"].tolist()) == {alaw.IDLE}


def test_a_conference_hears_the_sum_of_the_others() -> None:
    network = two_party()
    network.speech["3103"] = "de-zentrale"
    network.heard["3101"] = [Voice("3102"), Voice("3103")]
    for number in (1, 2, 3):
        network.fork(f"310{number}", f"710{number}", f"720{number}")
    audio = render(plane_of(network), 8000)
    total = alaw.decode(audio["7102"]).astype(int) + alaw.decode(audio["7103"])
    assert np.array_equal(audio["7201"], alaw.encode(np.clip(total, -32768, 32767).astype(np.int16)))


def test_a_conference_with_one_that_speaks_carries_exactly_its_octets() -> None:
    network = two_party()
    network.heard["3101"] = [Voice("3102"), Voice("3103")]
    network.fork("3101", "7101", "7102")
    network.fork("3102", "7103", "7104")
    audio = render(plane_of(network), 800)
    assert np.array_equal(audio["7102"], audio["7103"])


def test_a_sum_beyond_full_scale_saturates() -> None:
    loudest = np.full((2, 4), 0xAA, np.uint8)
    assert mix(loudest).tolist() == [0xAA] * 4


def test_a_station_hears_tones() -> None:
    network = two_party()
    network.heard["3101"] = [Tone("ringback")]
    network.fork("3101", "7101", "7102")
    audio = render(plane_of(network), 40000)
    assert np.array_equal(audio["7102"], tones.call_progress()["ringback"])


def test_a_numbered_tone_tells_party_and_pbx_time() -> None:
    network = two_party()
    network.speech = {"3101": "tone:17", "3102": "tone:40000"}
    network.fork("3101", "7101", "7102")
    plane = AudioPlane(network, {}, position=tones.BLOCK * (tones.BLOCKS - 2) + 100)
    audio = render(plane, *[56] * 20)
    for port, number in (("7101", 17), ("7102", 40000)):
        marks = tones.find_marks(audio[port])
        assert [(mark.index, mark.number) for mark in marks] == [(60 + 160 * n, number) for n in range(7)]
        whole = tones.BLOCK * tones.BLOCKS
        assert [mark.sample for mark in marks] == [(whole - 160 + 160 * n) % whole for n in range(7)]


def test_who_was_given_no_speech_says_some_always_the_same() -> None:
    network = two_party()
    network.speech["3101"] = ""
    network.fork("3101", "7101", "7102")
    first, again = render(plane_of(network), 8000), render(plane_of(network), 8000)
    assert len(set(first["7101"].tolist())) > 20
    assert np.array_equal(first["7101"], again["7101"])


@pytest.mark.parametrize("name", ["nonsense", "tone:x", "tone:65536"])
def test_speech_that_does_not_exist_is_named(name: str) -> None:
    network = two_party()
    network.speech["3101"] = name
    network.fork("3101", "7101", "7102")
    with pytest.raises(UsageError, match=name):
        plane_of(network)


def test_forks_are_the_same_object_until_one_comes_or_goes() -> None:
    network = two_party()
    network.fork("3101", "7101", "7102")
    plane = plane_of(network)
    first = plane.render(80).forks
    network.version += 1  # something else changed
    assert plane.render(80).forks is first
    network.fork("3102", "7103", "7104")
    assert plane.render(80).forks is not first


def test_sixty_slots_take_far_less_than_real_time() -> None:
    network = Network()
    for number in range(30):
        station = f"31{number:02}"
        network.speech[station] = "en-order"
        network.heard[station] = [Voice(f"31{(number + 1) % 30:02}")]
        network.fork(station, f"71{number:02}", f"72{number:02}")
    plane = plane_of(network)
    started = time.process_time()
    for _ in range(500):
        plane.render(80)  # 5 s
    assert time.process_time() - started < 0.5  # a tenth of a core; it is near a hundredth


def test_a_directory_without_speech_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no speech files"):
        load_voices(tmp_path)


def test_the_speech_of_this_project_is_near_minus_20_dbm0() -> None:
    voices = load_voices(SPEECH)
    assert len(voices) >= 6
    for octets in voices.values():
        assert 15 * 8000 <= len(octets) <= 30 * 8000
        blocks = alaw.decode(octets[: len(octets) // 160 * 160]).reshape(-1, 160).astype(float)
        power = (blocks**2).mean(axis=1)
        spoken = np.sqrt(power[power > power.max() / 1000].mean())
        assert -23 < 20 * np.log10(spoken * np.sqrt(2) / tones.PEAK) + tones.FULL_SCALE_DBM0 < -18
        assert (power < power.max() / 10000).mean() > 0.1  # pauses
