"""When something goes wrong that goes wrong every so often."""

import random
from collections.abc import Iterator


def moments(rng: random.Random, seconds: float, every: float) -> Iterator[float]:
    """When something happens that happens `every` so many seconds on average: not at once, not at the very end."""
    when = 20.0 + rng.expovariate(1 / every)
    while when < seconds - 30.0:
        yield when
        when += 15.0 + rng.expovariate(1 / every)
