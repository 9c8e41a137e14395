"""The tear sheet as a page: one HTML file that needs nothing else; what is said is put in words here."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any, NamedTuple

from backtest.analysis.intervals import Interval
from backtest.analysis.next_path import HELD, SEED
from backtest.reporting import figures, style
from backtest.reporting.html import Drawing, drawing, render
from backtest.reporting.regime_notes import regime_note
from backtest.reporting.sentences import SIGNIFICANT, p_clause, terms, verdict
from backtest.reporting.table import ROWS, cell, number, percent, proper, pvalue_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from backtest.reporting.sheet import FactorModel, Sheet, Variant
    from backtest.runs import Result


class Tile(NamedTuple):
    """A number that is seen first, with what it is and how sure it is."""

    what: str
    value: str
    more: str


def _signed(value: float) -> str:
    return proper(cell(value, lambda v: f"{v:+.2%}"))


def _ends(interval: Interval, form: Callable[[float], str]) -> str:
    if interval.low != interval.low:
        return ""
    return f"{proper(form(interval.low))} to {proper(form(interval.high))}"


def _tiles(sheet: Sheet) -> list[Tile]:
    record, own = sheet.record, sheet.intervals
    against = sheet.differences["cagr"]
    alpha = own["alpha"]
    held = ", ".join(name if w == 1.0 else f"{name} {w:.0%}" for name, w in sheet.holds.items())
    interval = _ends(alpha, percent)
    deepest = record.document["metrics"]["max_drawdown"]
    return [
        Tile(
            "return a year",
            percent(own["cagr"].value),
            f"{_signed(against.value)} against {record.benchmark}",
        ),
        Tile("alpha a year", _signed(alpha.value), f"95%: {interval}" if interval else "no interval"),
        Tile(
            "Sharpe ratio", proper(cell(own["sharpe"].value, number)), f"95%: {_ends(own['sharpe'], number)}"
        ),
        Tile("deepest fall", proper(percent(deepest)), "from the highest value so far"),
        Tile(f"held on {record.dates[-1]}", held, f"since {sheet.since}; the data end there"),
    ]


def _measures(sheet: Sheet) -> dict[str, Any]:
    record = sheet.record
    benchmarks = record.document["benchmarks"]
    rows = []
    for key, label, form in ROWS:
        own = record.document["metrics"][key]
        known, apart = sheet.intervals.get(key), sheet.differences.get(key)
        if sheet.ranges is not None and key in HELD:
            known = Interval(own, *getattr(sheet.ranges, key))
        rows.append(
            [
                label.strip(),
                proper(cell(own, form)),
                _ends(known, form) if known else "",
                *(proper(cell(metrics[key], form)) for metrics in benchmarks.values()),
                _ends(apart, form) if apart else "",
            ]
        )
    heads = ["", record.name, "95% interval", *benchmarks, f"less {record.benchmark}, 95%"]
    return {"heads": heads, "rows": rows}


def _method(sheet: Sheet) -> str:
    said = (
        "Intervals are of the process that made these returns and cover it 93 to 97 times in a hundred, in "
        "simulations with fat tails, autocorrelation and clusters of volatility; more often where a strategy "
        "seldom leaves its benchmark. Volatility and tracking error have none: a calm sample does not show "
        "storms. The last column is the strategy less the benchmark."
    )
    ranges = sheet.ranges
    if ranges is None:
        return said
    (low, high), (least, most) = HELD["max_drawdown"], HELD["calmar"]
    return (
        f"{said} The ranges of the deepest drawdown and of the Calmar ratio are another thing: where those "
        f"of a further stretch as long as this one would lie, by {ranges.draws:,} paths drawn in blocks of "
        f"{ranges.block:.0f} bars (seed {SEED}). They held {low} to {high} and {least} to {most} times in a "
        "hundred, least where volatility comes in clusters."
    )


def _model(model: FactorModel) -> dict[str, Any]:
    rows = []
    for name, value, tstat, pvalue in model.loadings:
        estimate = _signed(value) if name.startswith("alpha") else proper(cell(value, number))
        rows.append([name, estimate, proper(cell(tstat, number)), cell(pvalue, pvalue_text)])
    return {"name": model.name.capitalize(), "rows": rows, "r_squared": cell(model.r_squared, number)}


def _alpha_note(sheet: Sheet) -> str:
    if len(sheet.models) == 1:
        return "This market has no size and value factors to hold alpha against."
    models = sheet.models
    alphas = [
        f"{_signed(m.loadings[0].value)} (t = {proper(cell(m.loadings[0].tstat, number))})" for m in models
    ]
    return (
        "A rotation into small companies that loads on SMB, small minus big, is paid for size, and that is "
        "no alpha. "
        f"Alpha a year {models[0].name} is {alphas[0]}; with size and value beside the market {alphas[1]}"
        + (f"; with momentum as well {alphas[2]}." if len(models) > 2 else ".")
    )


def _against_factors(sheet: Sheet) -> list[str]:
    """Return what is left of alpha beside the factors, to stand with the verdict."""
    if len(sheet.models) == 1:
        return []
    known = sheet.models[-1]
    beside = ", ".join(loading.name for loading in known.loadings[2:-1]) + f" and {known.loadings[-1].name}"
    value, tstat, pvalue = known.loadings[0][1:]
    if tstat != tstat:
        return [f"Beside the market, {beside}, nothing is left to test: they explain it whole."]
    apart = "is not distinguishable from zero" if pvalue >= SIGNIFICANT else "differs from zero"
    said = f"t = {number(tstat)}, {p_clause(pvalue)}"
    return [proper(f"Beside the market, {beside}, alpha is {value:+.2%} a year ({said}); it {apart}.")]


def _tint(value: float, scale: float) -> str:
    """Return the class of a cell's background: five steps of blue above zero, of orange below."""
    step = min(round(5.0 * abs(value) / scale), 5) if value == value else 0
    return f"{'u' if value > 0 else 'd'}{step}" if step else ""


def _calendar(sheet: Sheet) -> dict[str, Any]:
    months, monthly = sheet.months
    years, yearly = sheet.years
    numbers = (months.astype(int) // 12 + 1970).tolist()
    rows: dict[int, dict[str, Any]] = {}
    for year, (own, benchmark) in zip((years.astype(int) + 1970).tolist(), yearly.tolist(), strict=True):
        rows[year] = {
            "year": str(year),
            "months": [("", "")] * 12,
            "own": proper(f"{100.0 * own:.1f}"),
            "benchmark": proper(f"{100.0 * benchmark:.1f}"),
            "less": proper(f"{100.0 * (own - benchmark):+.1f}"),
        }
    for year, month, value in zip(
        numbers, (months.astype(int) % 12).tolist(), monthly[:, 0].tolist(), strict=True
    ):
        rows[year]["months"][month] = (proper(f"{100.0 * value:.1f}"), _tint(value, 0.10))
    return {"benchmark": sheet.record.benchmark, "rows": list(rows.values())[::-1]}


def _switches(sheet: Sheet) -> dict[str, Any]:
    rows = [
        {
            "date": s.date,
            "hold": s.hold,
            "reason": s.reason,
            "turnover": percent(s.turnover),
            "cost": f"{1e4 * s.cost:.1f} bp",
            "gain": _signed(s.gain),
            "class": _tint(s.gain, 0.20),
        }
        for s in sheet.switches
    ]
    again = len(sheet.record.trades) - len(sheet.switches)
    gains = [s.gain for s in sheet.switches if s.gain == s.gain]
    won = sum(gain > 0.0 for gain in gains)
    note = (
        "Gain: the value with the switch against the value without it, at the next switch or the last bar, "
        f"after the cost of the switch. {won} of {len(gains)} switches gained."
        if gains
        else "It never switched."
    )
    note += f" {again:,} trades back to the target are not shown." if again else ""
    return {"rows": rows[::-1], "note": note}


def _variants(variants: list[Variant], label: Callable[[float], str], own: float | None) -> list[list[str]]:
    return [
        [
            label(v.at) + (" (as run)" if v.at == own else ""),
            percent(v.cagr),
            proper(cell(v.sharpe, number)),
            _signed(v.alpha),
            proper(cell(v.tstat, number)),
        ]
        for v in variants
    ]


def _regimes(result: Result, sheet: Sheet) -> list[dict[str, Any]]:
    return [
        {
            "name": name.capitalize(),
            "rows": [
                [
                    row.name,
                    f"{row.bars:,}",
                    *(_signed(mean) for mean in row.means),
                    _signed(row.difference),
                    proper(cell(row.tstat, number)),
                ]
                for row in rows
            ],
            "note": regime_note(name, rows, result, sheet.record),
        }
        for name, rows in sheet.regimes.items()
    ]


def _warnings(result: Result) -> list[str]:
    found = [f"{said[0].upper()}{said[1:]}." for said in result.doubts]
    if result.market.proxy:
        found.append(f"Proxy: {result.market.proxy}.")
    if result.same_close:
        found.append("Same close: fills use what became known on their own day. Nobody could have traded so.")
    return found


def _holds(sheet: Sheet) -> str:
    held = ", ".join(f"{name} ({weight:.0%})" for name, weight in sheet.holds.items())
    record = sheet.record
    return (
        f"At the close of {record.dates[-1]}, the last bar of the data: {held}, since the trade of "
        f"{sheet.since}. No trade is made at the last bar."
    )


def sheet_figures(sheet: Sheet) -> dict[str, Callable[[style.Size], Figure]]:
    """Return the figures of a tear sheet by name, each as a function of its size."""
    record = sheet.record
    first = {"seen": lambda size: figures.seen_figure(sheet, size)} if sheet.seen else {}
    return {
        **first,
        "growth": lambda size: figures.growth_figure(record, size),
        "drawdown": lambda size: figures.drawdown_figure(record, size),
        "rolling": lambda size: figures.rolling_figure(sheet, size),
        "years": lambda size: figures.years_figure(sheet, size),
    }


SHORT = ("parameters", "market", "window", "fills", "costs", "data end")
"""The terms that a card of the gallery has room for."""

SHOWS = {
    "seen": "What the strategy saw: each level with the thresholds it was held against, events, and holdings",
    "growth": "Growth of 1 beside the benchmarks, the value relative to the benchmark, and the holdings",
    "drawdown": "Drawdowns of the strategy and its benchmark",
    "rolling": "Return, volatility, alpha and beta over a moving window",
    "years": "Returns by calendar year, and their difference from the benchmark's",
}
"""What each figure shows, for who cannot see it."""


def glance(result: Result, sheet: Sheet) -> dict[str, Any]:
    """Return what a card of the gallery says: terms, warnings, tiles, and a row of the front page's table."""
    own, metrics = sheet.intervals, result.metrics
    return {
        "terms": [(word, said) for word, said in terms(result) if word in SHORT],
        "warnings": _warnings(result),
        "tiles": _tiles(sheet),
        "row": [
            result.start,
            percent(own["cagr"].value),
            _signed(sheet.differences["cagr"].value),
            proper(cell(own["sharpe"].value, number)),
            proper(percent(metrics["max_drawdown"])),
            _signed(own["alpha"].value),
            proper(cell(metrics["alpha_tstat"], number)),
        ],
    }


def tear_sheet(result: Result, sheet: Sheet) -> tuple[str, dict[str, Figure]]:
    """Return the page's text, and its figures at full size by name."""
    record, tried = sheet.record, int(sheet.record.document["tried"])
    drawn: dict[str, Drawing] = {}
    wide: dict[str, Figure] = {}
    for name, draw in sheet_figures(sheet).items():
        drawn[name], wide[name] = drawing(name, draw, SHOWS[name])
    shown = [
        (word, said) for word, said in terms(result, tried) if word not in ("thesis", "proxy", "caution")
    ]
    metrics = record.document["metrics"]
    page = render(
        "tear_sheet.html",
        title=f"{record.name} on {record.document['market']}",
        name=record.name,
        benchmark=record.benchmark,
        thesis=result.strategy.thesis,
        verdict=[proper(verdict(result, tried)), *_against_factors(sheet)],
        warnings=_warnings(result),
        terms=shown,
        tiles=_tiles(sheet),
        figures=drawn,
        held=[(name, colour[1:]) for name, colour in figures.held(record).items()],
        cuts=bool(record.cuts),
        recessions=bool(record.recessions),
        falls=[
            [proper(percent(f.depth)), f.peak, f.trough, f.recovery or "not yet", f"{f.years:.1f}"]
            for f in sheet.falls
        ],
        measures=_measures(sheet),
        method=_method(sheet),
        alpha_note=_alpha_note(sheet),
        models=[_model(model) for model in sheet.models],
        calendar=_calendar(sheet),
        switches=_switches(sheet),
        regimes=_regimes(result, sheet),
        capture=[[n, percent(up), percent(down)] for n, (up, down) in sheet.capture.items()],
        costs=_variants(sheet.costs, lambda at: f"{at:g} bp", _single(result.cost.bps)),
        delays=_variants(sheet.delays, lambda at: _bars(int(at), record.frequency), 0.0),
        holds=_holds(sheet),
        data=[
            [id, s["source"], s["last"], s["sha256"][:12]]
            for id, s in record.document["data"]["series"].items()
        ],
        version=importlib.metadata.version("size-rotation"),
        metrics=metrics,
    )
    return page, wide


def _single(bps: Any) -> float | None:
    return float(bps) if isinstance(bps, int | float) else None


def _bars(n: int, frequency: str) -> str:
    unit = "month" if frequency == "monthly" else "trading day"
    return "not" if n == 0 else f"{n} {unit}" + ("" if n == 1 else "s")
