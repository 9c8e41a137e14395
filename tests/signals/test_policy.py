"""Policy: first cuts on the published target, and the stance against a slow loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.series import Series
from backtest.signals.policy import PolicyRate
from tests.signals.cases import MONTHS, fills

if TYPE_CHECKING:
    from backtest import MarketData

FIRST_CUTS = [
    *("1984-09-20", "1987-11-04", "1989-06-06", "1995-07-06", "1998-09-29", "2001-01-03"),
    *("2007-09-18", "2019-07-31", "2024-09-18"),
]
"""The Fed's, as the design has them; see Board of Governors, Open market operations."""


def test_the_first_cuts_are_those_of_the_published_target(embedded: MarketData) -> None:
    found = embedded.known().policy.first_cuts(quiet=12, at_least=0.25)
    assert found.dates().astype(str).tolist() == FIRST_CUTS


def test_easing_ends_with_the_first_rise_of_each_cycle(embedded: MarketData) -> None:
    eases = embedded.known().policy.easing(at_least=0.25)
    starts, stops = (embedded.bars.dates[np.minimum(edges, 1108)].astype(str) for edges in eases.runs())
    runs = dict(zip(starts.tolist(), stops.tolist(), strict=True))
    # Cut 2001-01-03, first rise 2004-06-30 (a fill's own day does not count); cut 2007-09-18, rise 2015-12-16.
    assert runs["2001-01-31"] == "2004-07-30"
    assert runs["2007-09-28"] == "2015-12-31"


moves = st.lists(
    st.tuples(st.integers(1, 200), st.sampled_from([-0.5, -0.25, -0.1, 0.1, 0.25, 0.5])),
    min_size=1,
    max_size=25,
)


@settings(max_examples=30)
@given(moves, st.integers(0, 6), st.sampled_from([0.0, 0.25, 0.5]))
def test_the_stance_is_that_of_a_slow_loop(
    made: list[tuple[int, float]], after: int, at_least: float
) -> None:
    days = np.datetime64("1990-01-10") + np.cumsum([gap for gap, _ in made])
    dates = np.r_[np.datetime64("1990-01-10"), days]
    target = Series("T", dates, 5.0 + np.r_[0.0, np.cumsum([m for _, m in made])], dates)
    signal = PolicyRate(fills(), target).easing(np.array([at_least, at_least]), np.array([after, after]))
    for fill, day in enumerate(MONTHS):
        past = [(k, m) for k, (_, m) in zip(days, made, strict=True) if k < day and abs(m) >= at_least - 1e-9]
        rises = [k for k, m in past if m > 0]
        cuts = [k for k, m in past if m < 0 and (not rises or k > rises[-1])]
        wait = pd.Timestamp(cuts[0]) + pd.DateOffset(months=after) if cuts else pd.NaT
        for which in range(2):
            assert signal.at(fill, which) == (bool(cuts) and pd.Timestamp(day) > wait)
            assert (signal.first[which] <= fill) == bool(past)


def test_rows_and_single_values_agree(embedded: MarketData) -> None:
    policy = embedded.known().policy
    delays, quiet = np.array([0, 3, 12]), np.array([6, 12, 24])
    rows = policy.first_cuts(quiet, 0.25).within(delays, delays + 18)
    eases = policy.easing(np.array([0.0, 0.25, 0.5]), delays)
    for which in range(3):
        alone = policy.first_cuts(int(quiet[which]), 0.25).within(int(delays[which]), int(delays[which]) + 18)
        np.testing.assert_array_equal(rows.dense(which), alone.dense())
        assert rows.first[which] == alone.first[0]
        alone = policy.easing([0.0, 0.25, 0.5][which], int(delays[which]))
        np.testing.assert_array_equal(eases.dense(which), alone.dense())
