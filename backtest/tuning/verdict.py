"""The verdict on a sweep's winner: which tests decide, and what others add; the rule of docs/tuning.md."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backtest.tuning.truth import Truth

HOLDS, LUCK, OPEN = "holds up", "looks like luck", "cannot be told"
"""Every test that decides says so; none does, though an edge worth having would have shown; or neither."""

LEVEL = 0.05
"""The level of the tests that decide."""

WORTH_HAVING = 0.5
"""The information ratio a year that makes an edge worth having; a sample that cannot show it cannot tell."""

UNSETTLED = 0.25
"""The probability of overfitting above which it is not settled which of the trials is the best."""

_POWER = 0.8416  # the normal quantile of a power of 80%


@dataclass(frozen=True)
class Judgement:
    """What a sweep says of its winner.

    Parameters
    ----------
    outcome
        ``HOLDS``, ``LUCK`` or ``OPEN``.
    superior, shifted
        Whether SPA with StepM, and the placebo, say that it is no luck; None where a test says nothing.
    visible
        The information ratio a year that a trial would need for SPA to see it in four samples of five; NaN
        where the sample is too short for the test.
    unsettled
        Whether another trial is often the best of another half of the data.
    follows
        Whether what is chosen on one half of the data mostly beats the benchmark on the other; None unknown.
    """

    outcome: str
    superior: bool | None
    shifted: bool | None
    visible: float
    unsettled: bool
    follows: bool | None


def judged(truth: Truth) -> Judgement:
    """Return the verdict on a winner."""
    tested, placebo, crossed = truth.superior, truth.placebo, truth.crossvalidation
    superior = None
    if not math.isnan(tested.pvalue):
        superior = tested.pvalue <= LEVEL and truth.named is not False
    shifted = None
    if placebo is not None and not math.isnan(placebo.pvalue):
        shifted = placebo.pvalue <= LEVEL
    visible = (tested.hurdle + _POWER) / math.sqrt(truth.n_years)
    if superior and shifted is not False:
        outcome = HOLDS
    elif superior or shifted or not visible <= WORTH_HAVING:
        outcome = OPEN
    else:
        outcome = LUCK
    unsettled = crossed is not None and crossed.probability > UNSETTLED
    follows = None if crossed is None else crossed.behind <= UNSETTLED
    return Judgement(outcome, superior, shifted, visible, unsettled, follows)
