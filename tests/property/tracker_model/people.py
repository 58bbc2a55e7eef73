"""Who there is at the machines' PBX, and which move somebody makes next."""

import random

from osrec_emulators.pbx.moves import Move, Moves
from osrec_emulators.pbx.switch import Switch

STATIONS = [f"310{n}" for n in range(6)]
OUTSIDE = ["0891", "0892"]
PORTS = ["7101", "7102", "7103", "7104"]  # the recorder's own
PATTERNS_OF_TRUNKS = ["78??"]
PATTERNS_OF_GROUPS = ["38??", "39??"]
WEIGHTS = {  # commands that make calls more interesting are likelier than others, which have 4
    "answer": 30,
    "consult": 12,
    "transfer": 24,
    "conference": 24,
    "make_call": 8,
    "incoming": 8,
    "forward": 1,
    "unforward": 1,
    "mark_busy": 1,
    "account": 1,
    "user_data": 1,
    "correlator": 1,
    "digits": 1,
}


def is_group(number: str) -> bool:
    """Whether it is that of a queue, a group, a park slot, or of nobody else."""
    return number.startswith(("38", "39"))


def choose(switch: Switch, chance: random.Random) -> Move:
    """One of the moves that are possible now."""
    by_command: dict[str, list[Move]] = {}
    for move in Moves(switch, OUTSIDE).possible():
        by_command.setdefault(move.command, []).append(move)
    commands = list(by_command)
    command = chance.choices(commands, [WEIGHTS.get(command, 4) for command in commands])[0]
    return chance.choice(by_command[command])
