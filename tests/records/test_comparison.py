"""Runs side by side: the same measures as each alone, the same bars, and no best one within the noise."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pandas as pd
import pytest

from backtest import MarketData, UsageError, compare, load_strategy, run
from backtest.measures import MEASURES
from backtest.records.comparison import ComparisonDocument
from backtest.records.document import plain
from backtest.records.record import RunRecord, record_of
from backtest.reporting import comparison_figures as figures
from backtest.reporting.comparison_page import page, verdict
from backtest.reporting.folder import write_report
from backtest.reporting.terminal import show
from backtest.reporting.views import view

if TYPE_CHECKING:
    from pathlib import Path

    from backtest import Run


@pytest.fixture(scope="module")
def rate_cut(embedded: MarketData) -> Run:
    return run("rate_cut", embedded)


def changed(record: RunRecord, **values: object) -> RunRecord:
    return dataclasses.replace(record, document=msgspec.structs.replace(record.document, **values))


def as_record(result: Run) -> RunRecord:
    return record_of(result)


def same(ours: dict[str, float], theirs: dict[str, float]) -> None:
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        assert ours[key] == pytest.approx(value, rel=1e-12, abs=1e-12, nan_ok=True), key


def test_over_its_own_window_a_run_has_its_own_measures(embedded: MarketData, rate_cut: Run) -> None:
    other = run("rate_cut", embedded, hold=12)
    found = compare(rate_cut, other)
    same(found.metrics[0], rate_cut.metrics)
    same(found.metrics[1], other.metrics)
    assert found.cautions == [f"Proxy: {embedded.proxy}."]
    assert found.labels == ["rate_cut, hold 24", "rate_cut, hold 12"]
    assert found.parameters() == {"hold": [24, 12]}
    assert found.correlations[0, 1] == pytest.approx(
        np.corrcoef(
            rate_cut.returns - rate_cut.benchmark_returns["market"],
            other.returns - other.benchmark_returns["market"],
        )[0, 1]
    )
    alike = (rate_cut.weights["small"] == other.weights["small"]).mean()
    assert found.alike[0, 1] == pytest.approx(alike)


def test_longer_runs_are_cut_to_the_common_window_and_it_is_said(embedded: MarketData, rate_cut: Run) -> None:
    whole = run("valuation_discount", embedded)
    found = compare(whole, rate_cut)
    assert (found.start, found.end) == (rate_cut.start, rate_cut.end)
    same(found.metrics[1], rate_cut.metrics)
    assert "Different windows, cut to the common one, 1983-09-30 to 2018-11-30" in found.cautions[0]
    # It is what a run from there would be, its first purchase included.
    same(found.metrics[0], run("valuation_discount", embedded, start=rate_cut.start).metrics)


def test_a_taxed_run_that_is_cut_says_that_it_keeps_its_lots(embedded: MarketData) -> None:
    long, short = (run(name, embedded, tax=25) for name in ("valuation_discount", "rate_cut"))
    said = "What valuation_discount bought before 1983-09-30 is taxed by what it cost then"
    assert any(each.startswith(said) for each in compare(long, short).cautions)
    assert not any(
        "is taxed by" in each for each in compare(short, run("rate_cut", embedded, hold=12, tax=25)).cautions
    )


@pytest.mark.parametrize("cost", [0.0, 25.0, {"small": 50.0, "large": 5.0}])
def test_every_run_pays_for_what_it_holds_at_the_beginning(
    cost: float | dict[str, float], embedded: MarketData
) -> None:
    late = run("rate_cut", embedded, cost_bps=cost)
    found = compare(
        run("credit", embedded, cost_bps=cost), run("buy_and_hold", embedded, cost_bps=cost), late
    )
    for metrics, name in zip(found.metrics, ("credit", "buy_and_hold"), strict=False):
        same(metrics, run(name, embedded, start=late.start, cost_bps=cost).metrics)
    same(found.metrics[2], late.metrics)


def test_reports_are_compared_as_the_runs_that_they_are_of(
    embedded: MarketData, rate_cut: Run, tmp_path: Path
) -> None:
    other = run("buy_and_hold", embedded, start=rate_cut.start)
    places = [write_report(result, tmp_path / result.strategy.name) for result in (rate_cut, other)]
    stored, fresh = compare(*places), compare(rate_cut, other)
    one, two = (plain(ComparisonDocument.of(each)) for each in (stored, fresh))
    assert one == two


def test_runs_names_and_reports_are_taken_in_any_mix(embedded: MarketData, tmp_path: Path) -> None:
    one, other = run("rate_cut", embedded), run("easing", embedded, delay=3)
    place = write_report(one, tmp_path / "one")
    whole = compare(one, other).metrics
    for mix in (
        [one, "easing:delay=3"],
        ["rate_cut", other],
        [place, str(tmp_path / "one"), "easing:delay=3"][1:],
        [load_strategy("rate_cut"), other],
    ):
        assert compare(*mix).metrics == compare(mix).metrics == whole
    assert compare("rate_cut", "easing:delay=3", market=embedded).metrics == whole
    dear = compare(one, "rate_cut", cost_bps=100)
    assert dear.metrics[1]["cagr"] < dear.metrics[0]["cagr"]


def test_terms_are_refused_where_nothing_is_run(embedded: MarketData) -> None:
    one = run("rate_cut", embedded)
    with pytest.raises(UsageError, match="so cost_bps changes nothing"):
        compare(one, one, cost_bps=5)
    with pytest.raises(UsageError, match="there is no strategy 'rate_cot'"):
        compare(one, "rate_cot")
    with pytest.raises(UsageError, match="neither a report's folder nor a script"):
        compare(one, "reports/none")


def test_no_run_within_the_noise_is_the_best_and_one_beyond_it_is(rate_cut: Run) -> None:
    record = as_record(rate_cut)
    noise = np.random.default_rng(1).normal(0.0, 0.001, len(record.returns))
    twin = dataclasses.replace(record, returns=record.returns + noise - noise.mean())
    assert not {"cagr", "sharpe", "alpha"} & compare(record, twin).best.keys()
    said = verdict(compare(record, twin))
    assert said.startswith(
        "No two Sharpe ratios differ by more than noise, for which p must be below 0.05; the"
    )
    third = dataclasses.replace(record, returns=record.returns - 2.0 * (noise - noise.mean()))
    said = verdict(compare(record, twin, third))
    assert "for which p must be below 0.05 over 3 pairs, 0.017; the surest pair is" in said
    better = dataclasses.replace(record, returns=record.returns + noise + 0.004)
    found = compare(record, better)
    assert {found.best[key] for key in ("cagr", "sharpe", "sortino", "alpha")} == {1}
    assert found.differences[0].pvalue < 0.01
    assert "rate_cut (2) above rate_cut (1)" in verdict(found)
    assert "volatility" not in found.best


BETTER_RUNS = {
    "cagr": lambda own, noise: own + noise + 0.004,
    "volatility": lambda own, _: own.mean() + 0.7 * (own - own.mean()),
    "sharpe": lambda own, noise: own + noise + 0.004,
    "sortino": lambda own, noise: own + noise + 0.004,
    "alpha": lambda own, noise: own + noise + 0.004,
    "information_ratio": lambda own, noise: own + noise + 0.004,
}
"""What turns a run into one that is better by a measure, by more than noise: more earned or less risk."""


@pytest.mark.parametrize("key", [measure.key for measure in MEASURES if measure.best])
@pytest.mark.parametrize("place", [0, 1])
def test_the_best_is_the_one_that_earned_more_or_fell_and_swung_less(
    key: str, place: int, rate_cut: Run
) -> None:
    record = as_record(rate_cut)
    noise = np.random.default_rng(1).normal(0.0, 0.001, len(record.returns))
    better = dataclasses.replace(record, returns=BETTER_RUNS[key](record.returns, noise - noise.mean()))
    pair = (better, record) if place == 0 else (record, better)
    found = compare(*pair)
    assert found.best[key] == place
    # A third that is worse takes nothing from it, and one as good takes the mark away.
    worse = dataclasses.replace(record, returns=record.returns - noise + noise.mean())
    assert compare(*pair, worse).best[key] == place
    assert key not in compare(*pair, better).best


def test_the_sign_of_a_difference_is_that_of_the_first_less_the_second(rate_cut: Run) -> None:
    record = as_record(rate_cut)
    noise = np.random.default_rng(1).normal(0.0, 0.001, len(record.returns))
    better = dataclasses.replace(record, returns=record.returns + noise + 0.004)
    (up,), (down,) = compare(better, record).differences, compare(record, better).differences
    assert 0.0 < up.low < up.sharpe_difference < up.high
    assert down.low < down.sharpe_difference < down.high < 0.0
    own = [float(np.mean(r) / np.std(r, ddof=1)) for r in (x.returns - x.risk_free for x in (better, record))]
    assert up.sharpe_difference == pytest.approx((own[0] - own[1]) * 12.0**0.5, rel=1e-9)


def test_the_leader_of_many_has_to_be_surer_than_the_leader_of_two(rate_cut: Run) -> None:
    record, random = as_record(rate_cut), np.random.default_rng(2)
    ahead = dataclasses.replace(
        record, returns=record.returns + 0.0009 + random.normal(0.0, 0.006, len(record.returns))
    )
    two = compare(ahead, record)
    pvalue = two.differences[0].pvalue
    assert 0.05 / 11 < pvalue < 0.05
    assert two.best["sharpe"] == 0
    behind = [dataclasses.replace(record, returns=record.returns - 0.001 * i) for i in range(1, 11)]
    assert "sharpe" not in compare(ahead, record, *behind).best


def test_no_run_is_the_best_by_its_deepest_fall(rate_cut: Run) -> None:
    record = as_record(rate_cut)
    worse = dataclasses.replace(record, returns=1.5 * record.returns - 0.012)
    best = compare(record, worse).best
    assert best["cagr"] == best["volatility"] == 0
    assert not {"max_drawdown", "calmar"} & best.keys()


def test_runs_that_are_the_same_are_called_the_same(rate_cut: Run) -> None:
    assert verdict(compare(rate_cut, rate_cut, rate_cut)) == "The runs earn the same at every bar."


def test_other_costs_markets_and_vintages_are_said_first(embedded: MarketData, rate_cut: Run) -> None:
    record = as_record(rate_cut)
    dear = as_record(run("rate_cut", embedded, cost_bps=50.0))
    assert compare(record, dear).cautions[0] == (
        "Different costs (basis points a side): rate_cut (1): 10; rate_cut (2): 50."
    )
    late = as_record(run("rate_cut", embedded, delay_fill=6))
    assert (
        "Different delays of the fills (bars): rate_cut (1): 0; rate_cut (2): 6."
        in compare(record, late).cautions
    )
    data = record.document.data
    other = msgspec.structs.replace(data.series["SMB"], sha256="other")
    data = msgspec.structs.replace(data, series={**data.series, "SMB": other})
    revised = changed(record, data=data, market="another", tried=9)
    said = compare(record, revised).cautions
    assert said[0].startswith("Different markets: ")
    assert said[1] == "Different numbers of combinations tried: rate_cut (1): 1; rate_cut (2): 9."
    assert said[2] == "Different vintages of the data: SMB."


def test_what_cannot_be_compared_is_said(embedded: MarketData, rate_cut: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="compare takes 2 to 20 runs, not 1"):
        compare(rate_cut)
    with pytest.raises(UsageError, match="compare takes 2 to 20 runs, not 21"):
        compare(*[rate_cut] * 21)
    record = as_record(rate_cut)
    with pytest.raises(
        UsageError, match="different frequency cannot be compared: rate_cut monthly, rate_cut d"
    ):
        compare(record, changed(record, frequency="daily"))
    early = run("buy_and_hold", embedded, end="1980-12-31")
    with pytest.raises(
        UsageError, match="the runs share no window: the latest starts on 1983-09-30, the earliest ends on"
    ):
        compare(record, early)
    odd = dataclasses.replace(record, dates=np.r_[record.dates[:5], record.dates[5] + 1, record.dates[6:]])
    with pytest.raises(UsageError, match="have not the same days: 1984-02-29 is a bar of only one"):
        compare(record, odd)
    with pytest.raises(UsageError, match="is not the folder of a report: it has no result.json"):
        compare(tmp_path, tmp_path)


def test_the_benchmark_is_a_column_and_every_year_and_lead_is_its_own(
    embedded: MarketData, rate_cut: Run
) -> None:
    other = run("buy_and_hold", embedded, start=rate_cut.start)
    found = compare(rate_cut, other)
    assert list(found.columns) == [*found.labels, "market"]
    for key, value in rate_cut.benchmarks["market"].items():
        assert found.columns["market"].get(key, 0.0) == pytest.approx(value, nan_ok=True)
    years, returns = found.years
    frame = pd.DataFrame(
        {"a": rate_cut.returns, "b": other.returns, "m": rate_cut.benchmark_returns["market"]}
    )
    expected = (1.0 + frame).groupby(frame.index.year).prod() - 1.0
    assert years.astype(str).astype(int).tolist() == expected.index.tolist()
    assert np.allclose(returns, expected.to_numpy())
    # The lead of the three years before, a month at a time.
    for lead, own in zip(found.leads, ("a", "b"), strict=True):
        grown = (1.0 + frame).rolling(36).apply(np.prod, raw=True) ** (1.0 / 3.0)
        assert np.allclose(lead[1:], (grown[own] - grown["m"]).to_numpy(), equal_nan=True)
        assert np.isnan(lead[:36]).all()
    short = compare(
        run("rate_cut", embedded, start="2017-01-31"), run("easing", embedded, start="2017-01-31")
    )
    assert all(np.isnan(lead).all() and len(lead) == len(short.records[0].dates) for lead in short.leads)


def test_the_figures_have_a_line_and_a_strip_for_every_run(embedded: MarketData, rate_cut: Run) -> None:
    others = [run(name, embedded, start=rate_cut.start) for name in ("buy_and_hold", "easing")]
    found = compare(rate_cut, *others)
    growth, relative, lead = figures.growth(found).plots
    assert [curve.name for curve in lead.curves] == found.labels
    benchmark, *runs = growth.curves
    market = rate_cut.benchmark_returns["market"]
    assert (benchmark.name, benchmark.values[-1]) == ("market", pytest.approx((1.0 + market).prod()))
    ends = [float(curve.values[-1]) for curve in runs]
    assert ends == pytest.approx([1.0 + metrics["total_return"] for metrics in found.metrics])
    assert len({curve.colour for curve in growth.curves}) == 4
    assert [curve.name for curve in relative.curves] == found.labels
    (falls,) = figures.falls(found).plots
    lowest = [float(np.min(curve.values)) for curve in falls.curves[1:]]
    assert lowest == pytest.approx([100.0 * metrics["max_drawdown"] for metrics in found.metrics])
    *strips, alike = figures.held(found).plots
    assert len(strips) == 3
    assert [strip.heading.split(":")[0] for strip in strips] == found.labels
    np.testing.assert_allclose(alike.curves[0].values[1:], 100.0 * found.together)


def test_many_runs_fit_on_a_page_with_a_key(embedded: MarketData, tmp_path: Path) -> None:
    runs = [run("rate_cut", embedded, hold=hold) for hold in range(6, 26, 2)]
    place = view(compare(*runs)).write(tmp_path / "page", also=["png"])
    text = (place / "index.html").read_text()
    growth = text[text.index('id="growth"') : text.index('id="drawdown"')]
    assert growth[: growth.index("plots")].count("<span data-name=") == 11
    assert 'class="end"' not in growth
    assert len(text) < 1_500_000
    content = json.loads((place / "comparison.json").read_text())
    assert len(content["runs"]) == 10
    assert len(content["differences"]) == 45
    stored = pd.read_parquet(place / "returns.parquet")
    assert stored["return:rate_cut, hold 24"].tolist() == runs[9].returns.tolist()
    assert sorted(p.name for p in (place / "figures").iterdir()) == [
        "drawdown.png",
        "growth.png",
        "holdings.png",
        "risk.png",
    ]


def test_a_name_too_long_for_its_lines_end_stands_in_the_key(embedded: MarketData, tmp_path: Path) -> None:
    other = run("valuation_discount", embedded, wide=70, closed=30)
    found = compare(run("valuation_discount", embedded), other)
    assert found.labels == [
        "valuation_discount, wide 80, closed 50",
        "valuation_discount, wide 70, closed 30",
    ]
    said = (found.report(tmp_path / "page") / "index.html").read_text()
    assert '<span data-name="valuation_discount, wide 80, closed 50">' in said
    assert ">valuation_discount, wid\u2026</span>" in said
    assert "wide 80.0" not in said


def test_a_narrow_terminal_cuts_no_number(
    embedded: MarketData, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = compare(*(run("rate_cut", embedded, hold=hold) for hold in range(6, 34, 3)))
    show(page(found).blocks)
    text = capsys.readouterr().out
    assert "\u2026" not in text
    for metrics in found.metrics:
        assert f"{metrics['total_return']:,.0%}" in text
