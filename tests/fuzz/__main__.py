"""Fuzz each target for some seconds, or run the data of a finding once more.

`python -m tests.fuzz [--seconds 60] [TARGET ...]` runs the targets one after the other, each in a process of its own;
`python -m tests.fuzz TARGET --data FILE` shows what a finding raises, and needs no atheris.
The corpus of a target grows in build/fuzz and is taken up again.
"""

import argparse
import re
import subprocess
import sys
from hashlib import sha1
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fuzz.targets import Target

PLACE = Path("build/fuzz")
NAMES = ("q921", "q931", "access", "hdlc", "framer", "csta-asn1", "csta-xml", "csta-framing")
INSTRUMENTED = ["osrec.wire", "osrec.isdn", "osrec.cli.decode_q931", "tests.reference"]
SLOWEST = 10  # seconds that one run may take
MOST_MEMORY = 1024  # Mbyte
FIGURES = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
EXECUTIONS = re.compile(r"stat::number_of_executed_units: +(\d+)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("target", nargs="*", choices=[*NAMES, []], help=f"all, if none is named: {', '.join(NAMES)}")
    parser.add_argument("--seconds", type=int, default=60, help="of each target")
    parser.add_argument("--data", type=Path, help="run the data of this file once, as they were found")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # in this process: how targets are run
    said = parser.parse_args()
    names = said.target or NAMES
    if said.data:
        for name in names:
            _target(name).run(said.data.read_bytes())
        return 0
    if said.here:
        return _fuzz_here(names[0], said.seconds)
    return max([_fuzz(name, said.seconds) for name in names])


def _target(name: str) -> "Target":
    target: Target = import_module("tests.fuzz.targets").TARGETS[name]
    return target


# --- the process that runs one after the other


def _fuzz(name: str, seconds: int) -> int:
    """Run one target and say in a line how it went. 1 when there is a finding."""
    place = PLACE / name
    place.mkdir(parents=True, exist_ok=True)
    log = place / "log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "tests.fuzz", "--here", "--seconds", str(seconds), name]
        failed = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode != 0
    text = log.read_text(errors="replace")
    figures, executions = FIGURES.findall(text), EXECUTIONS.findall(text)
    cov, features, corpus = figures[-1] if figures else ("?", "?", "?")
    done = executions[-1] if executions else "?"
    verdict = "FINDING" if failed else "no finding"
    print(
        f"{name:13} {done:>9} runs  {cov:>5} edges  {features:>6} features  corpus {corpus:>5}  {verdict}", flush=True
    )
    if failed:
        _show(name, text, log)
    return int(failed)


def _show(name: str, text: str, log: Path) -> None:
    found = re.findall(r"Test unit written to (\S+)", text)
    begin = max(text.find("Uncaught Python exception"), 0)
    print("\n".join(text[begin:].splitlines()[:40] if begin else text.splitlines()[-15:]))
    print(f"all of it: {log}")
    if found:
        print(f"once more: {sys.executable} -m tests.fuzz {name} --data {found[-1]}", flush=True)


# --- the process of one target


def _fuzz_here(name: str, seconds: int) -> int:
    """Does not return: libFuzzer ends the process."""
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=INSTRUMENTED):
        target = _target(name)
    place = PLACE / name
    corpus = place / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / sha1(seed).hexdigest()).write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={target.longest}",
        f"-timeout={SLOWEST}",
        f"-rss_limit_mb={MOST_MEMORY}",
        f"-artifact_prefix={place}/",
        "-print_final_stats=1",
    ]
    words = "".join(f'"{_escaped(word)}"\n' for word in target.words())
    if words:  # libFuzzer takes no empty file
        (place / "words").write_text(words)
        options.append(f"-dict={place / 'words'}")
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.run)
    atheris.Fuzz()
    return 0


def _escaped(word: bytes) -> str:
    """As a dictionary of libFuzzer wants it."""
    return "".join(f"\\x{octet:02x}" for octet in word)


if __name__ == "__main__":
    sys.exit(main())
