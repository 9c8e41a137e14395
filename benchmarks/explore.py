"""How long the explorer takes: from the hand's move to the redrawn page, in Chromium, over a century of days.

    python -m benchmarks.explore [--market M] [--moves N] [STRATEGY ...]

A slider is moved N times. From the event to the frame after the last change of the page is what a hand waits
for; the server's part is what it says itself. At the end a number of the page is held against ``run`` there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import threading
import time

from playwright.sync_api import Page, sync_playwright

from backtest import load_market, load_strategy, run
from backtest.explore.server import Explorer
from backtest.explore.sitting import Sitting
from backtest.terms import Terms

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

_MOVE = """async step => {
  const slider = document.querySelector('input[type=range][data-name]');
  const began = Number(slider.dataset.from ??= slider.value);  // upwards from where it began no rule refuses
  const steps = Math.round((slider.max - began) / slider.step);
  slider.value = String(began + ((step * 7) % steps) * slider.step);
  const moved = performance.now();
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  while (busy) await new Promise(resolve => setTimeout(resolve, 1));
  if (!document.getElementById('fault').hidden) throw new Error(document.getElementById('fault').textContent);
  return performance.now() - moved;
}"""
_SERVED = """() => performance.getEntriesByType('resource').filter(each => each.name.endsWith('/move'))
  .flatMap(each => each.serverTiming.map(part => part.duration))"""


def quantiles(values: list[float]) -> str:
    """Return the median and the 95th percentile, in milliseconds."""
    return f"{statistics.median(values):.0f} and {sorted(values)[int(0.95 * len(values))]:.0f}"


def measured(page: Page, moves: int) -> tuple[list[float], list[float]]:
    """Move the slider so often; return what the hand waited for and the server's part of it, milliseconds."""
    page.evaluate("performance.setResourceTimingBufferSize(100000)")
    for step in range(10):  # compiled and warm
        page.evaluate(_MOVE, step)
    page.wait_for_timeout(8_000)
    page.evaluate("performance.clearResourceTimings()")
    return [page.evaluate(_MOVE, step) for step in range(moves)], page.evaluate(_SERVED)


def one(name: str, market_name: str, moves: int) -> None:
    """Measure one strategy and print a line."""
    market, strategy = load_market(market_name), load_strategy(name)
    with (
        Explorer(lambda: Sitting([name], [strategy], market, Terms(), [{}])) as server,
        sync_playwright() as driver,
    ):
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        opened = time.perf_counter()
        page.goto(server.address)
        page.wait_for_selector("#figure figure")
        first = time.perf_counter() - opened
        waited, served = measured(page, moves)
        page.wait_for_timeout(5_000)
        parameter = page.locator("input[type=range][data-name]").first.get_attribute("data-name")
        value = page.locator(f"input[type=number][data-name={parameter}]").input_value()
        expected = run(strategy, market, **{parameter: value}).metrics["sharpe"]
        said = page.locator("#numbers tbody tr", has_text="Sharpe").locator("td").nth(1).inner_text()
        assert said.replace("\u2212", "-") == f"{expected:.2f}", (said, expected)
        browser.close()
        server.shutdown()
    print(
        f"{name:20} {len(market.bars.dates):7,} bars  hand {quantiles(waited):>11} ms  "
        f"server {quantiles(served):>9} ms  first picture {first:.1f} s"
    )


def main() -> None:
    """Measure what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strategies", nargs="*", default=["rate_cut", "valuation_discount", "trend"])
    parser.add_argument("--market", default="french_daily")
    parser.add_argument("--moves", type=int, default=100)
    options = parser.parse_args()
    print(
        json.dumps({"cores": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()})
    )
    print("median and 95th percentile:")
    for name in options.strategies:
        one(name, options.market, options.moves)


if __name__ == "__main__":
    main()
