"""What a rule does that its author can hardly have meant, and silence where all is well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from arch.data import default

from backtest import MarketData, RotationError, UsageError, load_strategy, run
from backtest.records.run_document import RunDocument
from backtest.records.sheet import Sheet
from backtest.reporting.blocks import Conclusion
from backtest.reporting.page import brief, first, run_page
from backtest.reporting.terminal import text, words_of

HEAD = """\
from backtest import Market, Months, Percent, mix, param, rotate, strategy

@strategy
def mine(market: Market, wide: Percent = param(80, low={low}, high=100, help="wide")):
    spread = market.level("credit_spread")
    return rotate({rule}, into="small", otherwise="large")
"""


def _script(folder: Path, rule: str, low: int = 0) -> str:
    file = folder / "mine.py"
    used = "" if "wide" in rule else " & ((spread > -99) | (spread.percentile() > wide))"
    file.write_text(HEAD.format(rule=f"({rule}){used}", low=low))
    return str(file)


def _spread() -> tuple[float, float]:
    """Return the lowest and the highest spread of the file that the package carries, read without our code."""
    frame = default.load()
    spread = frame["BAA"] - frame["AAA"]
    return float(spread.min()), float(spread.max())


def test_a_threshold_that_its_level_never_reaches_is_named_with_the_levels_range(
    tmp_path: Path, embedded: MarketData
) -> None:
    low, high = _spread()
    result = run(_script(tmp_path, "spread > 50"), embedded)
    runs = f"'credit_spread' runs from {low:.4g} to {high:.4g}% in this window"
    assert result.slips[0] == f"{runs}: 50 is never crossed, and that part of the rule never turns"
    assert result.metrics["switches"] == 0
    said = " ".join(text(brief(result), most=400).split())
    assert said.index(result.slips[0][1:]) < said.index("Sharpe ratio"), "it is said before any number"
    assert words_of(first(result)[0].said).startswith(result.slips[0])
    # The verdict has the first number of all, on the terminal, in a notebook and on the page.
    said = " ".join(text(brief(result)).split())
    assert 0 <= said.find(result.slips[0][1:40]) < said.find("Alpha against market")
    kinds = [type(block) for block in run_page(result, Sheet(result)).blocks]
    warned = run_page(result, Sheet(result)).blocks.index(first(result)[0])
    assert warned < kinds.index(Conclusion)
    assert RunDocument.of(result).doubts == result.slips


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("spread.above(9, until=7)", "7 are never crossed"),
        ("market.index('small') / market.index('large') > 0", "0 is never crossed"),
        ("(market.index('small') + 1) > market.index('small')", "never cross in this window"),
        ("spread.percentile() > 0.9", "0.9 is 0.9%: if 90% is meant, write 90"),
        ("market.relative('small', 'large', months=12) > 0.1", "0.1 is 0.1%: if 10% is meant, write 10"),
        ("(spread > 2) & (spread < 1)", "it never switches, since this says no at every fill of the window"),
        (
            "market.policy.first_cuts(12, at_least=8).within(0, 24)",
            "this says no at every fill of the window",
        ),
    ],
)
def test_what_is_said_of_a_slip(rule: str, said: str, tmp_path: Path, embedded: MarketData) -> None:
    assert any(said in each for each in run(_script(tmp_path, rule), embedded).slips)


@pytest.mark.parametrize(
    "rule",
    [
        "spread.percentile() > wide",
        "spread < 0.5",
        "spread.change(12) > 0.1",
        "market.relative('small', 'large', months=12) > 0",
        "market.relative('small', 'large', months=12) > 2",
        "market.policy.first_cuts(12, at_least=0.25).within(0, 24)",
    ],
)
def test_nothing_is_said_of_what_is_as_it_should_be(rule: str, tmp_path: Path, embedded: MarketData) -> None:
    file = tmp_path / "mine.py"
    head = (
        HEAD
        if "wide" in rule
        else HEAD.replace(', wide: Percent = param(80, low={low}, high=100, help="wide")', "")
    )
    file.write_text(head.format(rule=rule, low=0))
    assert run(str(file), embedded).cautions == ()


def test_a_percent_given_as_a_fraction_is_asked_about(tmp_path: Path, embedded: MarketData) -> None:
    file = _script(tmp_path, "spread.percentile() > wide")
    hint = "wide counts in percent, and 0.8 is 0.8%: if 80% is meant, write 80"
    assert run(file, embedded, wide=0.8).slips == (hint,)
    assert run(file, embedded, wide=80).slips == ()
    refusing = load_strategy(_script(tmp_path, "spread.percentile() > wide", low=20))
    with pytest.raises(UsageError) as refused:
        refusing.bind({"wide": "0.8"})
    assert str(refused.value) == f"wide must lie in 20 to 100 percent, not 0.8; {hint}"
    with pytest.raises(UsageError, match=r"percent, not 120$"):
        refusing.bind({"wide": 120})


def test_a_window_is_what_the_range_is_of(tmp_path: Path, embedded: MarketData) -> None:
    file = _script(tmp_path, "spread > 3")
    assert not any("never crossed" in each and "3 is" in each for each in run(file, embedded).slips)
    late = run(file, embedded, start="1990-01-31", end="2005-12-30")
    frame = default.load()
    spread = (frame["BAA"] - frame["AAA"])["1989-12":"2005-11"]
    low, high = spread.min(), spread.max()
    assert (
        f"'credit_spread' runs from {low:.4g} to {high:.4g}% in this window: 3 is never crossed"
        in late.slips[0]
    )
    assert np.isfinite(late.metrics["cagr"])


@pytest.mark.parametrize(
    ("rule", "how"),
    [
        ("market.relative('small', 'large') > 0", "market.relative(sleeve, against, months)"),
        ("market.policy.first_cuts(12).within(0, 24)", "policy.first_cuts(quiet, at_least)"),
        ("spread.change() > 0", "level.change(months)"),
    ],
)
def test_an_operation_that_is_called_otherwise_says_how_it_is_called(
    rule: str, how: str, tmp_path: Path, embedded: MarketData
) -> None:
    with pytest.raises(RotationError) as refused:
        run(_script(tmp_path, rule), embedded)
    assert str(refused.value).endswith(f"; it is called as {how}")
