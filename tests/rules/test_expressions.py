"""Expressions mean what they say: each against a slow loop of plain Python or pandas, alone and in a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest import MarketData, Strategy, load_strategy, run
from backtest.decisions import filled
from backtest.errors import RotationError, UsageError
from backtest.rules.reading import nodes
from backtest.terms import Terms
from backtest.tuning.grid import make_grid
from backtest.tuning.trials import MEASURED, REFUSED, Trials

SCRIPT = '''"""A script."""
import numpy as np
from backtest import Market, Months, Percent, blend, choose, mix, param, rotate, strategy, vote, weigh, where

@strategy
def mine(
    market: Market,
    limit: Percent = param(1.0, low=0, high=9, help="limit"),
    hold: Months = param(12, low=0, high=60, help="months"),
):
    {body}
    return rotate(({signal}) & (hold >= 0) & (limit >= 0), into="small", otherwise="large")
'''


def script(folder: Path, signal: str, body: str = "") -> Strategy:
    (folder / "mine.py").write_text(SCRIPT.format(signal=signal, body=body))
    return load_strategy(str(folder / "mine.py"))


def held(strategy: Strategy, market: MarketData, **values: Any) -> np.ndarray:
    """Whether small is held at each fill; NaN before the rule is known."""
    decision = strategy.ruling(market, strategy.bind(values)).decision
    return filled(decision, market.bars.sleeves)[:, market.bars.sleeves.index("small")]


def by_month(market: MarketData) -> pd.Series:
    """The credit spread by its month; a fill at a month's end knows that of the month before."""
    series = market.observations["credit_spread"]
    return pd.Series(series.values, pd.PeriodIndex(series.dates, freq="M"))


def at_fills(market: MarketData, values: pd.Series) -> np.ndarray:
    return values.reindex(pd.PeriodIndex(market.bars.dates, freq="M") - 1).to_numpy(dtype=float)


SPREAD = 'market.level("credit_spread")'

# No value comes near a threshold: a value within rounding of one is at it (tests/signals/test_level.py).
MEANINGS = {
    f"{SPREAD} > limit": lambda s: s > 1.013,
    f"limit < {SPREAD}": lambda s: s > 1.013,
    f"{SPREAD} >= 0.757": lambda s: s >= 0.757,
    f"{SPREAD} < 0.757": lambda s: s < 0.757,
    f"{SPREAD} <= 0.757": lambda s: s <= 0.757,
    f"np.greater({SPREAD}, limit)": lambda s: s > 1.013,
    f"np.log({SPREAD} / {SPREAD}.average(12)) < 0.0513": lambda s: np.log(s / s.rolling(12).mean()) < 0.0513,
    f"2 * {SPREAD} - {SPREAD}.highest(6) ** 2 > limit / 4": lambda s: (
        2 * s - s.rolling(6).max() ** 2 > 1.013 / 4
    ),
    f"abs({SPREAD} - limit) > 0.2": lambda s: (s - 1.013).abs() > 0.2,
    f"np.minimum({SPREAD}, limit) < 0.907": lambda s: s < 0.907,
    f"1 / {SPREAD} > 1.0013": lambda s: 1 / s > 1.0013,
    f"10 - {SPREAD} < 9.0013": lambda s: s > 1 - 0.0013,
    f"{SPREAD} > {SPREAD}.average(12)": lambda s: s - s.rolling(12).mean() > 1e-9,
    f"{SPREAD}.apply(lambda past: past[-1] - past[0], months=12) > 0.0013": lambda s: (
        s - s.shift(11) > 0.0013
    ),
    f"{SPREAD}.apply(np.median, months=24) > 0.9013": lambda s: s.rolling(24).median() > 0.9013,
    f"{SPREAD}.apply(len) > 500": lambda s: pd.Series(np.arange(1, len(s) + 1), s.index) > 500,
    f"market.apply(lambda a, b, k: (a * b).mean() + k, {SPREAD}, {SPREAD}.change(1), limit, months=6) > 1.0141": (
        lambda s: (s * s.diff()).rolling(6).mean() + 1.013 > 1.0141
    ),
}


@pytest.mark.parametrize("signal", MEANINGS)
def test_an_expression_means_what_it_means_in_pandas(
    signal: str, tmp_path: Path, embedded: MarketData
) -> None:
    got = held(script(tmp_path, signal), embedded, limit=1.013)
    due = at_fills(embedded, MEANINGS[signal](by_month(embedded)).astype(float))
    known = np.isfinite(got)
    # One value becomes known late in a long month: after months that end on a holiday, say.
    assert known.sum() > 1000
    np.testing.assert_array_equal(got[known], due[known])


def test_where_chooses_fill_by_fill(tmp_path: Path, embedded: MarketData) -> None:
    body = "spread = market.level('credit_spread')\n    wide = spread > 1.013"
    got = held(script(tmp_path, "where(wide, spread, 2.0) > 1.503", body), embedded)
    spread = at_fills(embedded, by_month(embedded))
    known = np.isfinite(got)
    np.testing.assert_array_equal(got[known], np.where(spread > 1.013, spread > 1.503, True)[known])
    by_parameter = script(tmp_path, "market.level('credit_spread') > where(hold > 12, 1.503, limit)")
    for hold, bound in ((12, 1.013), (13, 1.503)):
        got = held(by_parameter, embedded, hold=hold, limit=1.013)
        known = np.isfinite(got)
        np.testing.assert_array_equal(got[known], (spread > bound)[known])


def test_days_chosen_by_hand_are_known_on_their_day(tmp_path: Path, embedded: MarketData) -> None:
    got = held(script(tmp_path, 'market.events(["2007-09-18", "2001-01-31"]).within(0, 2)'), embedded)
    dates = embedded.bars.dates.astype(str)
    # A fill's own day does not count: the window of one known on 31 January begins in February.
    assert dates[got == 1.0].tolist() == ["2001-02-28", "2001-03-30", "2007-09-28", "2007-10-31"]


GRIDS = [
    f"{SPREAD} * limit > limit - 0.5",
    f"{SPREAD}.average(hold + 1).above(limit, until=limit / 2).at_most(hold + 3)",
    f"{SPREAD}.apply(lambda past: past.std(), months=hold + 2) > limit / 9",
    f"market.apply(lambda a, k: a[-1] - k, {SPREAD}, limit * hold) > -3",
    "where(market.months_of_year(1), limit, hold / 6) >= 1",
    f"vote({SPREAD} > limit, market.policy.easing(at_least=limit / 8, after=hold), needed=1).at_least(hold)",
    "market.policy.first_cuts(quiet=hold, at_least=limit / 4).within(hold, 2 * hold).paused(3)",
    f"({SPREAD} > limit).cooldown(hold)",
    f"{SPREAD}.above(limit, until=hold / 12)",
]


@pytest.mark.parametrize("signal", GRIDS)
def test_a_sweep_is_each_of_its_sets(signal: str, tmp_path: Path, embedded: MarketData) -> None:
    mine = script(tmp_path, signal)
    grid = make_grid(mine.parameters, {"limit": "0.5:2:0.1", "hold": "0:20:2"}, {}, "mine")
    trials = Trials(mine, embedded, grid, (), Terms(benchmark="market"))
    random = np.random.default_rng(4)
    for numbers in (np.arange(grid.size), np.sort(random.choice(grid.size, 20, replace=False))):
        decided = trials.decide(numbers)
        of = {
            int(p): (g.decision, int(w)) for g in decided.groups for p, w in zip(g.places, g.of, strict=True)
        }
        for place in random.choice(len(numbers), 12):
            values = grid.values(int(numbers[place]))
            if decided.status[place] == REFUSED:
                with pytest.raises(UsageError, match="cannot turn no above that"):
                    _ = mine.ruling(embedded, values).decision
                continue
            assert decided.status[place] == MEASURED
            decision, which = of[int(place)]
            alone = mine.ruling(embedded, values).decision
            assert decision.first[which] == alone.first[0]
            sleeves = embedded.bars.sleeves
            np.testing.assert_array_equal(filled(decision, sleeves, which), filled(alone, sleeves))


def test_a_function_is_asked_once_for_each_window(tmp_path: Path, embedded: MarketData) -> None:
    mine = script(
        tmp_path,
        f"{SPREAD}.apply(count, months=12) > limit",
        "def count(past):\n        CALLS.append(1)\n        return past[-1]",
    )
    calls: list[int] = []
    mine.function.__globals__["CALLS"] = calls
    grid = make_grid(mine.parameters, {"limit": "0.5:2:0.01", "hold": "1:60:1"}, {}, "mine")
    trials = Trials(mine, embedded, grid, (), Terms(benchmark="market"))
    trials.decide(np.arange(4000))
    trials.decide(np.arange(4000, 8000))
    n = len(embedded.observations["credit_spread"].dates)
    assert n - 12 < len(calls) <= n + 10


def test_weigh_gets_what_was_known_and_says_what_to_hold(tmp_path: Path, embedded: MarketData) -> None:
    (tmp_path / "own.py").write_text('''"""Weights of one's own."""
from backtest import Market, Percent, param, strategy, weigh

def tilt(spread, small, most):
    assert spread.index.is_monotonic_increasing and len(small) <= 36 + 1
    wide = (spread < spread.iloc[-1]).mean()
    return [most / 100 * wide, 0.3]

@strategy
def own(market: Market, most: Percent = param(60, low=0, high=70, help="most of small")):
    levels = market.level("credit_spread"), market.index("small")
    return weigh(tilt, *levels, most, months=36, into=("small", "large"))
''')
    strategy = load_strategy(str(tmp_path / "own.py"))
    weights = filled(strategy.ruling(embedded, {"most": 50.0}).decision, embedded.bars.sleeves)
    spread = by_month(embedded)
    small = embedded.bars.sleeves.index("small")
    for fill in (600, 900, 1100):
        past = spread[: pd.Period(embedded.bars.dates[fill], "M") - 1].iloc[-36:]
        due = 0.5 * (past < past.iloc[-1]).mean()
        np.testing.assert_allclose(weights[fill, [small, embedded.bars.sleeves.index("large")]], [due, 0.3])
        assert weights[fill].sum() == pytest.approx(1.0)
    assert run(strategy, embedded).doubts == ()
    grid = make_grid(strategy.parameters, {"most": "0,50,70"}, {}, "own")
    swept = Trials(strategy, embedded, grid, (), Terms(benchmark="market")).decide(np.arange(3)).groups[0]
    np.testing.assert_array_equal(filled(swept.decision, embedded.bars.sleeves, 1), weights)


@pytest.mark.parametrize(
    ("signal", "sentence"),
    [
        (f"{SPREAD}.apply(lambda past: 'wide', months=3) > 1", "the function that is written with lambda must return a number, not text"),
        (f"{SPREAD}.apply(lambda past: past, months=3) > 1", "must return a number, not an array of (3,)"),
        (f"{SPREAD}.apply(lambda past: None, months=3) > 1", "must return a number, not NoneType"),
        (f"{SPREAD}.apply(lambda past: past[5], months=3) > 1", "line 12 with what was known on 1919-04-01: IndexError"),
        (f"{SPREAD}.apply(12) > 1", "apply takes a function and then levels, not int"),
        ("market.apply(max, limit) > 1", "apply needs a level whose past the function is given"),
        (f"{SPREAD}.average(hold / 7) > 1", "months must be a whole number, 0 or more, not 1.71"),
        (f"{SPREAD}.change(-3) > 1", "months must be a whole number, 0 or more, not -3"),
        (f"{SPREAD} > 0 & {SPREAD} < 3", "so put each one in parentheses: (a > 0) & (b < 5)"),
        (f"{SPREAD} | (limit > 3)", "a level has no values in a script, so & | and ~ cannot join it"),
        (f"~{SPREAD}", "& | and ~ cannot join it"),
        (f"0 < {SPREAD} < 3", "(0 < level) & (level < 20) for '0 < level < 20'"),
        (f"({SPREAD} > 2 if hold > 3 else {SPREAD} > 1)", "write where(level > 3, a, b) for 'a if level > 3 else b'"),
        (f"np.where({SPREAD} > 2, 1, 0) > 0", "write where(level > 2, 1, 0), with where from backtest"),
        ("market.events(['2007-09-18', '2222-01-01']).within(0, 3)", "an event of 2222-01-01 has not come yet"),
        ("market.months_of_year(13)", "months of the year are numbers from 1 to 12, not [13]"),
        ("market.events([])", "market.events needs one date or more"),
        ("market.events(['soon'])", "an event 'soon' is not a date"),
        (f"vote({SPREAD} > 1, needed=hold)", "a vote of 1 signals cannot need"),
        (f"{SPREAD} + market.months_of_year(1) > 0", "a signal is no number; write where(signal, 1, 0)"),
        (f"{SPREAD}.above({SPREAD}.average(3), until=1)", "two levels that cross have no 'until'"),
        ("limit > 3 and hold > 3", "write where(level > 3, a, b) for"),
        ("market.levle('vix')", "there is no market.levle: a market has no values in a script; it has apply, events"),
        (f"{SPREAD}.averge(3) > 1", "there is no .averge of it; it has .above, .apply, .average"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_gets_a_sentence(
    signal: str, sentence: str, tmp_path: Path, embedded: MarketData
) -> None:
    mine = script(tmp_path, signal)
    with pytest.raises(RotationError) as error:
        run(mine, embedded)
    assert sentence in str(error.value)


def test_what_a_function_cannot_tell_is_no_news(tmp_path: Path, embedded: MarketData) -> None:
    told = script(tmp_path, f"{SPREAD}.apply(lambda past: past[-1] if past[-1] > 1.013 else np.nan) >= 1")
    got = held(told, embedded)
    known = np.isfinite(got)
    assert (got[known] == 1.0).all()
    assert known.argmax() == np.nonzero(at_fills(embedded, by_month(embedded)) > 1.013)[0][0]


def test_a_parameter_that_nothing_uses_is_refused_at_load(tmp_path: Path) -> None:
    text = SCRIPT.format(signal=f"{SPREAD} > limit", body="").replace(" & (hold >= 0)", "")
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(UsageError, match="nothing that mine returns uses its parameter 'hold'; take it out"):
        load_strategy(str(tmp_path / "mine.py"))


def test_what_is_printed_of_an_expression_is_its_words(tmp_path: Path, embedded: MarketData) -> None:
    mine = script(tmp_path, f"({SPREAD}.average(hold) > limit).cooldown(3)")
    rule = mine.rule(embedded.known(), {})
    (signal,) = rule.inputs
    assert repr(signal).startswith("<a signal, without values: vote(vote(cooldown(negation(below(average(")
    (level,) = {repr(node) for node in nodes(rule) if node.op == "average"}
    assert level == "<a level, without values: average(level(credit_spread), hold)>"
    (spread,) = (node for node in nodes(rule) if node.op == "level")
    assert "subtract(log(level(credit_spread)), 0.5)" in repr(np.log(spread) - 0.5)
    for node in nodes(rule):
        assert " at 0x" not in f"{node} {node!r}"
