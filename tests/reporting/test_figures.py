"""The figures show what the result says; checked on what is drawn, not on pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num

from backtest import MarketData, run
from backtest.reporting.figures import equity_figure

if TYPE_CHECKING:
    from backtest import Result


@pytest.fixture(scope="module")
def result(embedded: MarketData) -> Result:
    return run("rate_cut", embedded)


def test_the_lines_are_the_equity_and_the_benchmarks(result: Result) -> None:
    growth, falls, strip = equity_figure(result).axes
    ends = sorted(float(line.get_ydata()[-1]) for line in growth.lines)
    totals = [m["total_return"] for m in (result.metrics, *result.benchmarks.values())]
    assert ends == pytest.approx(sorted(1.0 + t for t in totals))
    assert growth.get_yscale() == "log"
    lowest = min(float(np.min(line.get_ydata())) for line in falls.lines)
    assert lowest == pytest.approx(
        100.0 * min(result.metrics["max_drawdown"], result.benchmarks["market"]["max_drawdown"])
    )
    assert {text.get_text() for text in growth.texts} == {"rate_cut", "large", "small", "market"}
    assert all(0.0 <= text.xy[1] <= 1.0 for text in growth.texts)
    assert len(strip.collections) == 2


def test_the_cutting_cycles_are_shaded(result: Result) -> None:
    growth = equity_figure(result).axes[0]
    spans = [(p.get_x(), p.get_x() + p.get_width()) for p in growth.patches]
    crisis = (date2num(pd.Timestamp("2007-09-18")), date2num(pd.Timestamp("2008-12-16")))
    assert any(span == pytest.approx(crisis) for span in spans)
    # Nothing outside the window: the cycle of 2019 lies after the last bar.
    assert max(right for _, right in spans) <= date2num(result.equity.index[-1])


def test_the_proxy_is_named_in_the_picture(result: Result) -> None:
    assert "proxy" in equity_figure(result).axes[0].get_title(loc="left")
