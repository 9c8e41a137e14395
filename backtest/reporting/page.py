"""The page of a run: what it says, block by block; its brief blocks are what a terminal shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.analysis.intervals import Interval
from backtest.analysis.next_path import HELD, SEED
from backtest.errors import joined
from backtest.measures import BY_KEY, MEASURES, entry, listed
from backtest.reporting import blocks as b
from backtest.reporting import figures
from backtest.reporting.investor import money_blocks, money_table, tax_blocks, tax_table
from backtest.reporting.palette import CUT, RECESSION
from backtest.reporting.regime_notes import regime_note
from backtest.reporting.sentences import NO_ADVICE, SIGNIFICANT, cautions, conditions, opening, terms, verdict
from backtest.reporting.starts import start_map, starts_blocks, starts_brief, turned
from backtest.wording import cell, counted, held, number, p_clause, percent, pvalue, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from backtest.records.document import DataDocument, Metrics
    from backtest.records.record import RunRecord
    from backtest.records.robustness import Robustness
    from backtest.records.sheet import FactorModel, Sheet, Variant
    from backtest.reporting.chart import Chart
    from backtest.runs import Run

LAST = (
    "The numbers behind every figure and table lie beside this page: bars.parquet, trades.parquet, "
    "sheet.json, result.json. " + NO_ADVICE
)

_CUTS, _RECESSIONS = b.Key(CUT), b.Key(RECESSION, opacity=0.6)


def ends(interval: Interval | None, form: Callable[[float], str]) -> str:
    """Return the ends of an interval as a table has them; empty where there is none."""
    if interval is None or interval.low != interval.low:
        return ""
    return f"{form(interval.low)} to {form(interval.high)}"


def tiles(sheet: Sheet) -> b.Tiles:
    """Return the numbers that are seen first."""
    record, own = sheet.record, sheet.intervals
    cagr, alpha, sharpe, deepest = (BY_KEY[key] for key in ("cagr", "alpha", "sharpe", "max_drawdown"))
    interval = ends(own["alpha"], alpha.form)
    known = f"95%: {interval}" if interval else "no interval"
    against = f"{signed(sheet.differences['cagr'].value, 2)} against {record.benchmark}"
    ratio = sharpe.text(own["sharpe"].value), f"95%: {ends(own['sharpe'], sharpe.form)}"
    fall = deepest.text(record.document.metrics["max_drawdown"])
    return b.Tiles(
        (
            b.Tile("return a year", cagr.text(own["cagr"].value), against),
            b.Tile(alpha.label, signed(own["alpha"].value, 2), known),
            b.Tile(sharpe.label, *ratio),
            b.Tile("deepest fall", fall, "from the highest value so far"),
            b.Tile(
                f"held on {record.dates[-1]}", held(sheet.holds), f"since {sheet.since}; the data end there"
            ),
        )
    )


def measures(columns: Mapping[str, Metrics]) -> b.Table:
    """Return the measures of what stands side by side, by name."""
    each = columns.values()
    rows = [(m.label, *(m.text(entry(metrics, m)) for metrics in each)) for m in listed(each)]
    return b.table(["", *columns], rows, brief=True)


def _with_intervals(sheet: Sheet) -> b.Table:
    record = sheet.record
    benchmarks = record.document.benchmarks
    rows = []
    for measure in listed([record.document.metrics]):
        key, form = measure.key, measure.form
        own = record.document.metrics[key]
        known = sheet.intervals.get(key)
        if sheet.ranges is not None and key in HELD:
            known = Interval(float("nan"), *getattr(sheet.ranges, key))
        others = (cell(entry(metrics, measure), form) for metrics in benchmarks.values())
        apart = ends(sheet.differences.get(key), form)
        rows.append((measure.label.strip(), cell(own, form), ends(known, form), apart, *others))
    heads = ["", record.name, "95% interval", f"less {record.benchmark}, 95%", *benchmarks]
    return b.table(heads, rows, kind="loose")


def _method(sheet: Sheet) -> str:
    said = (
        "Intervals are of the process that made these returns and cover it 93 to 97 times in a hundred, in "
        "simulations with fat tails, autocorrelation and clusters of volatility; more often where a strategy "
        "seldom leaves its benchmark. Volatility and tracking error have none: a calm sample does not show "
        "storms. The third column is the strategy less the benchmark."
    )
    chance = [measure.label for measure in MEASURES if measure.path]
    said += f" Of the {joined(chance)} none is given either: a path has it by chance." if chance else ""
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


def _models(models: list[FactorModel]) -> Iterator[b.Block]:
    for model in models:
        yield b.Heading(model.name.capitalize(), 3)
        rows = [
            (
                own.name,
                signed(own.value, 2) if own.name.startswith("alpha") else cell(own.value, number),
                cell(own.tstat, number),
                cell(own.pvalue, pvalue),
            )
            for own in model.loadings
        ]
        yield b.table(["", "estimate", "t (Newey-West)", "p"], rows)
        yield b.Text(f"R² {cell(model.r_squared, number)}", "note")


def _alpha_note(models: list[FactorModel]) -> str:
    if len(models) == 1:
        return "This market has no size and value factors to hold alpha against."
    alphas = [f"{signed(m.loadings[0].value, 2)} (t = {cell(m.loadings[0].tstat, number)})" for m in models]
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
    alpha = known.loadings[0]
    if alpha.tstat != alpha.tstat:
        return [f"Beside the market, {beside}, nothing is left to test: they explain it whole."]
    apart = "is not distinguishable from zero" if alpha.pvalue >= SIGNIFICANT else "differs from zero"
    said = f"t = {number(alpha.tstat)}, {p_clause(alpha.pvalue)}"
    return [f"Beside the market, {beside}, alpha is {alpha.value:+.2%} a year ({said}); it {apart}."]


def tint(value: float, scale: float) -> str:
    """Return the class of a cell's background: five steps of blue above zero, of orange below."""
    step = min(round(5.0 * abs(value) / scale), 5) if value == value else 0
    return f"{'u' if value > 0 else 'd'}{step}" if step else ""


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _calendar(sheet: Sheet) -> b.Table:
    months, monthly = sheet.months
    by_month = {
        (int(month) // 12 + 1970, int(month) % 12): value
        for month, value in zip(months.astype(int), monthly[:, 0].tolist(), strict=True)
    }
    years, yearly = sheet.years
    rows = []
    for year, (own, benchmark) in zip((years.astype(int) + 1970).tolist(), yearly.tolist(), strict=True):
        each = [by_month.get((year, month)) for month in range(12)]
        rows.append(
            (
                str(year),
                b.Cell(f"{100.0 * own:.1f}", "own"),
                f"{100.0 * benchmark:.1f}",
                f"{100.0 * (own - benchmark):+.1f}",
                *("" if v is None else b.Cell(f"{100.0 * v:.1f}", tint(v, 0.10)) for v in each),
            )
        )
    own = b.Cell("Year", "own")
    heads: list[b.Said | b.Cell] = ["", own, sheet.record.benchmark, "less", *MONTHS]
    return b.table(heads, rows[::-1], kind="months", first=15)


def _switches(sheet: Sheet) -> Iterator[b.Block]:
    again = len(sheet.record.trades) - len(sheet.switches)
    gains = [s.gain for s in sheet.switches if s.gain == s.gain]
    won = sum(gain > 0.0 for gain in gains)
    note = (
        "Gain: the value with the switch against the value without it, at the next switch or the last bar, "
        f"after the cost of the switch. {won} of {len(gains)} switches gained."
        if gains
        else "It never switched."
    )
    yield b.Text(note + (f" {again:,} trades back to the target are not shown." if again else ""))
    rows = [
        (
            s.date,
            s.hold,
            s.reason,
            percent(s.turnover),
            f"{1e4 * s.cost:.1f} bp",
            b.Cell(signed(s.gain, 2), tint(s.gain, 0.20)),
        )
        for s in reversed(sheet.switches)
    ]
    yield b.table(["Date", "Into", "Because", "Turnover", "Cost", "Gain"], rows, "llwrrr", first=10)


def _regimes(result: Run, sheet: Sheet) -> Iterator[b.Block]:
    record = sheet.record
    yield b.Text(
        "Mean returns a year, arithmetic. The regimes are known only afterwards; how each is defined stands "
        "under its table. t is that of the difference.",
        "note",
    )
    for name, rows in sheet.regimes.items():
        yield b.Heading(name.capitalize(), 3)
        yield b.table(
            ["", "bars", record.name, record.benchmark, "difference", "t"],
            [
                (
                    row.name,
                    f"{row.bars:,}",
                    *(signed(mean, 2) for mean in (*row.means, row.difference)),
                    cell(row.tstat, number),
                )
                for row in rows
            ],
        )
        yield b.Text(regime_note(name, rows, result, record), "note")


def _variants(
    head: str, variants: list[Variant], label: Callable[[float], str], own: float | None
) -> b.Table:
    rows = [
        (
            label(v.at) + (" (as run)" if v.at == own else ""),
            percent(v.cagr),
            cell(v.sharpe, number),
            signed(v.alpha, 2),
            cell(v.tstat, number),
        )
        for v in variants
    ]
    return b.table([head, "return a year", "Sharpe", "alpha a year", "t"], rows)


def _bars(n: int, frequency: str) -> str:
    unit = "month" if frequency == "monthly" else "trading day"
    return "not" if n == 0 else counted(n, unit)


def first(result: Run) -> list[b.Text]:
    """Return what is to be said before any number."""
    return [b.Text(said, "warning", brief=True) for said in cautions(result)]


def warnings(result: Run) -> list[b.Text]:
    """Return what the numbers are of, where that is unusual."""
    found = [f"{said[0].upper()}{said[1:]}." for _, said in conditions(result)]
    if result.market.proxy:
        found.append(f"Proxy: {result.market.proxy}.")
    if result.terms.same_close:
        found.append("Same close: fills use what became known on their own day. Nobody could have traded so.")
    return [b.Text(said, "warning", brief=True) for said in found]


def shading(record: RunRecord) -> tuple[str | b.Key, ...]:
    """Return what the shading of a figure means."""
    each = []
    if record.cuts:
        each.append(
            (_CUTS, "the central bank cutting, from the first to the last cut without a rise between")
        )
    if record.recessions:
        each.append((_RECESSIONS, "recession (NBER, known only afterwards)"))
    return ("Shaded: ", *b.listed(each, "; "), ". ") if each else ()


def charts(sheet: Sheet) -> dict[str, Chart]:
    """Return the figures of a run's page by name."""
    shaded = shading(sheet.record)
    seen = "As known at each fill. Dashed: the thresholds; upright: the days on which an event became known. "
    each = [
        figures.growth(sheet.record, (*shaded, "The strategy is after costs, the others are before.")),
        figures.falls(sheet.record),
        figures.rolling(sheet, shaded),
        figures.years(sheet),
    ]
    if sheet.seen:
        each.append(figures.seen(sheet, (seen, *shaded)))
    return {figure.name: figure for figure in each}


def _drawdowns(sheet: Sheet) -> b.Table:
    rows = [
        (percent(f.depth), f.peak, f.trough, f.recovery or "not yet", f"{f.years:.1f}") for f in sheet.falls
    ]
    return b.table(["Fall", "Peak", "Trough", "Recovered", "Years"], rows)


def _capture(sheet: Sheet) -> Iterator[b.Block]:
    benchmark = sheet.record.benchmark
    yield b.Text(
        f"Compound return a bar over that of {benchmark}, in the bars in which {benchmark} rose, and in "
        "those in which it fell.",
        "note",
    )
    rows = [(name, percent(up), percent(down)) for name, (up, down) in sheet.capture.items()]
    yield b.table(["", "up capture", "down capture"], rows)


def _dearer_or_later(result: Run, sheet: Sheet) -> Iterator[b.Block]:
    record = sheet.record
    yield b.Heading("If trading were dearer, or later")
    yield b.Text(
        f"The same trades at other costs, and made some bars later. Alpha is against {record.benchmark}.",
        "note",
    )
    bps = result.terms.cost_bps
    own = None if isinstance(bps, dict) else bps
    yield _variants("cost a side", sheet.costs, lambda at: f"{at:g} bp", own)
    yield _variants("later by", sheet.delays, lambda at: _bars(int(at), record.frequency), 0.0)


def _holds(sheet: Sheet) -> str:
    held = ", ".join(f"{name} ({weight:.0%})" for name, weight in sheet.holds.items())
    return (
        f"At the close of {sheet.record.dates[-1]}, the last bar of the data: {held}, since the trade of "
        f"{sheet.since}. No trade is made at the last bar."
    )


def data(document: DataDocument) -> b.Table:
    """Return where each series is from, how far it goes, and its checksum."""
    rows = [(id, s.source, s.last, b.Code(s.sha256[:12])) for id, s in document.series.items()]
    return b.table(["series", "from", "last", "sha256"], rows, "llrr", "codes", first=12)


def run_page(result: Run, sheet: Sheet) -> b.Page:
    """Return the page of a run."""
    record, tried = sheet.record, sheet.record.document.tried
    drawn = charts(sheet)
    said = [(word, each) for word, each in terms(result, tried) if word not in _SAID_ABOVE]
    blocks: list[b.Block] = [
        b.Heading(record.name, 1),
        b.Text(result.strategy.thesis, "lead"),
        *first(result),
        b.Conclusion(
            (verdict(result, tried), *turned(result.starts, result.benchmark), *_against_factors(sheet))
        ),
        b.Text(opening(result, tried), "note"),
        *warnings(result),
        tiles(sheet),
        b.Heading("Measures"),
        _with_intervals(sheet),
        b.Text(_method(sheet), "note"),
        *tax_blocks(result),
        *money_blocks(result),
    ]
    if "seen" in drawn:
        blocks += [b.Heading("What it saw"), drawn["seen"]]
    blocks += [
        *(b.Heading("Growth"), drawn["growth"]),
        *(b.Heading("Drawdowns"), drawn["drawdown"], _drawdowns(sheet)),
        *(b.Heading("Alpha"), b.Text(_alpha_note(sheet.models)), *_models(sheet.models)),
        *(b.Heading("Over time"), drawn["rolling"]),
        b.Heading("How much depends on the start"),
        *starts_blocks(result.starts, result.benchmark, (result.start, result.end)),
        start_map(result.year_leads, result.benchmark),
        *(b.Heading("Calendar years and months"), drawn["years"], _calendar(sheet)),
        *(b.Heading("Switches"), *_switches(sheet)),
        *(b.Heading("Regimes"), *_regimes(result, sheet)),
        *(b.Heading("Up and down"), *_capture(sheet)),
        *(_dearer_or_later(result, sheet) if sheet.costs else ()),
        *(b.Heading("What it held at the end of the data"), b.Text(_holds(sheet))),
        *(b.Heading("Terms"), b.Definitions(tuple(said))),
        b.Heading("Data"),
        b.Text(
            f"Every series of {record.document.market}; what the rule reads stands under the terms.", "note"
        ),
        data(record.document.data),
    ]
    return b.Page(f"{record.name} on {record.document.market}", tuple(blocks), LAST)


_SAID_ABOVE = ("thesis", "proxy")
"""Terms that stand at the top of the page."""


def brief(result: Run, robust: Robustness | None = None) -> list[b.Block]:
    """Return what a terminal shows of a run: verdict, measures and starts, then the terms."""
    blocks: list[b.Block] = [
        *first(result),
        b.Conclusion((verdict(result), *turned(result.starts, result.benchmark)), brief=True),
        b.Text(opening(result), brief=True),
        measures({result.strategy.name: result.metrics, **result.benchmarks}),
        *([tax_table(result, result.path.taxes)] if result.path.taxes else []),
        *([money_table(result)] if result.money else []),
        starts_brief(result.starts),
    ]
    if robust is not None:
        blocks += _robustness(robust)
    return [*blocks, b.Definitions(tuple(terms(result)), brief=True)]


def _robustness(robust: Robustness) -> list[b.Block]:
    """Return a row for each cost and, for each delay, the return a year, the Sharpe ratio and alpha's t."""
    costs, delays = (
        list(dict.fromkeys(trial[key] for trial in robust.trials)) for key in ("cost_bps", "delay_fill")
    )
    by_terms = {(trial["cost_bps"], trial["delay_fill"]): trial for trial in robust.trials}
    parts = [BY_KEY[key] for key in ("cagr", "sharpe", "alpha_tstat")]
    rows = [
        (
            f"{cost:g} bp",
            *(" / ".join(m.text(by_terms[cost, delay][m.key]) for m in parts) for delay in delays),
        )
        for cost in costs
    ]
    heads = [
        f"{delay} bar{'' if delay == 1 else 's'} late" if delay else "filled at once" for delay in delays
    ]
    said = f"return a year / Sharpe / t of alpha by costs a side, {robust.start} to {robust.end}"
    return [b.Text(said, brief=True), b.table(["costs", *heads], rows, brief=True)]
