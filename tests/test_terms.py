"""Terms: every field an option, what cannot be used refused by name, and a sleeve's own costs."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from backtest import MarketData, UsageError, run
from backtest.arguments import Parser
from backtest.cli.options import add_terms, terms
from backtest.terms import NAMES, Terms, read_terms


def test_every_term_is_an_option_and_what_is_left_out_is_not_said() -> None:
    parser = Parser(prog="x", description="")
    add_terms(parser)
    assert terms(parser.parse([])) == {}
    said = parser.parse(
        [
            "--start",
            "1990-01-31",
            "--end",
            "2000-01-31",
            "--cost-bps",
            "small=25,large=5",
            "--benchmark",
            "large",
            "--same-close",
            "--delay-fill",
            "2",
            "--decide",
            "month-end",
            "--real",
            "--tax",
            "0",
            "--lots",
            "highest",
            "--flows",
            "-4% a year",
        ]
    )
    found = read_terms(terms(said))
    assert tuple(terms(said)) == NAMES
    assert found == Terms(
        start="1990-01-31", end="2000-01-31", cost_bps={"small": 25.0, "large": 5.0}, benchmark="large",
        same_close=True, delay_fill=2, decide="month-end", real=True, tax=0.0, lots="highest", flows="-4% a year",
    )  # fmt: skip
    assert msgspec.json.decode(msgspec.json.encode(found), type=Terms) == found


def test_costs_by_sleeve_leave_the_others_at_the_default_and_cash_free() -> None:
    costs = read_terms({"cost_bps": {"small": 25, "cash": 40}}).costs(("small", "large", "cash"))
    assert costs == [0.0025, 0.001, 0.0]


def test_a_run_pays_the_costs_of_the_sleeve_that_it_trades(embedded: MarketData) -> None:
    by_hand = run("rate_cut", embedded, cost_bps={"small": 25.0, "large": 5.0})
    as_text = run("rate_cut", embedded, cost_bps="small=25,large=5")  # type: ignore[arg-type]
    np.testing.assert_array_equal(by_hand.returns, as_text.returns)
    full = (1.0 - 0.0005) / (1.0 + 0.0025)
    assert by_hand.trades["cost"].iloc[1] == pytest.approx(1.0 - full, rel=1e-12)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"strat": 1}, "there is no term 'strat'; did you mean 'start'?"),
        ({"start": "1990-13-01"}, "the start '1990-13-01' is not a date"),
        ({"cost_bps": "small"}, "not 'small'"),
        ({"cost_bps": "small=x"}, "not 'x'"),
        ({"cost_bps": "1_0"}, "not '1_0'"),
        ({"cost_bps": "\u0661"}, "not '\u0661'"),
        ({"cost_bps": "small=5,small=6"}, "small is given more than once"),
        ({"start": "2020-W01-1"}, "the start '2020-W01-1' is not a date"),
        ({"end": "\u0662020-01-01"}, "is not a date"),
        ({"cost_bps": True}, "not 'True'"),
        ({"cost_bps": float("nan")}, "must lie in 0 to 1000 basis points, not nan"),
        ({"delay_fill": 1.5}, "delay_fill must be a whole number from 0 to 260 bars, not 1.5"),
        ({"delay_fill": "x"}, "delay_fill must be a number from 0 to 260 bars, not 'x'"),
        ({"delay_fill": "\u0662"}, "not '\u0662'"),
        ({"decide": "monthly"}, "there is no decision calendar 'monthly'; did you mean 'month-end'?"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(given: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as error:
        read_terms(given)
    assert said in str(error.value)


def test_a_market_gives_the_benchmark_and_refuses_what_it_has_not() -> None:
    sleeves = ("small", "large", "cash")
    assert Terms().on(sleeves, "large").benchmark == "large"
    with pytest.raises(UsageError, match="there is no benchmark 'larg'; did you mean 'large'"):
        Terms(benchmark="larg").on(sleeves, "large")
    with pytest.raises(UsageError, match="there is no benchmark ''; there are"):
        Terms(benchmark="").on(sleeves, "large")
    with pytest.raises(UsageError, match="a cost names the sleeve 'smal'; did you mean 'small'"):
        Terms(cost_bps={"smal": 1.0}).on(sleeves, "large")
