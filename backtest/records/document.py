"""A result as a record that is its JSON document: written by one function, and read back by one."""

from __future__ import annotations

import importlib.metadata
import json
import pathlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from backtest.dates import EVERY_FILL
from backtest.errors import UsageError
from backtest.folders import shipped
from backtest.market.toml import in_words
from backtest.parameters import Value
from backtest.records.robustness import Robustness
from backtest.records.shading import cuts, recessions
from backtest.scripting.own_modules import digest
from backtest.terms import NAMES, Terms, read_terms

if TYPE_CHECKING:
    from backtest.analysis.skill import Skill
    from backtest.market.data import MarketData
    from backtest.runs import Run
    from backtest.scripting.strategy import Strategy

T = TypeVar("T")

Day: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
"""A day as ``YYYY-MM-DD``."""

Metrics: TypeAlias = Mapping[str, float | None]
"""Measures by key, in the order of ``MEASURES``; None, or NaN where it was just measured, for what is not
defined."""


def plain(content: Any) -> Any:
    """Return a document as dicts and lists: NaN is None, a day its ISO date, an array a list."""
    return msgspec.json.decode(msgspec.json.encode(content, enc_hook=_plain))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, pathlib.PurePath) else value.tolist()


def to_json(content: Any) -> str:
    """Return a document's text, of ASCII letters only, so that every terminal can print it."""
    return json.dumps(plain(content), indent=2, allow_nan=False)


def write_document(content: Any, file: Path) -> None:
    """Write a document into a file of a folder that is being written."""
    file.write_text(to_json(content) + "\n", encoding="utf-8")


def read_document(file: Path, kind: type[T]) -> T:
    """Return the document in a file.

    A key that it does not know is passed over; one that it lacks has its default, if it has one.

    Raises
    ------
    UsageError
        When the file cannot be read, or is no such document; the sentence has the file, the key, and what was
        expected there.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {_wrong(str(error))}; write it again") from None


def _wrong(said: str) -> str:
    """Return what msgspec has against a document as the end of a sentence."""
    said, _, place = said.partition(" - at `$")
    key = f"'{place.strip('.`')}'" if place.strip(".`") else ""
    lacking = said.partition(" missing required field ")[2].strip("`")
    if lacking:
        return f"{key or 'it'} lacks '{lacking}'"
    if " matching regex " in said:
        return f"{key} must be a day, such as 1990-01-31"
    return f"{key} must be {in_words(said, None)}" if key else "it is not JSON, or not of this kind"


class SourceDocument(msgspec.Struct, frozen=True):
    """Where a series is from, its checksum, and the last day up to which it is known."""

    source: str
    sha256: str
    last: Day


class DataDocument(msgspec.Struct, frozen=True):
    """The last bar, and what each series of a market was made of."""

    last: Day
    series: Mapping[str, SourceDocument]

    @classmethod
    def of(cls, market: MarketData) -> DataDocument:
        """Return what a result on a market rests on."""
        sources = sorted(market.sources.items())
        series = {id: SourceDocument(p.origin, p.sha256, str(p.last)) for id, p in sources}
        return cls(str(market.bars.dates[-1]), series)


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
        own = pathlib.Path(strategy.file)
        script = own.stem if own.parent == shipped("strategies") else str(own.absolute())
        return cls(importlib.metadata.version("size-rotation"), script, digest(strategy))


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``run --json`` prints, and ``result.json`` of a report keeps.

    Parameters
    ----------
    start, end, bars
        The days of the first fill and of the last bar, and the number of returns in between.
    cost_bps, benchmark, same_close, delay_fill, decide
        The terms.
    warm_up
        The first fill at which every input is known.
    tried
        How many combinations of parameters were tried before this one was chosen.
    metrics, benchmarks
        The measures of the run, and of each benchmark.
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
    doubts: tuple[str, ...] = ()
    made_by: MadeBy | None = None
    warm_up: Day | None = None
    tried: int = 1
    metrics: Metrics
    skill: SkillDocument | None = None
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
        market, terms = result.market, msgspec.structs.asdict(result.terms)
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
            bars=len(result.returns),
            doubts=result.doubts,
            made_by=MadeBy.of(result.strategy),
            warm_up=str(result.warm_up),
            tried=tried,
            metrics=result.metrics,
            skill=SkillDocument.of(result.skill),
            benchmarks=result.benchmarks,
            robustness=UNSET if robust is None else robust,
            data=DataDocument.of(market),
            shaded=Shaded(_days(cuts(result)), _days(recessions(result))),
            report=None if report is None else str(report),
        )

    @property
    def terms(self) -> Terms:
        """The terms under which it was run, its window among them."""
        return read_terms({name: getattr(self, name) for name in NAMES})


def _days(spans: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(first), str(last)) for first, last in spans)
