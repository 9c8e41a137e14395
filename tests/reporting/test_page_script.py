"""A page under the finger: what is read out is what was written, keys hide, heads sort; without script all is there."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from backtest import MarketData, compare, run, study, tune
from backtest.market.data import Bars
from backtest.reporting.folder import write_report
from backtest.studies.findings import Dots
from tests.reporting.browser import chromium, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from backtest.tuning.tune import Sweep


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def report(embedded: MarketData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(run("rate_cut", embedded), tmp_path_factory.mktemp("run") / "report")


def said(figure: Locator) -> list[str]:
    """Return what every plot of a figure reads out; an empty text where it says nothing."""
    outputs = figure.locator("output").all()
    return [output.inner_text() if output.is_visible() else "" for output in outputs]


def point(page: Page, figure: Locator, plot: int, part: float) -> None:
    """Point at a place of a plot, so far from its left edge."""
    area = figure.locator(".area").nth(plot)
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + part * box["width"], box["y"] + box["height"] / 2)


@pytest.mark.parametrize("width", [390, 1400])
def test_the_pointer_reads_out_what_the_files_say_in_all_plots_at_once(
    browser: Browser, report: Path, width: int
) -> None:
    bars = pd.read_parquet(report / "bars.parquet").set_index("date")
    value = (1.0 + bars["return"].fillna(0.0)).cumprod()
    market = (1.0 + bars["sleeve:market"].fillna(0.0)).cumprod()
    with opened(browser, report / "index.html", width) as seen:
        figure = seen.page.locator("#growth")
        span = (bars.index[-1] - bars.index[0]).days
        for day in (pd.Timestamp("2007-09-28"), pd.Timestamp("1987-10-30"), bars.index[-1], bars.index[0]):
            point(seen.page, figure, 0, min((day - bars.index[0]).days / span, 0.9999))
            growth, relative, held = said(figure)
            first, *rest = growth.split("\n")
            assert first == str(day.date())
            shown = dict(line.rsplit(" ", 1) for line in rest)
            assert set(shown) == {"large", "small", "market", "rate_cut"}
            assert float(shown["rate_cut"]) == pytest.approx(value[day], abs=0.0051)
            assert float(shown["market"]) == pytest.approx(market[day], abs=0.0051)
            assert [float(shown[name]) for name in shown] == sorted(map(float, shown.values()), reverse=True)
            assert float(relative.split()[-1]) == pytest.approx(value[day] / market[day], abs=0.0051)
            # What was bought at the close of a day earns the next bar.
            after = bars.loc[bars.index[min(bars.index.get_loc(day) + 1, len(bars) - 1)]]
            assert held == f"{'small' if after['weight:small'] == 1.0 else 'large'} 100%"
        point(seen.page, figure, 1, 0.5)
        assert said(figure)[1] != ""
        seen.page.mouse.move(1, 1)
        assert said(figure) == ["", "", ""]
        assert seen.complaints == []


def test_the_keyboard_moves_from_bar_to_bar(browser: Browser, report: Path) -> None:
    bars = pd.read_parquet(report / "bars.parquet")
    days = [str(day.date()) for day in bars["date"]]
    with opened(browser, report / "index.html") as seen:
        figure = seen.page.locator("#drawdown")
        figure.focus()
        for key, place in (
            ("ArrowLeft", -1),
            ("ArrowLeft", -2),
            ("Shift+ArrowLeft", -14),
            ("ArrowRight", -13),
        ):
            seen.page.keyboard.press(key)
            assert said(figure)[0].split("\n")[0] == days[place]
        seen.page.keyboard.press("Home")
        assert said(figure)[0].split("\n") == [days[0], "market 0.0%", "rate_cut 0.0%"]
        seen.page.keyboard.press("Escape")
        assert said(figure) == [""]


def test_a_year_is_read_out_as_one(browser: Browser, report: Path, embedded: MarketData) -> None:
    result = run("rate_cut", embedded)
    year = (1.0 + result.returns[result.returns.index.year == 2008]).prod() - 1.0
    with opened(browser, report / "index.html") as seen:
        figure = seen.page.locator("#years")
        point(seen.page, figure, 0, (2008.5 - 1983) / 36)
        assert said(figure)[0].split("\n") == ["2008", f"rate_cut \u2212{abs(100 * year):.1f}%"]
        assert said(figure)[1].startswith("2008\nless market ")


def test_a_key_hides_its_curve_and_shows_it_again_and_paper_has_all(browser: Browser, report: Path) -> None:
    with opened(browser, report / "index.html") as seen:
        figure = seen.page.locator("#growth")
        key, curve = figure.locator(".keys [data-name=small]"), figure.locator(".curve[data-name=small]")
        key.click()
        assert key.get_attribute("aria-pressed") == "false"
        assert not curve.is_visible()
        point(seen.page, figure, 0, 0.5)
        assert "small" not in said(figure)[0]
        assert figure.locator(".boxes[data-name=small]").is_visible()
        seen.page.emulate_media(media="print")
        assert curve.is_visible()
        seen.page.emulate_media(media="screen")
        key.press("Enter")
        assert curve.is_visible()


def test_heads_sort_a_folded_table_as_one(browser: Browser, embedded: MarketData, tmp_path: Path) -> None:
    write_report(run("trend", embedded), tmp_path / "report")
    with opened(browser, tmp_path / "report" / "index.html") as seen:
        box = seen.page.locator(".box", has=seen.page.locator("th", has_text="Gain")).first
        head = box.locator("th", has_text="Gain")
        rows = seen.page.locator(".box + details", has=seen.page.locator("th", has_text="Gain")).locator(
            "tbody tr"
        )
        shown, folded = box.locator("tbody tr").count(), rows.count()

        def gains() -> list[float]:
            texts = [
                *box.locator("tbody tr td:last-child").all_inner_texts(),
                *rows.locator("td:last-child").all_text_contents(),
            ]
            return [float(text.replace("\u2212", "-").rstrip("%")) for text in texts if text != "\u2013"]

        before = gains()
        head.click()
        assert head.get_attribute("aria-sort") == "descending"
        assert gains() == sorted(before, reverse=True)
        head.press("Enter")
        assert gains() == sorted(before)
        assert (box.locator("tbody tr").count(), rows.count()) == (shown, folded)
        dates = box.locator("th", has_text="Date")
        dates.click()
        first = box.locator("tbody tr td:first-child").all_inner_texts()
        assert first == sorted(first, reverse=True)


def test_without_script_nothing_is_lost(browser: Browser, report: Path) -> None:
    words = {}
    for script in (True, False):
        context = browser.new_context(viewport={"width": 1400, "height": 900}, java_script_enabled=script)
        page = context.new_page()
        page.goto((report / "index.html").as_uri())
        words[script] = page.locator("main").inner_text()
        for name in ("growth", "drawdown", "rolling", "years", "seen"):
            assert page.locator(f"#{name} .area").first.is_visible()
        context.close()
    assert words[False] == words[True]


@pytest.fixture(scope="module")
def daily(embedded: MarketData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of a century of daily bars with hundreds of switches."""
    days = np.arange(np.datetime64("1927-01-03"), np.datetime64("2018-11-30"))
    days = days[np.is_busday(days)]
    rng = np.random.default_rng(3)
    shocks = rng.standard_t(4, (len(days), 4)) * 0.006 + np.array([0.0003, 0.0004, 0.0003, 0.0])
    names = ("large", "small", "market", "cash")
    shocks[:, 2] = 0.5 * (shocks[:, 0] + shocks[:, 1])
    shocks[:, 3] = 0.0001
    market = dataclasses.replace(embedded, bars=Bars(days, names, shocks), frequency="daily", factors={})
    result = run("small_momentum", market, months=3)
    assert len(result.path.trades.bars) > 400
    return write_report(result, tmp_path_factory.mktemp("daily") / "report")


def test_a_century_of_days_is_small_short_and_reads_out_the_extremes(browser: Browser, daily: Path) -> None:
    assert (daily / "index.html").stat().st_size < 700_000
    bars = pd.read_parquet(daily / "bars.parquet").set_index("date")
    value = (1.0 + bars["return"].fillna(0.0)).cumprod()
    fall = value / value.cummax() - 1.0
    with opened(browser, daily / "index.html") as seen:
        assert seen.page.evaluate("document.documentElement.scrollHeight") < 12_000
        figure = seen.page.locator("#drawdown")
        span = (bars.index[-1] - bars.index[0]).days
        point(seen.page, figure, 0, (fall.idxmin() - bars.index[0]).days / span)
        day, *rest = said(figure)[0].split("\n")
        own = next(line for line in rest if line.startswith("small_momentum"))
        assert float(own.split()[-1].replace("\u2212", "-").rstrip("%")) == pytest.approx(
            100 * fall[day], abs=0.051
        )
        assert abs((pd.Timestamp(day) - fall.idxmin()).days) < 40
        assert seen.complaints == []


def test_a_comparison_is_read_out_by_run(browser: Browser, embedded: MarketData, tmp_path: Path) -> None:
    one, other = run("rate_cut", embedded), run("buy_and_hold", embedded)
    compare(one, other).report(tmp_path / "page")
    returns = pd.read_parquet(tmp_path / "page" / "returns.parquet")
    with opened(browser, tmp_path / "page" / "index.html") as seen:
        figure = seen.page.locator("#growth")
        figure.focus()
        seen.page.keyboard.press("End")
        shown = dict(line.rsplit(" ", 1) for line in said(figure)[0].split("\n")[1:])
        assert float(shown.pop("market")) == pytest.approx(
            (1.0 + one.benchmark_returns["market"]).prod(), abs=0.0051
        )
        for name, text in shown.items():
            assert float(text) == pytest.approx((1.0 + returns[f"return:{name}"]).prod(), abs=0.0051)


@pytest.mark.parametrize("width", [390, 1400])
def test_a_map_of_years_reads_out_the_cell_under_the_pointer_and_the_arrows(
    browser: Browser, report: Path, width: int
) -> None:
    bars = pd.read_parquet(report / "bars.parquet").set_index("date")
    own, other = ((1.0 + bars[name]).groupby(bars.index.year).prod() for name in ("return", "sleeve:market"))

    def due(since: int, until: int) -> float:
        n = until - since + 1
        growth = (each.loc[since:until].prod() ** (1.0 / n) for each in (own, other))
        return 100.0 * (next(growth) - next(growth))

    def read(figure: Locator) -> tuple[str, float]:
        span, value = figure.locator("output").inner_text().split("\n")
        assert value.endswith(" points a year")
        return span, float(value.split()[0].replace("\u2212", "-"))

    with opened(browser, report / "index.html", width) as seen:
        figure = seen.page.locator("#starts")
        area = figure.locator(".area")
        for since, until in ((1984, 2000), (1999, 1999), (1995, 2010)):
            area.scroll_into_view_if_needed()
            box = area.bounding_box()
            assert box is not None
            place = {
                "x": (until - 1984 + 0.5) / 34 * box["width"],
                "y": (since - 1984 + 0.5) / 34 * box["height"],
            }
            area.hover(position=place)
            span, value = read(figure)
            assert span == (f"{since} to {until}" if until > since else str(since))
            assert value == pytest.approx(due(since, until), abs=0.0051)
        figure.focus()
        figure.press("ArrowRight")
        assert read(figure)[0] == "1995 to 2011"
        figure.press("ArrowUp")
        span, value = read(figure)
        assert (span, value) == ("1994 to 2011", pytest.approx(due(1994, 2011), abs=0.0051))
        figure.press("Escape")
        assert not figure.locator("output").is_visible()
        figure.press("ArrowDown")
        assert read(figure)[0] == "1984 to 2017"
        figure.press("ArrowRight")  # there is nothing further
        assert read(figure)[0] == "1984 to 2017"
        area.hover(position={"x": 4, "y": box["height"] - 4})  # no end comes before its start
        assert not figure.locator("output").is_visible()
        assert seen.complaints == []


@pytest.fixture(scope="module")
def swept(embedded: MarketData, tmp_path_factory: pytest.TempPathFactory) -> tuple[Sweep, Path]:
    place = tmp_path_factory.mktemp("sweep") / "s"
    grid = {"delay": "0:12:2", "hold": "6:48:6"}
    sweep = tune("rate_cut", embedded, grid=grid, placebo=40, walk="train=15y,test=5y", out=place)
    return sweep, sweep.report()


@pytest.mark.parametrize("width", [390, 1400])
def test_a_histogram_reads_out_the_bar_under_the_pointer(
    browser: Browser, swept: tuple[Sweep, Path], width: int
) -> None:
    sweep, folder = swept
    trials = sweep.scores[np.isfinite(sweep.scores)]
    with opened(browser, folder / "index.html", width) as seen:
        figure = seen.page.locator("#distribution")
        figure.focus()
        counted, wide = 0, (figure.locator("svg").first.evaluate("e => e.viewBox.baseVal.width") / 1e5) / 60
        for _ in range(60):
            seen.page.keyboard.press("ArrowRight")
            first, second = said(figure)
            head, *rest = first.split("\n")
            low, high = (float(word) for word in head.removeprefix("Sharpe ratio ").split(" to "))
            (line,) = rest
            n = int(line.removeprefix("trials "))
            assert high - low == pytest.approx(wide, abs=0.0021)  # three digits of the ends are shown
            assert ((trials > low + 0.001) & (trials < high - 0.001)).sum() <= n
            assert n <= ((trials >= low - 0.001) & (trials <= high + 0.001)).sum()
            counted += n
            assert second.startswith(head)
        assert counted == len(trials)
        assert figure.locator(".word").all_inner_texts()[:3] == ["winner", "recommended", "market"]
        assert seen.complaints == []
        assert seen.overflow <= 0


def test_each_parameter_is_read_out_by_itself_and_the_arrows_lead_on(
    browser: Browser, swept: tuple[Sweep, Path]
) -> None:
    with opened(browser, swept[1] / "index.html") as seen:
        figure = seen.page.locator("#marginal")
        point(seen.page, figure, 1, 0.999)
        delay, hold = said(figure)
        assert delay == ""
        names = [line.rsplit(" ", 1)[0] for line in hold.split("\n")]
        assert hold.split("\n")[0] == "48"
        assert {"best", "median"} <= set(names)
        assert any(
            line.startswith("5 to 95 in a hundred 0.") and " to 0." in line for line in hold.split("\n")
        )
        figure.focus()
        seen.page.keyboard.press("ArrowDown")
        delay, hold = said(figure)
        assert (delay.split("\n")[0], hold) == ("0", "")
        figure = seen.page.locator("#choices")
        figure.focus()
        seen.page.keyboard.press("Home")
        fold = swept[0].walk_forward.folds[0]
        day = swept[0].trials.market.bars.dates[fold.test[0]]
        assert said(figure) == [f"{day}\n{name} {fold.parameters[name]}" for name in ("delay", "hold")]


def test_points_are_read_out_one_by_one(
    browser: Browser, swept: tuple[Sweep, Path], embedded: MarketData, tmp_path: Path
) -> None:
    with opened(browser, swept[1] / "index.html") as seen:
        figure = seen.page.locator("#halves")
        point(seen.page, figure, 0, 0.5)
        across, other = said(figure)[0].split("\n")
        assert across.startswith("Sharpe ratio in the half that chose 0.")
        assert other.startswith("in the other half ")
    found = study("more-volatile", embedded)
    assert found.finding is not None
    shown = found.finding.picture
    assert isinstance(shown, Dots)
    found.report(tmp_path / "study")
    with opened(browser, tmp_path / "study" / "index.html", 390) as seen:
        figure = seen.page.locator("#more-volatile")
        figure.focus()
        seen.page.keyboard.press("ArrowUp")
        seen.page.keyboard.press("End")
        ends = f"({shown.lows[0]:.3f} to {shown.highs[0]:.3f})"
        assert said(figure) == [f"{shown.labels[0]} {shown.values[0]:.3f} {ends}"]
        assert seen.complaints == []
    study("first-cut", embedded).report(tmp_path / "paths")
    with opened(browser, tmp_path / "paths" / "index.html") as seen:
        figure = seen.page.locator("#first-cut")
        figure.focus()
        seen.page.keyboard.press("End")
        head, *rows = said(figure)[0].split("\n")
        assert head == "months from the case 36"
        assert "mean" in {row.rsplit(" ", 1)[0] for row in rows}
        assert len(rows) == 8
