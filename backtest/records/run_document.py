"""A run as the record that is its JSON document."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from backtest.analysis.money_weighted import MoneyWeighted
from backtest.analysis.rolling import MODERN, Starts, WindowLeads
from backtest.dates import EVERY_FILL
from backtest.engine.lots import Sold
from backtest.folders import shipped
from backtest.parameters import Value
from backtest.records.document import DataDocument, Day, Metrics
from backtest.records.robustness import Robustness
from backtest.records.shading import cuts, recessions
from backtest.scripting.own_modules import digest
from backtest.terms import FIFO, NAMES, Terms, read_terms

if TYPE_CHECKING:
    from backtest.analysis.skill import Skill
    from backtest.runs import Run
    from backtest.scripting.strategy import Strategy


class PartDocument(msgspec.Struct, frozen=True):
    """Alpha over a part of the window."""

    part: str
    first: Day
    last: Day
    alpha: float | None
    alpha_tstat: float | None


class SkillDocument(msgspec.Struct, frozen=True):
    """Alpha's 95% interval, the smallest alpha that would have been seen, and alpha over parts."""

    alpha_low: float | None
    alpha_high: float | None
    alpha_visible: float | None
    parts: tuple[PartDocument, ...]

    @classmethod
    def of(cls, skill: Skill) -> SkillDocument:
        """Return what a run's skill comes to."""
        parts = (
            PartDocument(p.name, str(p.first), str(p.last), p.fit.alpha, p.fit.tstat) for p in skill.parts
        )
        return cls(*skill.ends, skill.visible, tuple(parts))


class SinceDocument(msgspec.Struct, frozen=True):
    """The lead since a month, ``YYYY-MM``."""

    month: str
    lead: float


class StartsDocument(msgspec.Struct, frozen=True):
    """How much the lead depends on the start: growth a year less the benchmark's, decimal.

    ``since`` is None where the run began later, or ends too soon after.
    """

    lead: float | None
    since: SinceDocument | None
    windows: tuple[WindowLeads, ...]

    @classmethod
    def of(cls, starts: Starts) -> StartsDocument:
        """Return what a run's starts come to."""
        since = None if np.isnan(starts.modern) else SinceDocument(str(MODERN), starts.modern)
        return cls(starts.whole, since, starts.windows)


class TaxesDocument(msgspec.Struct, frozen=True):
    """What taxes came to, as ``Taxes``; ``sold`` of the run and of each benchmark."""

    paid: float
    short_gains: float
    long_gains: float
    losses: float
    sold: Mapping[str, Sold]


class Shaded(msgspec.Struct, frozen=True):
    """First and last day of each row of cuts, and of each recession."""

    cuts: tuple[tuple[Day, Day], ...]
    recessions: tuple[tuple[Day, Day], ...]


class MadeBy(msgspec.Struct, frozen=True):
    """The version, and the script: the name of a shipped one, else where it lies, with its checksum."""

    version: str
    script: str
    script_sha256: str

    @classmethod
    def of(cls, strategy: Strategy) -> MadeBy:
        """Return what runs a strategy here and now."""
        own = Path(strategy.file)
        script = own.stem if own.parent == shipped("strategies") else str(own.absolute())
        return cls(importlib.metadata.version("size-rotation"), script, digest(strategy))


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``run --json`` prints, and ``result.json`` of a report keeps.

    Parameters
    ----------
    start, end, bars
        The days of the first fill and of the last bar, and the number of returns in between.
    cost_bps, benchmark, same_close, delay_fill, decide, real, tax, lots, flows
        The terms.
    doubts
        What is to be said before any number of it.
    warm_up
        The first fill at which every input is known.
    tried
        How many combinations of parameters were tried before this one was chosen.
    metrics, benchmarks
        The measures of the run, and of each benchmark.
    starts
        How much the lead on the benchmark depends on the start.
    taxes
        What taxes came to, and what is left when all is sold at the end; None without them.
    money
        What an investor has whose money flows: of the run and of each benchmark; None without flows.
    robustness
        Trials at other costs and with later fills, where they were asked for.
    report
        The folder of the report, where one was written.
    """

    strategy: str
    thesis: str
    parameters: dict[str, Value]
    market: str
    frequency: str
    proxy: str | None = None
    start: Day
    end: Day
    bars: int
    cost_bps: float | dict[str, float]
    benchmark: str
    same_close: bool = False
    delay_fill: int = 0
    decide: str = EVERY_FILL
    real: bool = False
    tax: float | dict[str, float] = 0.0
    lots: str = FIFO
    flows: str | None = None
    doubts: tuple[str, ...] = ()
    made_by: MadeBy | None = None
    warm_up: Day | None = None
    tried: int = 1
    metrics: Metrics
    skill: SkillDocument | None = None
    starts: StartsDocument | None = None
    taxes: TaxesDocument | None = None
    money: Mapping[str, MoneyWeighted] | None = None
    benchmarks: Mapping[str, Metrics]
    robustness: Robustness | UnsetType = UNSET
    data: DataDocument
    shaded: Shaded
    report: str | None = None

    @classmethod
    def of(
        cls, result: Run, report: Path | None = None, robust: Robustness | None = None, *, tried: int = 1
    ) -> RunDocument:
        """Return the document of a run; ``report`` is the folder of its report, if one was written."""
        market, terms, taxes = result.market, msgspec.structs.asdict(result.terms), result.path.taxes
        return cls(
            **{
                **terms,  # but for the window, of which a document says what it came to be
                "start": result.start,
                "end": result.end,
            },
            strategy=result.strategy.name,
            thesis=result.strategy.thesis,
            parameters=result.parameters,
            market=market.name,
            frequency=market.frequency,
            proxy=market.proxy or None,
            bars=len(result.path.returns),
            doubts=result.cautions,
            made_by=MadeBy.of(result.strategy),
            warm_up=str(result.warm_up),
            tried=tried,
            metrics=result.metrics,
            skill=SkillDocument.of(result.skill),
            starts=StartsDocument.of(result.starts),
            taxes=None if taxes is None else TaxesDocument(*taxes[:4], result.sold),
            money=result.money or None,
            benchmarks=result.benchmarks,
            robustness=UNSET if robust is None else robust,
            data=DataDocument.of(market),
            shaded=Shaded(*(_days(each(market, result.bars.dates)) for each in (cuts, recessions))),
            report=None if report is None else str(report),
        )

    @property
    def terms(self) -> Terms:
        """The terms under which it was run, its window among them."""
        return read_terms({name: getattr(self, name) for name in NAMES})


def _days(spans: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(first), str(last)) for first, last in spans)
