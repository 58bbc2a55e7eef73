"""Available and unavailable time of a whole record at once, from the text of G.826 annex A: the oracle of the bins."""

from collections.abc import Sequence


def available(severe: Sequence[bool], enter: int = 10, leave: int = 10) -> list[bool]:
    """For each second whether its time is available."""
    out: list[bool] = []
    state = True
    while len(out) < len(severe):
        rest = severe[len(out) :]
        turn = enter if state else leave
        state = not state if len(rest) >= turn and all(one is state for one in rest[:turn]) else state
        out.append(state)
    return out
