"""How old a decision is: the day up to which each of its inputs was looked up, through every derived series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backtest.market.catalogue import entry
from backtest.market.importing import Description, import_file
from backtest.market.load import load_market
from backtest.market.reading import read
from backtest.records.document import plain
from backtest.records.standing import signal
from backtest.reporting.standing import standing_lines as lines

OWN = """\
title = "A market of one's own"
frequency = "monthly"
benchmark = "large"
policy = { splice = ["OLD_RATE", "NEW_RATE"], shift = ["OLD_RATE"] }
[sleeves]
small = "OWN_SMALL"
large = "OWN_LARGE"
cash = "BILL"
[series]
gap = { NEW_RATE = 1.0, BILL = -1.0 }
"""


@pytest.mark.parametrize("strategy", ["easing", "rate_cut"])
@pytest.mark.parametrize("market", ["french_monthly", "french_daily"])
def test_a_policy_rate_that_was_not_looked_up_since_is_out_of_date(
    stored: Path, strategy: str, market: str
) -> None:
    assert stored.is_dir()
    # The range is stamped the day after it is announced: what stands there on a day was known the day before.
    series = read(entry("DFEDTARU"))
    looked_up = series.dates[-1] - np.timedelta64(1, "D")
    assert (series.checked, series.last) == (looked_up, series.dates[-1])
    standing = signal(strategy, market, as_of=looked_up + np.timedelta64(92, "D"))
    (sentence,) = standing.out_of_date
    assert sentence.startswith(f"policy is known up to {looked_up}, 3 months before ")
    assert plain(standing)["out_of_date"] == [sentence]
    assert plain(standing)["checked_up_to"] == str(looked_up)
    assert lines(standing)[0] == ("out of date", sentence)
    assert dict(lines(standing))["checked"] == f"every input up to {looked_up}"


@pytest.mark.parametrize("strategy", ["easing", "rate_cut"])
def test_what_was_looked_up_to_the_day_is_not_out_of_date(stored: Path, strategy: str) -> None:
    assert stored.is_dir()
    looked_up = read(entry("DFEDTARU")).dates[-1] - np.timedelta64(1, "D")
    for day in (looked_up, looked_up - np.timedelta64(40, "D")):
        standing = signal(strategy, "french_monthly", as_of=day)
        assert standing.out_of_date == []
        assert standing.checked_up_to == str(day)


def _import(folder: Path, id: str, kind: str, unit: str, rows: list[tuple[object, float]]) -> None:
    path = folder / f"{id}.csv"
    path.write_text("date,value\n" + "".join(f"{day},{value}\n" for day, value in rows), encoding="utf-8")
    rule = "the first business day of the next month" if id == "BILL" else "the day itself"
    import_file(path, Description(id, kind, unit, known_at=rule if kind == "rate" else None))


def test_a_market_of_ones_own_is_as_old_as_the_oldest_input(tmp_path: Path) -> None:
    months = np.arange("2000-01", "2020-01", dtype="datetime64[M]")
    ends = (months + 1).astype("datetime64[D]") - 1
    for id, growth in (("OWN_SMALL", 1.01), ("OWN_LARGE", 1.008)):
        _import(tmp_path, id, "total-return", "level", [(d, 100 * growth**i) for i, d in enumerate(ends)])
    _import(tmp_path, "BILL", "rate", "percent", [(month.astype("datetime64[D]"), 2.0) for month in months])
    _import(tmp_path, "OLD_RATE", "rate", "percent", [("2000-01-15", 5.0), ("2001-02-10", 4.0)])
    days = np.arange("2005-01-03", "2019-03-08", dtype="datetime64[D]")
    levels = np.where(days < np.datetime64("2008-01-22"), 3.0, 2.0)
    _import(tmp_path, "NEW_RATE", "rate", "percent", list(zip(days, levels, strict=True)))
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    market = load_market(path)
    policy = market.observations["policy"]
    assert (len(policy.dates), str(policy.checked)) == (3, "2019-03-07")
    assert str(market.observations["gap"].checked) == "2019-03-07"
    standing = signal("easing", market, as_of="2019-09-30")
    assert standing.out_of_date == [
        "policy is known up to 2019-03-07, 7 months before 2019-09-30; what came later is not in the data"
    ]
    assert standing.checked_up_to == "2019-03-07"
