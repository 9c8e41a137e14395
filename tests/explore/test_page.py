"""The page under a real hand: it is dragged, and what it says then is what the command line says there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backtest.measures import MEASURES
from backtest.reporting.html import minus
from tests.explore.test_server import serving, sitting_of
from tests.reporting.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from backtest import MarketData
    from backtest.explore.server import Explorer


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@contextmanager
def opened(browser: Browser, explorer: Explorer, width: int = 1400, scheme: Any = "light") -> Iterator[Page]:
    """Open a sitting and wait until its first position has settled; nothing may be complained of."""
    context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(explorer.address)
    settled(page)
    yield page
    context.close()
    assert complaints == []


def until(page: Page, true: str) -> None:
    """Wait until an expression is true; the page lets no other script run, so it is asked from outside."""
    for _ in range(3_000):
        if page.evaluate(true):
            return
        page.wait_for_timeout(20)
    raise AssertionError(true)


def settled(page: Page) -> None:
    until(page, "!busy && !waiting && document.body.dataset.settled === String(latest)")


def numbers(page: Page) -> dict[str, str]:
    rows = page.locator("#numbers tbody tr").all()
    cells = [row.locator("td").all_inner_texts() for row in rows]
    return {each[0]: each[1] for each in cells}


def answer(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-c", "from backtest.cli import entry; entry()", *words, "--json"]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


@pytest.fixture
def explorer(embedded: MarketData) -> Iterator[Explorer]:
    with serving(lambda: sitting_of(embedded, "rate_cut")) as running:
        yield running


def drag(page: Page, name: str, to: float) -> None:
    """Take a slider by its knob and move it to a part of its length."""
    slider = page.locator(f"input[type=range][data-name={name}]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    at = slider.evaluate("each => (each.value - each.min) / (each.max - each.min)")
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8 + at * (box["width"] - 16), y)
    page.mouse.down()
    for part in (0.25, 0.5, 0.75, 1.0):
        page.mouse.move(box["x"] + 8 + (at + part * (to - at)) * (box["width"] - 16), y)
    page.mouse.up()


def test_after_a_drag_the_page_says_what_the_command_says(browser: Browser, explorer: Explorer) -> None:
    with opened(browser, explorer) as page:
        assert page.locator("#tried").inner_text() == "1 position tried."
        before = page.locator("#figure path.curve[data-name=rate_cut]").first.get_attribute("d")
        drag(page, "hold", 0.7)
        settled(page)
        hold = page.locator("input[type=number][data-name=hold]").input_value()
        assert 38 <= int(hold) <= 46
        expected = answer("run", "rate_cut", "--set", f"hold={hold}")
        said = numbers(page)
        for measure in MEASURES:
            assert said[measure.label.strip()] == minus(measure.text(expected["metrics"][measure.key]))
        assert page.locator("#kept").inner_text().strip() == f"rotation run rate_cut --set hold={hold}"
        assert page.locator("#figure path.curve[data-name=rate_cut]").first.get_attribute("d") != before
        found = re.match(r"(\d+) positions tried", page.locator("#tried").inner_text())
        assert found is not None
        assert 2 <= int(found[1]) <= 6
        assert int(found[1]) == explorer.tried
        assert f"{found[1]} tried" in page.locator("#verdict").inner_text()


def test_a_number_between_two_steps_and_a_wrong_one(browser: Browser, explorer: Explorer) -> None:
    with opened(browser, explorer) as page:
        page.locator("input[type=number][data-name=min_cut]").fill("0.333")
        settled(page)
        expected = answer("run", "rate_cut", "--set", "min_cut=0.333")
        assert numbers(page)["Sharpe ratio"] == f"{expected['metrics']['sharpe']:.2f}"
        page.locator("input[type=number][data-name=hold]").fill("99")
        page.wait_for_selector("#fault:not([hidden])")
        assert page.locator("#fault").inner_text() == "hold must lie in 1 to 60 months, not 99"
        page.locator("input[type=number][data-name=hold]").fill("12")
        settled(page)
        assert page.locator("#fault").is_hidden()


def test_a_stretch_is_chosen_by_dragging_across_the_figure(browser: Browser, explorer: Explorer) -> None:
    with opened(browser, explorer) as page:
        area = page.locator("#figure .area").first
        box = area.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60)
        page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 60)
        page.mouse.up()
        settled(page)
        start, end = (page.locator(f"[data-term={name}]").input_value() for name in ("start", "end"))
        assert start.startswith("199")
        assert end.startswith(("2009", "2010"))
        expected = answer("run", "rate_cut", "--start", start, "--end", end)
        assert numbers(page)["switches"] == str(expected["metrics"]["switches"])
        page.locator("#whole").click()
        settled(page)
        assert page.locator("[data-term=start]").input_value() == ""


def test_the_crosshair_stays_at_its_date_when_the_plots_are_drawn_anew(
    browser: Browser, explorer: Explorer
) -> None:
    with opened(browser, explorer) as page:
        figure = page.locator("#figure figure")
        figure.focus()
        for _ in range(30):
            page.keyboard.press("Shift+ArrowLeft")
        first = figure.locator("output").first.inner_text()
        page.evaluate("put(document.querySelector('input[type=range][data-name=hold]'), '40'); move()")
        settled(page)
        after = figure.locator("output").first.inner_text()
        assert after.splitlines()[0] == first.splitlines()[0]
        assert after != first
        # A curve that was hidden stays so.
        page.locator("#figure .keys [data-name=small]").click()
        page.evaluate("put(document.querySelector('input[type=range][data-name=hold]'), '30'); move()")
        settled(page)
        assert not page.locator("#figure path.curve[data-name=small]").is_visible()


def test_a_click_in_the_plane_goes_there(browser: Browser, explorer: Explorer) -> None:
    with opened(browser, explorer) as page:
        page.locator("#plane-look").click()
        page.wait_for_selector("#plane figure", timeout=60_000)
        assert page.locator("#tried").inner_text() == "1,500 positions tried."
        field = page.locator("#plane .area")
        field.scroll_into_view_if_needed()
        box = field.bounding_box()
        assert box is not None
        x, y = box["x"] + 10.5 / 25 * box["width"], box["y"] + box["height"] - 29.5 / 60 * box["height"]
        page.mouse.move(x, y)
        said = page.locator("#plane output").inner_text()
        page.mouse.click(x, y)
        settled(page)
        assert said == f"delay 10, hold 30: {numbers(page)['Sharpe ratio']}"
        assert (
            page.locator("#kept").inner_text().strip() == "rotation run rate_cut --set delay=10 --set hold=30"
        )
        assert page.locator("#tried").inner_text() == "1,500 positions tried."


def test_a_link_brings_the_position_back_and_the_count_stays(browser: Browser, explorer: Explorer) -> None:
    with opened(browser, explorer) as page:
        page.locator("input[type=number][data-name=hold]").fill("33")
        settled(page)
        page.locator("[data-term=cost_bps]").nth(1).fill("25")
        settled(page)
        kept, count = page.locator("#kept").inner_text(), page.locator("#tried").inner_text()
        page.reload()
        settled(page)
        assert page.locator("#kept").inner_text() == kept
        assert page.locator("#tried").inner_text() == count
        page.locator("#again").click()
        settled(page)
        assert page.locator("#kept").inner_text().strip() == "rotation run rate_cut"


def test_a_report_says_how_many_were_tried(
    browser: Browser, explorer: Explorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with opened(browser, explorer) as page:
        page.locator("input[type=number][data-name=hold]").fill("33")
        settled(page)
        page.locator("#report").click()
        until(page, "document.getElementById('said').textContent.startsWith('Written')")
        (written,) = tmp_path.glob("reports/rate_cut/*/result.json")
        found = json.loads(written.read_text())
        assert (found["parameters"]["hold"], found["tried"]) == (33, explorer.tried)
        with page.expect_download() as download:
            page.locator("#picture").click()
        assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_a_script_that_breaks_is_said_and_mended(
    browser: Browser, embedded: MarketData, tmp_path: Path
) -> None:
    script = tmp_path / "mine.py"
    text = (Path(__file__).parents[2] / "strategies" / "rate_cut.py").read_text()
    script.write_text(text)
    with serving(lambda: sitting_of(embedded, str(script))) as running, opened(browser, running) as page:
        script.write_text(text.replace("rotate(", "rotate(("))
        page.wait_for_selector("#fault:not([hidden])", timeout=20_000)
        assert "mine.py" in page.locator("#fault").inner_text()
        script.write_text(text.replace("hold: Months = param(24", "hold: Months = param(36"))
        page.wait_for_selector('input[type=number][data-name=hold][value="36"]', timeout=20_000)
        settled(page)
        assert page.locator("#fault").is_hidden()


def test_a_rule_that_was_changed_is_another_try(
    browser: Browser, embedded: MarketData, tmp_path: Path
) -> None:
    script = tmp_path / "mine.py"
    text = (Path(__file__).parents[2] / "strategies" / "rate_cut.py").read_text()
    script.write_text(text)
    with serving(lambda: sitting_of(embedded, str(script))) as running, opened(browser, running) as page:
        page.evaluate("document.body.dataset.old = 'yes'")
        script.write_text(text.replace('into="small", otherwise="large"', 'into="large", otherwise="small"'))
        page.wait_for_selector("body:not([data-old])", timeout=20_000)
        settled(page)
        assert page.locator("#tried").inner_text() == "2 positions tried."


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_wider_than_the_window(
    browser: Browser, embedded: MarketData, width: int, scheme: str
) -> None:
    make = lambda: sitting_of(embedded, "rate_cut", "valuation_discount")  # noqa: E731 - a sitting a page
    with serving(make) as running, opened(browser, running, width, scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.locator("#figure .plot").count() >= 6
