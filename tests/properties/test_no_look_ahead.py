"""Nothing is known before it was published: by construction, and shown over every strategy, operation and market.

All that became known on or after day t is overwritten: values, dates, and the returns of bars dated t or
later. No weight filled at or before t may change, bit for bit.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from backtest import Strategy, load_market, load_strategy, run
from backtest.cautions.lookahead import agreement, check, decided, other_data, other_future
from backtest.decisions import filled
from backtest.errors import LookAheadError, RotationError
from backtest.market.toml import names_of
from backtest.rules.operation import OPERATIONS
from backtest.rules.reading import nodes
from backtest.scripting.loading import strategy_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.market.data import MarketData

TRIALS = {"monthly": 8, "daily": 4}

SCRIPT = '''"""A script."""
import numpy as np
import pandas as pd
from backtest import Market, Percent, choose, load_market, param, rotate, strategy, vote, weigh, where

{before}

@strategy
def mine(market: Market):
    {body}
'''


def script(folder: Path, body: str, before: str = "") -> Strategy:
    (folder / "mine.py").write_text(SCRIPT.format(body=body, before=before))
    return load_strategy(str(folder / "mine.py"))


def variants(strategy: Strategy) -> list[dict[str, Any]]:
    """Return the parameters to try: the defaults, and each word of each choice."""
    choices = [p for p in strategy.parameters if p.choices]
    return [{}] + [{p.name: word} for p in choices for word in p.choices if word != p.default]


@pytest.fixture(scope="module", params=names_of("market"))
def market(request: pytest.FixtureRequest, made_store: Path) -> Iterator[MarketData]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROTATION_DATA", str(made_store))
        yield load_market(request.param)


def test_no_shipped_strategy_looks_ahead(market: MarketData) -> None:
    tried = set()
    for name in strategy_names():
        strategy = load_strategy(name)
        for given in variants(strategy):
            values = strategy.bind(given)
            try:
                ruling = strategy.ruling(market, values)
                assert ruling.decision.n_sets == 1
                filled(ruling.decision, ruling.market.bars.sleeves)
            except LookAheadError:
                raise
            except RotationError as lacking:
                # Nothing else is allowed here; kept and peers are sleeves of a screen's market.
                lacks = ("which the strategy needs", "the market has no sleeve 'kept'", "no sleeve 'peers'")
                assert any(words in str(lacking) for words in lacks)  # noqa: PT017 - as above
                continue
            check(strategy, values, ruling, trials=TRIALS[market.frequency], seed=len(given))
            tried.add(name)
    # Other regions have no series of the American economy.
    assert len(tried) >= len(strategy_names()) - (3 if "credit_spread" in market.roles else 6), tried


EVERY = """spread, small = market.level("credit_spread"), market.index("small")
    fast = np.log(spread / spread.average(6)) - 0.1 * small.growth(3) / 100
    own = market.apply(lambda a, b, k: np.corrcoef(a, b)[0, 1] + k, spread, small.change(1), 0.1, months=12)
    slope = spread.apply(lambda past: past[-1] - past[0], months=6)
    switched = where(slope > 0, spread.lowest(3), spread.highest(3)) - spread
    a = (fast > 0) | (own.zscore(history=24) >= 0.5) | (switched < 0)
    b = market.policy.first_cuts(quiet=12, at_least=0.25).within(0, 12) & ~(spread.percentile(24) > 80)
    c = market.policy.easing(at_least=0.25).at_least(3).paused(2).at_most(24).cooldown(4)
    d = market.level("discount").in_percent().above(0, until=-5) & market.months_of_year(1, 2, 3)
    e = market.relative("small", "large", months=6).below(spread) | market.events(["1990-10-01"]).within(0, 6)
    return choose((vote(a, b, c, needed=2), "small"), (d, "value"), (e, "market"), otherwise="large")"""

WEIGHED = """def f(spread, lead, k):
        return [0.5 + 0.4 * np.tanh(spread.iloc[-1] - spread.mean()), 0.1 * (lead.iloc[-1] > k)]
    return weigh(f, market.level("credit_spread"), market.relative("small", "large", months=3), 0.5, months=12,
                 into=("small", "market"))"""


def test_no_operation_looks_ahead(embedded: MarketData, tmp_path: Path) -> None:
    used = set()
    for body in (EVERY, WEIGHED):
        mine = script(tmp_path, body)
        used |= {node.op for node in nodes(mine.rule(embedded.known(), {}))}
        weights = decided(mine, embedded, {})
        assert len(np.unique(weights[np.isfinite(weights).all(axis=1)], axis=0)) > 2
        check(mine, {}, mine.ruling(embedded, {}), trials=24)
        for decide in ("month-end", "quarter-end"):
            check(mine, {}, mine.ruling(embedded, {}, decide=decide), trials=6)
    others = {
        "parameter",
        "compared",
        "rotated",
        "blended",
        "mixed",
        "given",
    }  # without values, or shown elsewhere
    assert set(OPERATIONS) - used - others == set()


def test_the_check_finds_an_operation_that_looks_ahead(
    embedded: MarketData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = OPERATIONS["level"]

    def early(known: Any, series: str) -> Any:
        level = whole.work(known, series)
        return replace(level, known_at=level.known_at - np.timedelta64(40, "D"))

    monkeypatch.setitem(OPERATIONS, "level", replace(whole, work=early))
    mine = script(
        tmp_path, 'return rotate(market.level("credit_spread") > 1, into="small", otherwise="large")'
    )
    with pytest.raises(LookAheadError, match="mine looks ahead: what it holds from the fill of"):
        check(mine, {}, mine.ruling(embedded, {}))


ROTATE = 'return rotate({}, into="small", otherwise="large")'

REFUSED = {
    "the whole sample's mean": ROTATE.format('market.level("vix") > np.nanmean(market.level("vix"))'),
    "a quantile of the whole sample": ROTATE.format(
        'market.level("vix") > np.quantile(market.level("vix"), 0.8)'
    ),
    "the values as an array": ROTATE.format('np.asarray(market.level("vix")) > 20'),
    "the values as a series": ROTATE.format('pd.Series(market.level("vix")).rolling(12).mean() > 20'),
    "a table of the values": ROTATE.format('pd.DataFrame({"vix": market.level("vix")}) > 20'),
    "the last value": ROTATE.format('market.level("vix") > market.level("vix")[-1]'),
    "the values one by one": ROTATE.format('market.level("vix") > max(v for v in market.level("vix"))'),
    "how many there are": ROTATE.format('market.level("vix") > len(market.level("vix")) % 2'),
    "a value as a number": ROTATE.format('market.level("vix") > float(market.level("vix"))'),
    "a question to a value": 'x = "small" if market.level("vix") > 20 else "large"\n    '
    + ROTATE.format("market.months_of_year(1)"),
    "a question to a signal": ROTATE.format('market.months_of_year(1) and market.level("vix") > 20'),
    "a sum over time": ROTATE.format('np.cumsum(market.level("vix")) > 20'),
    "a reduction": ROTATE.format('np.add.reduce(market.level("vix")) > 20'),
    "values shifted": ROTATE.format('np.roll(market.level("vix"), -1) > 20'),
    "values shifted by pandas": ROTATE.format('market.level("vix").shift(-1) > 20'),
    "a function that numpy has been taught": ROTATE.format(
        'np.frompyfunc(lambda v: v, 1, 1)(market.level("vix")) > 20'
    ),
    "the values of an expression": ROTATE.format('market.level("vix").values > 20'),
    "the observations": ROTATE.format('market.observations["VIXCLS"].values > 20'),
    "the return of the fill's own bar": ROTATE.format('market.returns["small"] > market.returns["large"]'),
    "the values at each fill": ROTATE.format('market.as_of("vix") > 20'),
    "an array of answers": ROTATE.format("market.signal(np.ones(10, dtype=bool))"),
    "an array in place of a signal": ROTATE.format("np.ones(10, dtype=bool)"),
    "an array as a threshold": ROTATE.format('market.level("vix").above(np.arange(10.0))'),
    "an array beside a level": ROTATE.format('market.level("vix") - np.arange(10.0) > 0'),
    "events before their day": ROTATE.format("market.policy.first_cuts(quiet=12, at_least=0.25).dates()"),
    "a window before its event": ROTATE.format(
        "market.policy.first_cuts(quiet=12, at_least=0.25).within(-3, 0)"
    ),
    "the fills": ROTATE.format('market.fills.dates > np.datetime64("2000-01-01")'),
    "what nobody knew in its time": ROTATE.format('market.level("USREC") < 1'),
    "the market loaded again": ROTATE.format(
        'load_market("embedded").known().level("credit_spread").above(1.0)'
    ),
    "its returns loaded again": ROTATE.format('load_market("embedded").bars.column("small") > 0'),
    "an expression kept from another market": "KEPT.append(market.level('discount'))\n    "
    + ROTATE.format("KEPT[0] > 0"),
}
"""Ways to look ahead that a script can write down; each is refused where it stands, before a number is seen."""


@pytest.mark.parametrize("what", REFUSED)
def test_a_script_cannot_look_at_values(what: str, tmp_path: Path, embedded: MarketData) -> None:
    body = REFUSED[what].replace("vix", "credit_spread")
    mine = script(tmp_path, body, "KEPT = []")
    with pytest.raises(RotationError) as error:
        run(mine, embedded)
    assert "\n" not in str(error.value)
    assert "Traceback" not in str(error.value)
    said = str(error.value).removeprefix("mine, line 10: ").removeprefix("mine, line 11: ")
    assert said.count(". ") <= 1
    if "dates" not in body and "USREC" not in body and "within(-" not in body:
        assert any(
            word in said
            for word in (
                "write",
                "needs",
                "must be",
                "has",
                "cannot hold",
                "need signals",
                "operation of the library",
            )
        )


TRUTH = "TRUTH = load_market('embedded').bars\nBEST = TRUTH.column('small') > TRUTH.column('large')\n"

BY_HAND = 'market.events(["1987-09-30", "2000-02-29", "2008-05-30"]).within(0, 6)'

FLAGGED = {
    "answers read from a file": (
        'ANSWERS = np.loadtxt(__file__.replace("mine.py", "answers.csv"))',
        ROTATE.format('market.index("small").apply(lambda past: ANSWERS[len(past) % 1100]) > 0.5'),
        "does not come from the data",
    ),
    "the market loaded again, in a function": (
        TRUTH,
        ROTATE.format('market.index("small").apply(lambda past: BEST[min(len(past) + 1, 1108)]) > 0.5'),
        "does not come from the data",
    ),
    "answers by their date": (
        TRUTH + "BY_DAY = dict(zip(TRUTH.dates.astype('M8[M]').astype(int).tolist(), BEST.tolist()))\n",
        (
            "def f(spread):\n        month = spread.index[-1].to_period('M').ordinal + 1\n"
            "        return [float(BY_DAY.get(month, 0.0))]\n"
            "    return weigh(f, market.level('credit_spread'), into=('small',))"
        ),
        "does not come from the data",
    ),
    "days known in hindsight": (
        "",
        ROTATE.format(BY_HAND),
        "days chosen by hand, with hindsight: 1987-09-30",
    ),
    "leaving before each crash": ("", ROTATE.format(f"~{BY_HAND}"), "does not come from the data"),
    "days of hindsight from the market loaded again": (
        TRUTH + "DAYS = [str(d) for d, up in zip(TRUTH.dates[:-1], BEST[1:]) if up]\n",
        ROTATE.format("market.events(DAYS).within(0, 1)"),
        "days chosen by hand, with hindsight",
    ),
}
"""What Python cannot keep a script from: each is said first of all."""


@pytest.mark.parametrize("what", FLAGGED)
def test_what_cannot_be_refused_is_said_first(what: str, tmp_path: Path, embedded: MarketData) -> None:
    from backtest.reporting import blocks as b
    from backtest.reporting.page import brief

    before, body, sentence = FLAGGED[what]
    np.savetxt(tmp_path / "answers.csv", np.random.default_rng(0).integers(0, 2, 1100))
    result = run(script(tmp_path, body, before), embedded)
    assert any(sentence in doubt for doubt in result.doubts)
    first = brief(result)[0]
    assert isinstance(first, b.Text)
    assert str(first.said).lower() == f"{result.doubts[0]}.".lower()


def test_a_function_that_keeps_what_it_saw_is_found(tmp_path: Path, embedded: MarketData) -> None:
    remembered = "SEEN = []\ndef cached(past):\n    SEEN.append(past[-1])\n    return max(SEEN)\n"
    mine = script(tmp_path, ROTATE.format('market.level("credit_spread").apply(cached) > 1'), remembered)
    with pytest.raises(RotationError, match="cached gives another answer when it is asked the same again"):
        run(mine, embedded)


def test_what_a_function_gets_has_no_future_behind_it(tmp_path: Path, embedded: MarketData) -> None:
    peek = "def peek(past):\n    return 1.0 if past.base is None else past.base[-1]\n"
    mine = script(tmp_path, ROTATE.format('market.level("credit_spread").apply(peek, months=12) > 1'), peek)
    weights = decided(mine, embedded, {})
    assert (weights[np.isfinite(weights).all(axis=1)] == weights[-1]).all()


def test_a_rule_of_the_data_is_not_doubted(tmp_path: Path, embedded: MarketData) -> None:
    honest = 'market.level("credit_spread").apply(lambda past: past[-1] - past.mean(), months=24) > 0'
    assert run(script(tmp_path, ROTATE.format(honest)), embedded).doubts == ()
    assert run("rate_cut", embedded).doubts == ()


def test_agreement_is_measured_beyond_chance() -> None:
    random = np.random.default_rng(3)
    one, other = (np.eye(2)[(random.random(4000) < 0.05).astype(int)] for _ in range(2))
    assert (one == other).all(axis=1).mean() > 0.88
    assert abs(agreement(one, other)) < 0.1
    assert agreement(one, one) == 1.0
    assert np.isnan(agreement(one[:1].repeat(5, axis=0), one[:5]))


def test_the_other_future_leaves_the_past_alone_and_changes_the_rest(embedded: MarketData) -> None:
    for seed, day in enumerate(np.array(["1983-06-15", "1999-12-31", "2016-12-14"], dtype="datetime64[D]")):
        other = other_future(embedded, day, seed)
        before = embedded.bars.dates < day
        np.testing.assert_array_equal(other.bars.returns[before], embedded.bars.returns[before])
        assert not (other.bars.returns[~before] == embedded.bars.returns[~before]).all(axis=1).any()
        for id, series in embedded.observations.items():
            known = series.known_at < day
            count = int(known.sum())
            np.testing.assert_array_equal(other.observations[id].values[:count], series.values[known])
            np.testing.assert_array_equal(other.observations[id].known_at[:count], series.known_at[known])
            assert (other.observations[id].known_at[count:] >= day).all()


def test_other_data_have_the_same_days_and_other_values(embedded: MarketData) -> None:
    other = other_data(embedded)
    for id, series in embedded.observations.items():
        np.testing.assert_array_equal(other.observations[id].known_at, series.known_at)
        assert (other.observations[id].values != series.values).mean() > 0.5
    assert (other.bars.returns != embedded.bars.returns).mean() > 0.9
