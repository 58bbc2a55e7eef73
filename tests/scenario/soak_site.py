"""The site of the soak: 200 stations with every feature, 30 pairs, more traffic than they can carry, many faults."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.scenario.site import Site
from tests.scenario.soak_link_troubles import QUIET_LINK, LinkTroubles, declared, servers
from tests.scenario.soak_moments import moments
from tests.scenario.soak_variants import PLAIN, Variant

STATIONS = 200
PAIRS = 30
ANSWERED = 32.0  # Erlang of answered calls: two over what the pairs can carry
OFFERED = ANSWERED * 1.3  # with those that are busy, give up, wait in queues
JOURNAL = {"segments": 16, "reserve_seconds": 25.0}  # a full disk leaves room for 35 s of all pairs
GROUPS = [
    {"kind": "hunt", "number": "3800", "members": ["3280-3283"], "order": "cyclic", "ring_time": 6},
    {"kind": "queue", "number": "3900", "members": ["3284-3289"], "wrap_up": 2},
    {"kind": "parallel", "number": "3810", "members": ["3290-3292"]},
    {"kind": "shared", "number": "3811", "members": ["3293-3295"]},
    {"kind": "hotline", "number": "3299", "calls": "3800"},
    {"kind": "disa", "number": "3999"},
    {"kind": "park", "numbers": "3850-3859"},
]
SHARES = {
    "busy": 0.05, "no_answer": 0.05, "forward": 0.08, "deflect": 0.05, "pickup": 0.05, "group": 0.15, "camp_on": 0.04,
    "callback": 0.04, "disa": 0.03,
    "hold": 0.12, "transfer": 0.12, "conference": 0.1, "alternate": 0.06, "blind_transfer": 0.08, "transfer_out": 0.06,
    "park": 0.08, "replace_path": 0.08, "details": 0.1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how bad. `seconds` of PBX time; times between two troubles of a kind are means."""

    seconds: float
    encoding: str
    seed: int = 1
    link_cut_every: float = 90.0
    licences_short_every: float = 150.0
    line_alarm_every: float = 100.0
    link: LinkTroubles = QUIET_LINK
    variant: Variant = PLAIN


def make_site(directory: Path, plan: Plan) -> Site:
    """Static and dynamic device ids, and how snapshots are cut in segments, go by the seed."""
    xml = plan.encoding == "xml"
    return Site(
        directory,
        stations=STATIONS,
        pairs=PAIRS,
        pbx=_pbx(plan),
        cap=_cap(plan),
        csta={"encoding": plan.encoding, "servers": servers(), "fail_over_after": 8, "fail_back": 20}
        | ({} if xml else {"starts_per_second": 200}),
        site={"groups": ["38??", "3900", "3999"]},
        data=JOURNAL,
        recording=plan.variant.recording,
        rules=plan.variant.rules,
    )


def _pbx(plan: Plan) -> dict[str, Any]:
    return {
        "trunks": [{"range": "7801-7860", "voices": ["en-reception", "de-zentrale"]}],
        "call_waiting": ["3280-3299"],
        "recall_after": 15,
        "hold_recall_after": 60,
        "connection_ids": "dynamic" if plan.seed % 2 else "static",
        "groups": GROUPS,
        "load": {"erlang": OFFERED, "mean_hold": 40.0, "seed": plan.seed, "conference_parties": 6} | SHARES,
        "fork": plan.variant.fork
        | {
            "faults": {
                "seed": plan.seed,
                "refuse": {"rate": 0.02, "errors": ["resourceBusy", "conferenceMemberLimitExceeded"]},
                "unanswered": {"rate": 0.005},
                "late": {"rate": 0.01, "seconds": [0.5, 6.0]},
                "lost": {"rate": 0.03, "after": [2.0, 20.0]},
            }
        },
    }


def _cap(plan: Plan) -> dict[str, Any]:
    every = 97 if plan.encoding == "asn1" else 89
    events = {
        "duplicate_every": every,
        "reorder_every": every + 10,
        "unknown_cause_every": every + 4,
        "unknown_member_every": every + 6,
        "unknown_event_every": every + 40,
        "private_every": every + 20,
        "eight_bit_every": every + 60,
        "junk_every": every + 100,
    }
    if plan.encoding == "asn1":
        events["indefinite_every"] = every + 30
    faults = {"seed": plan.seed, "events": events, "answers": {"snapshot_segments": plan.seed % 3}}
    return {
        "encoding": plan.encoding,
        "framing": "xml8" if plan.encoding == "xml" else "be2",
        "status_interval": 30,
        "licence_changes": _licence_changes(plan),
    } | declared(plan.link, faults, plan.seed, plan.seconds)


def _licence_changes(plan: Plan) -> list[dict[str, Any]]:
    """Now and then there are too few licences for a while."""
    rng = random.Random(f"licences {plan.seed}")
    changes: list[dict[str, Any]] = []
    for when in moments(rng, plan.seconds, plan.licences_short_every):
        changes.append({"at": when, "licences": rng.randrange(STATIONS // 2, STATIONS)})
        changes.append({"at": when + rng.uniform(5.0, 14.0)})
    return changes
