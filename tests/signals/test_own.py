"""A script's own expression: the same alone and in a sweep, or refused with a sentence that says why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backtest import MarketData, Strategy, load_strategy
from backtest.decisions import filled
from backtest.errors import RotationError, UsageError

SCRIPT = '''"""My own."""
import numpy as np
from backtest import Market, Months, Percent, param, rotate, strategy

@strategy
def mine(
    market: Market,
    limit: Percent = param(1.0, low=0, high=9, help="limit"),
    hold: Months = param(12, low=1, high=60, help="months"),
):
    {body}
'''


def script(folder: Path, body: str) -> Strategy:
    (folder / "mine.py").write_text(SCRIPT.format(body=body))
    return load_strategy(str(folder / "mine.py"))


def test_a_numpy_expression_is_the_same_alone_and_in_a_sweep(tmp_path: Path, embedded: MarketData) -> None:
    mine = script(
        tmp_path,
        "spread = market.as_of('credit_spread')\n"
        "    wide = market.signal((spread > limit) | (np.minimum(spread, limit) < 0.3 * limit))\n"
        "    return rotate(wide.at_most(hold), into='large', otherwise='small')",
    )
    rows = {"limit": np.array([0.7, 1.0, 1.5]), "hold": np.array([3, 12, 24])}
    ((_, swept),) = mine.decide_sets(embedded.known(), rows)
    for which in range(3):
        values = {name: row[which].item() for name, row in rows.items()}
        alone = mine.decide(embedded.known(), values)
        sleeves = embedded.bars.sleeves
        np.testing.assert_array_equal(filled(swept, sleeves, which), filled(alone, sleeves))


@pytest.mark.parametrize(
    "body",
    [
        "return rotate(market.level('credit_spread').above(1 if limit > 2 else 0), into='small', otherwise='large')",
        "return rotate(market.level('discount').average(int(hold)).above(0), into='small', otherwise='large')",
    ],
)
def test_what_works_for_one_set_only_says_so_in_a_sweep(
    body: str, tmp_path: Path, embedded: MarketData
) -> None:
    mine = script(tmp_path, body)
    mine.decide(embedded.known(), {"limit": 1.0, "hold": 12})
    with pytest.raises(RotationError) as error:
        mine.decide_sets(embedded.known(), {"limit": np.array([1.0, 2.0]), "hold": np.array([12, 24])})
    assert "mine cannot be swept: " in str(error.value)
    assert "line 11" in str(error.value)
    assert str(error.value).endswith("numpy's functions in place of if, min, int and float")


def test_it_is_known_when_what_it_asked_for_is(embedded: MarketData) -> None:
    market = embedded.known()
    discount = market.as_of("discount")
    assert market.signal(discount > 0).first[0] == np.isfinite(discount).argmax()
    assert market.signal(discount > 0, known=np.ones(len(discount), dtype=bool)).first[0] == 0


def test_where_it_is_not_known_later_the_last_answer_stands(embedded: MarketData) -> None:
    market = embedded.known()
    n = len(embedded.bars.dates)
    yes, known = np.zeros(n, dtype=bool), np.ones(n, dtype=bool)
    yes[50:60] = True
    known[:10], known[55:70] = False, False
    signal = market.signal(yes, known)
    assert signal.first[0] == 10
    assert [edges.tolist() for edges in signal.runs()] == [[50], [70]]


def test_another_shape_or_kind_is_refused(embedded: MarketData) -> None:
    market = embedded.known()
    with pytest.raises(UsageError, match="market.signal takes yes and no, .* are of the type float64"):
        market.signal(market.as_of("discount"))
    with pytest.raises(
        UsageError, match=r"one for each of the 1109 fills|an answer for each of the 1109 fills"
    ):
        market.signal(np.ones(5, dtype=bool))
    with pytest.raises(UsageError, match="a decision needs a signal, not ndarray; market.signal"):
        from backtest import rotate

        rotate(np.ones(5, dtype=bool), into="small", otherwise="large")  # type: ignore[arg-type]


def test_what_one_decision_asked_for_does_not_bind_the_next(tmp_path: Path, embedded: MarketData) -> None:
    mine = script(
        tmp_path,
        "name = 'FED_TARGET' if limit > 2 else 'credit_spread'\n"
        "    return rotate(market.signal(market.as_of(name) > 1), into='small', otherwise='large')",
    )
    alone = [mine.decide(embedded.known(), {"limit": limit, "hold": 12}).first_fill for limit in (3.0, 1.0)]
    shared = embedded.known()
    assert [mine.decide(shared, {"limit": limit, "hold": 12}).first_fill for limit in (3.0, 1.0)] == alone
    assert alone[0] > alone[1]
