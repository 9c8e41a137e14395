"""An experiment: a market drawn anew many times, and what the package says of each held against the truth."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Outcomes = dict[str, bool | None]
"""By what was said: whether the interval covered or the test rejected; None where it said nothing."""

COVERS, REJECTS = "covers", "rejects"


@dataclass(frozen=True)
class Experiment:
    """One thing that is simulated.

    Parameters
    ----------
    name
        What is looked at, such as ``intervals of a run``.
    case
        Under which process, length and holding pattern.
    kind
        ``covers``: outcomes are whether a 95% interval held the truth. ``rejects``: whether a test at 5%
        rejected a true null hypothesis.
    once
        Draws one market and returns the outcomes.
    simulations
        How many markets the published table draws.
    """

    name: str
    case: str
    kind: str
    once: Callable[[np.random.Generator], Outcomes]
    simulations: int = 1000

    def outcomes(self, first: int, last: int) -> list[Outcomes]:
        """Return the outcomes of simulations ``first`` to ``last - 1``, the same whoever draws them."""
        key = zlib.crc32(f"{self.name}|{self.case}".encode())
        return [self.once(np.random.default_rng([key, number])) for number in range(first, last)]


def counted(outcomes: list[Outcomes]) -> dict[str, tuple[int, int]]:
    """Return by what was said how often it was so, and how often anything was said."""
    names = dict.fromkeys(name for outcome in outcomes for name in outcome)
    told = {name: [o[name] for o in outcomes if o.get(name) is not None] for name in names}
    return {name: (sum(map(bool, values)), len(values)) for name, values in told.items()}
