"""Cleaning along a line: splits, implausible returns and what is not believed, case by case and at random."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.universe.cleaning import (
    ADJUSTED,
    CONFLICT,
    GIVEN,
    GOOD,
    IMPLAUSIBLE,
    JUMP,
    LATE,
    NO_RETURN,
    RAW,
    SAME,
    SPLIT,
    Delivered,
    Limits,
)
from backtest.universe.cleaning import cleaned as cleaning


def cleaned(
    price: list[float],
    cap: list[float],
    way: int = RAW,
    limits: Limits | None = None,
    **columns: list[float],
) -> tuple[list[int], list[float]]:
    n = len(price)
    none, rates = [math.nan] * n, columns.get("fx", [1.0] * n)
    given, split, dividend = (np.array(columns.get(c, none)) for c in ("given", "split", "dividend"))
    rows = Delivered(
        np.zeros(n, np.int32),
        np.arange(n, dtype=np.int32),
        np.array(price),
        np.array(cap),
        given,
        split,
        dividend,
        np.array(rates),
        np.ones(n, np.bool_),
    )
    code, returns, kept = cleaning(rows, way, limits or Limits())
    assert kept.tolist() == [c not in (SAME, CONFLICT, JUMP) for c in code]
    return code.tolist(), returns.tolist()


def test_a_raw_price_that_splits_keeps_its_return() -> None:
    # Nvidia, ten for one in June 2024: price and capitalisation as the screener had them, rounded.
    code, returns = cleaned([1096.3, 123.54], [2.697e12, 3.0389e12])
    assert code == [GOOD, SPLIT]
    assert returns[1] == pytest.approx(123.54 * 10.0 / 1096.3 - 1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("ratio", "move"), [(2.0, 0.9), (3.0, 1.1), (1.5, 1.02), (0.1, 0.7), (0.05, 1.4), (20.0, 1.0)]
)
def test_splits_and_reverse_splits_are_found(ratio: float, move: float) -> None:
    code, returns = cleaned([100.0, 100.0 * move / ratio], [1e9, 1e9 * move])
    assert code == [GOOD, SPLIT]
    assert returns[1] == pytest.approx(move - 1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("price", "cap"),
    [
        (0.3, 0.3),  # a crash: the share count stays
        (3.5, 3.5),  # a rally
        (0.95, 1.9),  # as many new shares as old ones at nearly the old price: an issue, or a merger
        (0.3, 1.02),  # 3.4 times the shares at 0.3 times the price is no usual ratio
    ],
)
def test_what_is_no_split_is_none(price: float, cap: float) -> None:
    code, returns = cleaned([100.0, 100.0 * price], [1e9, 1e9 * cap])
    assert code == [GOOD, GOOD]
    assert returns[1] == pytest.approx(price - 1.0, abs=1e-12)


def test_a_share_count_that_comes_a_bar_late_is_believed_then() -> None:
    code, returns = cleaned([100.0, 26.0, 27.0], [1e9, 0.26e9, 1.08e9])
    assert code == [GOOD, LATE, GOOD]
    assert returns[1:] == pytest.approx([0.04, 27.0 / 26.0 - 1.0], abs=1e-12)
    code, returns = cleaned([100.0, 26.0, 27.0], [1e9, 0.26e9, 0.27e9])
    assert code == [GOOD, GOOD, GOOD]
    assert returns[1] == pytest.approx(-0.74, abs=1e-12)


@pytest.mark.parametrize(
    ("price", "cap"),
    [
        ([0.1, 1.5, 1.5], [1e6, 15e6 / 22.4, 15e6 / 22.4]),  # a 22nd of the shares
        ([0.1, 0.9, 1.0], [1e6, 9e6, 10e6 / 2.75]),  # a third of them and some new ones, told a bar late
    ],
)
def test_shares_put_together_at_a_ratio_that_nobody_can_tell_give_no_return(
    price: list[float], cap: list[float]
) -> None:
    code, returns = cleaned(price, cap)
    assert code[1] == IMPLAUSIBLE
    assert math.isnan(returns[1])
    assert returns[2] == pytest.approx(price[2] / price[1] - 1.0)


def test_a_late_share_count_is_heard_where_its_own_row_is_held_back() -> None:
    code, returns = cleaned([0.1, 1.6, 1.6], [1e6, 16e6, 16e6 / 20.0])
    assert code == [GOOD, LATE, JUMP]
    assert returns[1] == pytest.approx(16.0 / 20.0 - 1.0)


@pytest.mark.parametrize(("price", "cap"), [(1.9, 0.9), (2.5, 1.3)])
def test_a_rise_with_fewer_shares_is_one_as_long_as_either_is_small(price: float, cap: float) -> None:
    code, returns = cleaned([100.0, 100.0 * price], [1e9, 1e9 * cap])
    assert code == [GOOD, GOOD]
    assert returns[1] == pytest.approx(price - 1.0)


def test_prices_with_splits_and_dividends_make_total_returns() -> None:
    nan = math.nan
    code, returns = cleaned(
        [100.0, 51.0, 50.0], [1e9] * 3, ADJUSTED, split=[nan, 2.0, nan], dividend=[nan, nan, 1.5]
    )
    assert code == [GOOD] * 3
    assert returns[1:] == pytest.approx([0.02, 51.5 / 51.0 - 1.0], abs=1e-12)


def test_given_returns_are_taken_as_they_are_and_missing_ones_counted() -> None:
    code, returns = cleaned([1.0] * 4, [1e9] * 4, GIVEN, given=[9.0, 0.5, math.nan, -1.0])
    assert code == [GOOD, GOOD, NO_RETURN, GOOD]
    assert math.isnan(returns[0])
    assert (returns[1], returns[3]) == (0.5, -1.0)


def test_a_return_in_another_currency_moves_with_the_rate() -> None:
    _, returns = cleaned([1.0] * 2, [1e9] * 2, GIVEN, given=[math.nan, 0.1], fx=[0.02, 0.025])
    assert returns[1] == pytest.approx(1.1 * 1.25 - 1.0, abs=1e-12)


def test_a_move_beyond_belief_is_counted_and_not_used() -> None:
    code, returns = cleaned([1.0, 25.0, 25.0, 1.0], [1e6, 25e6, 25e6, 1e6])
    assert code[1] == IMPLAUSIBLE
    assert math.isnan(returns[1])
    assert returns[2] == 0.0
    assert code[3] == IMPLAUSIBLE


def test_a_capitalisation_that_jumps_with_its_price_is_no_jump() -> None:
    assert cleaned([1.0, 15.0], [1e6, 15e6])[0] == [GOOD, GOOD]
    assert cleaned([1.0, 1.1], [1e6, 15e6])[0] == [GOOD, JUMP]


def _believed(price: list[float], cap: list[float], limits: Limits) -> list[bool]:
    """Return which rows are believed: the same rule in words, with lists."""

    def far(a: int, b: int) -> bool:
        ratio = cap[b] / cap[a]
        shares = ratio * price[a] / price[b]
        if max(ratio, 1.0 / ratio) >= limits.times * (1.0 - 1e-9):
            return True
        together = (ratio > 1.0) == (shares > 1.0)
        return together and min(max(ratio, 1.0 / ratio), max(shares, 1.0 / shares)) >= limits.jump

    told: list[bool] = []
    believed, run = 0, []  # the run holds the rows in a row that agree with each other on another level
    for i in range(len(cap)):
        if i == 0 or not far(believed, i):
            believed, run = i, []
            told.append(True)
            continue
        run = [*run, i] if run and not far(run[-1], i) else [i]
        if len(run) == limits.confirm:
            believed, run = i, []
            told.append(True)
        else:
            told.append(False)
    return told


@given(
    st.lists(st.tuples(st.sampled_from([1.0, 1.1, 0.8, 12.0, 0.09]), st.sampled_from([1.0, 1.0, 20.0, 0.04, 3000.0])),
             min_size=1, max_size=30),
    st.integers(1, 4),
)  # fmt: skip
def test_jumps_are_what_the_rule_says_in_words(steps: list[tuple[float, float]], confirm: int) -> None:
    price = np.cumprod([p for p, _ in steps]).tolist()
    cap = [1e9 * p * s for p, (_, s) in zip(price, steps, strict=True)]
    limits = Limits(confirm=confirm)
    code, _ = cleaned(price, cap, GIVEN, limits, given=[0.0] * len(price))
    assert [c != JUMP for c in code] == _believed(price, cap, limits)


@given(st.lists(st.floats(-0.4, 0.6), min_size=2, max_size=40))
def test_ordinary_prices_pass_unchanged(moves: list[float]) -> None:
    price = 10.0 * np.cumprod(1.0 + np.array(moves))
    code, returns = cleaned(price.tolist(), (price * 1e6).tolist())
    assert code == [GOOD] * len(moves)
    np.testing.assert_allclose(returns[1:], moves[1:], atol=1e-12)
