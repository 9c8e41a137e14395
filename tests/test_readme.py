"""The README shows what is there: the script as it stands, and the numbers that a run gives."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from backtest import run
from backtest.measures import MEASURES
from backtest.reporting.sentences import verdict
from backtest.scripting.loading import strategy_names
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from backtest import MarketData

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_script_stands_as_it_is() -> None:
    script = (REPOSITORY / "strategies" / "rate_cut.py").read_text(encoding="utf-8")
    shown = "\n".join(line.rstrip() for line in textwrap.indent(script, "    ").splitlines())
    assert shown in README


def test_the_table_is_what_a_run_prints(embedded: MarketData) -> None:
    result = run("rate_cut", embedded)
    columns = {"rate_cut": result.metrics, **result.benchmarks}
    lines = [line for line in README.splitlines() if re.match(r" {4}[\w ()-]+│", line)]
    assert len(lines) == 6
    for line in lines:
        label, *cells = [part.strip() for part in line.split("│")]
        measure = next(m for m in MEASURES if m.label.strip() == label)
        assert cells == [
            measure.text(columns[name][measure.key]) for name in ("rate_cut", "large", "small", "market")
        ]
    said = " ".join(verdict(result).split())
    assert said in " ".join(README.split())


def test_it_counts_the_strategies_and_names_files_that_exist() -> None:
    assert len(strategy_names()) == 15
    assert "fifteen theses" in README
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (REPOSITORY / target).exists(), target
