"""Runs by name, for a comparison: a report is read from its folder, a strategy is run."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from backtest.arguments import named_with_parameters
from backtest.errors import UsageError
from backtest.market.load import load_market
from backtest.records.record import RunRecord, read_record, record_of
from backtest.runs import Run, run
from backtest.scripting.loading import strategy_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backtest.market.data import MarketData
    from backtest.scripting.strategy import Strategy

Named: TypeAlias = "Run | RunRecord | Strategy | str | Path"
"""A run, or what is run or read: a strategy, its name or script with ``:NAME=VALUE,...`` behind it, or the
folder of a report."""


def _is_report(name: object) -> bool:
    """Return whether a run is named by its folder; a shipped strategy's name always means the strategy."""
    return isinstance(name, str | Path) and name not in strategy_names() and Path(name).is_dir()


def _refuse_no_run(name: str) -> None:
    """Say what is meant to be written, where a name is nearly that of a run."""
    own, colon, rest = name.rpartition(":")
    if colon and (own in strategy_names() or Path(own).is_file()):
        raise UsageError(f"'{rest}' is no parameter with a value; write {own}:NAME=VALUE, or {own} alone")
    if "/" in name and not name.endswith(".py") and not Path(name).exists():
        raise UsageError(f"there is neither a report's folder nor a script '{name}'")


def refuse_unused(named: Sequence[Named], asked: Sequence[str]) -> None:
    """Refuse terms of a run, by their names, where nothing is run: what was run keeps its own."""
    if asked and all(isinstance(name, Run | RunRecord) or _is_report(name) for name in named):
        raise UsageError(
            f"reports keep the terms that they were run under, so {asked[0]} changes nothing; leave it out, "
            "or name a strategy to be run"
        )


def records(
    named: Sequence[Named], market: MarketData | str | None, terms: dict[str, Any]
) -> list[RunRecord]:
    """Return the record of each run; a strategy is run here, on a market (``embedded``) and under terms.

    Raises
    ------
    UsageError
        When a name is none, a folder is no report, or there are terms and nothing to run.
    RotationError
        When a run fails.
    """
    refuse_unused(named, [*(["market"] if market is not None else []), *terms])

    @cache
    def on() -> MarketData:
        return load_market(market or "embedded")

    return [_record(each, on, terms) for each in named]


def _found(name: str | Path, on: Callable[[], MarketData], terms: dict[str, Any]) -> Run | RunRecord:
    """Read a report, or run the strategy that a name means."""
    own, parameters = named_with_parameters(str(name))
    if "=" in own and not Path(own).exists():
        raise UsageError(f"a parameter stands behind the run that it is of: RUN:{own}")
    if _is_report(own):
        if parameters:
            raise UsageError(
                f"{own} is a folder, and a report keeps its parameters; name its strategy instead"
            )
        return read_record(own)
    _refuse_no_run(own)
    return run(own, on(), **terms, **parameters)


def _record(each: Named, on: Callable[[], MarketData], terms: dict[str, Any]) -> RunRecord:
    found = _found(each, on, terms) if isinstance(each, str | Path) else each
    if isinstance(found, RunRecord):
        return found
    return record_of(found if isinstance(found, Run) else run(found, on(), **terms))
