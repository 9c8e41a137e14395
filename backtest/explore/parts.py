"""The parts of the page of an explorer: its fields, and what is said beside its figure, as blocks."""

from __future__ import annotations

import importlib.resources
import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from markupsafe import Markup

from backtest.analysis.intervals import Influences, intervals
from backtest.dates import CALENDARS
from backtest.explore.plane import axes_of
from backtest.explore.position import command
from backtest.measures import BY_KEY, SWEPT, entry, listed, years
from backtest.reporting import blocks as b
from backtest.reporting.cells import Cells, Spot, read_out, shaded, shades
from backtest.reporting.chart import Chart, Plot
from backtest.reporting.html import drawn, minus, script, stylesheet
from backtest.reporting.page import ends
from backtest.reporting.scales import Labels
from backtest.reporting.sentences import cautions, opening, verdict
from backtest.reporting.template import Template
from backtest.terms import BY_HAND, described
from backtest.wording import cell, counted, p_clause, percent, signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from backtest.analysis.intervals import Interval
    from backtest.explore.plane import Plane
    from backtest.explore.position import Position
    from backtest.explore.sitting import Look, Revealed, Settled, Sitting
    from backtest.explore.tries import Luck
    from backtest.parameters import Parameter, Value
    from backtest.runs import Run

_DEAREST = 100  # basis points at the end of the slider; the field takes more
_LATEST = {"monthly": 12, "daily": 63}  # bars at the end of the slider of the delay
_WAITING = "\u2026"  # what follows a moment later
_SWITCHES = 10  # open in the table; the others are folded


# What is said of a position.


_Column: TypeAlias = "tuple[str, Mapping[str, float], Mapping[str, Interval] | None]"
"""A strategy's name, its measures, and their intervals where these are known by now."""


def numbers_shown(look: Look) -> b.Table:
    """Return the measures of a position at once, with room for what follows."""
    names = look.glimpses[0].placement.names
    return _compared(
        [(each.name, each.metrics, None) for each in look.glimpses],
        {name: look.beside.get(name) for name in names},
    )


def numbers_settled(settled: Settled) -> b.Table:
    """Return the measures of a position with their intervals, and beside a single run its benchmarks'."""
    return _compared(
        [(each.strategy.name, each.metrics, _intervals(each)) for each in settled.runs],
        settled.runs[0].benchmarks,
    )


def _compared(columns: Sequence[_Column], benchmarks: Mapping[str, Mapping[str, float] | None]) -> b.Table:
    """Return a table whose columns stay what they are while what is not known yet is waited for."""
    measures = listed(metrics for _, metrics, _ in columns)
    heads, rows = [""], [[measure.label.strip()] for measure in measures]
    for name, metrics, known in columns:
        heads += [name, "95% interval"]
        for row, measure in zip(rows, measures, strict=True):
            awaited = known is None and measure.relative and not measure.swept
            row.append(_WAITING if awaited else measure.text(entry(metrics, measure)))
            row.append(_WAITING if known is None else ends(known.get(measure.key), measure.form))
    for name, beside in benchmarks.items() if len(columns) == 1 else ():
        heads.append(name)
        for row, measure in zip(rows, measures, strict=True):
            row.append(_WAITING if beside is None else measure.text(entry(beside, measure)))
    return b.table(heads, rows, kind="loose")


def cells(table: b.Table) -> list[list[str]]:
    """Return the words of a table's cells, row by row, as a page shows them."""
    return [[minus(str(cell)) for cell in row] for row in table.rows]


def _intervals(result: Run) -> dict[str, Interval]:
    against, free = (result.bars.earned(name) for name in (result.benchmark, "cash"))
    n_years = years(result.bars.dates, result.market.frequency)
    return intervals(Influences(result.path.returns, against, free, n_years))


def tried(count: int, hidden: str | None, revealed: Revealed | None) -> list[b.Block]:
    """Return how many positions were tried, and what is hidden."""
    said = "1 position tried" if count == 1 else f"{count:,} positions tried"
    if hidden:
        said += f"; everything after {hidden} is hidden"
    if revealed:
        said += f"; what came after {revealed.day} was shown after {revealed.tried:,}, and is hidden no more"
    return [b.Text(f"{said}.", "number")]


def verdicts(settled: Settled) -> list[b.Block]:
    """Return what the numbers allow to say, the tries counted."""
    found: list[b.Block] = []
    for each, luck in zip(settled.runs, settled.luck, strict=True):
        name = f"{each.strategy.name}: " if len(settled.runs) > 1 else ""
        warnings = [b.Text(said, "warning") for said in cautions(each)]
        found += [
            *warnings,
            b.Conclusion((f"{name}{verdict(each)}", by_luck(luck, each))),
            b.Text(opening(each, luck.tried), "note"),
        ]
    return found


def by_luck(luck: Luck, result: Run) -> str:
    """Return what the number of tries makes of a run."""
    if luck.tried == 1:
        return "This is the first position tried here: its p stands as it is."
    whole = result.skill.whole
    worth = counted(round(luck.independent), "independent one")
    if math.isnan(luck.pvalue):
        return f"{luck.tried:,} tried, worth {worth}; this one's alpha cannot be tested."
    best, own = signed(luck.expected * whole.error.size), signed(whole.alpha)
    said = (
        f"{luck.tried:,} tried, worth {worth}; of so many worthless ones the best would be expected at an "
        f"alpha of {best} a year by luck alone; this one's is {own}."
    )
    holds = "still beyond luck" if luck.pvalue < 0.05 else "no more than luck gives"
    return f"{said} After that count {p_clause(luck.pvalue)}: {holds}."


def switches(settled: Settled) -> list[b.Block]:
    """Return what each run switched into, and when, the latest first."""
    found: list[b.Block] = []
    for each in settled.runs:
        if len(settled.runs) > 1:
            found.append(b.Heading(each.strategy.name, 3))
        trades = each.trades[each.path.trades.switched]
        rows = [
            (str(date.date()), hold, percent(turnover), f"{1e4 * cost:.1f} bp")
            for date, hold, turnover, cost in trades.itertuples(index=False)
        ]
        rows[0] = (rows[0][0], f"{rows[0][1]} (the first purchase)", *rows[0][2:])
        found.append(b.table(["Date", "Into", "Turnover", "Cost"], rows[::-1], "llrr", first=_SWITCHES))
    return found


def hidden_part(revealed: Revealed) -> list[b.Block]:
    """Return what came after the hidden day, at the position where the hand was when it was shown."""
    found: list[b.Block] = [
        b.Heading(f"What was hidden: after {revealed.day}", 2),
        b.Text(
            f"Shown once, after {revealed.tried:,} tried, at the position where the hand was. What is "
            "tried from now on has seen it.",
            "note",
        ),
    ]
    keys = ("cagr", "sharpe", "max_drawdown", "alpha", "alpha_tstat", "alpha_pvalue", "switches")
    for before, after in zip(revealed.before, revealed.after, strict=True):
        rows = [
            (BY_KEY[key].label.strip(), *(BY_KEY[key].text(run.metrics[key]) for run in (before, after)))
            for key in keys
        ]
        heads = [before.strategy.name, f"{before.start} to {before.end}", f"{after.start} to {after.end}"]
        found += [b.table(heads, rows), b.Conclusion((verdict(after),))]
    return found


def kept(position: Position, sitting: Sitting) -> list[b.Block]:
    """Return the command line that gives the numbers on the screen."""
    return [b.Text((b.Code(command(position, sitting.named, sitting.strategies, sitting.market.name)),))]


# The plane.


def plane_html(plane: Plane, which: int) -> Markup:
    """Return a plane as cells that can be clicked, with the position at hand, the peak and the plateau."""
    return Template('<div data-which="{}" data-across="{}" data-up="{}">{}</div>').format(
        which, plane.across.name, plane.up.name, drawn([_cells(plane), b.Text(_said_of(plane))])
    )


def _cells(plane: Plane) -> Chart:
    objective, values = plane.objective, plane.values
    form, ends = objective.measure.form, (float(np.nanmin(values)), float(np.nanmax(values)))
    worst, best = reversed(ends) if objective.lower else ends
    heading = f"{objective.measure.label.strip().capitalize()} over the window that all points share, "
    heading += f"{' to '.join(plane.window)}: {plane.across.name} \u2192, {plane.up.name} \u2191"
    across, up = (Labels(tuple(map(str, axis.values))) for axis in (plane.across, plane.up))
    cells = Cells(
        shaded(values, ends, lower=objective.lower),
        read_out(values, form),
        shades(form(worst), form(best)),
        (f"{plane.across.name} {{column}}, {plane.up.name} {{row}}: {{value}}", ""),
        (
            Spot("here", *plane.here, "the position at hand"),
            Spot("best", *plane.best, "the peak"),
            Spot("centre", *plane.centre, "the centre of the best plateau"),
        ),
    )
    plot = Plot(heading, height=350, rows=up, cells=cells)
    return Chart("plane-cells", across, (plot,), heading)


def _said_of(plane: Plane) -> str:
    form = plane.objective.measure.form

    def at(spot: tuple[int, int]) -> str:
        row, column = spot
        value, x, y = float(plane.values[row, column]), plane.across, plane.up
        return f"{cell(value, form)} at {x.name} {x.values[column]}, {y.name} {y.values[row]}"

    said = f"{len(plane.points):,} points, each of them a try. Here {at(plane.here)}; the centre of the best "
    said += f"plateau {at(plane.centre)}; the peak {at(plane.best)}."
    for edge in plane.edges:
        end = "highest" if edge.highest else "lowest"
        said += f" The peak lies on the edge: {edge.name} {edge.value} is the {end} here."
    return said


# The fields.


def fields(sitting: Sitting) -> Markup:
    """Return the fields of a page: every parameter of each strategy, then the terms."""
    start, each = sitting.start, []
    for which, strategy in enumerate(sitting.strategies):
        own = Markup("").join(_parameter(which, p, start.values[which][p.name]) for p in strategy.parameters)
        each.append(
            Template("<fieldset><legend>{}</legend>{}</fieldset>").format(
                strategy.name, own or Markup("<p>no parameters</p>")
            )
        )
    terms = Markup("").join(_terms(sitting))
    return Markup("").join([*each, Template("<fieldset><legend>Terms</legend>{}</fieldset>").format(terms)])


_FIELD = Template('<label class="field-{kind}" title="{help}"><span>{name}{unit}</span>{inputs}</label>')


def _parameter(which: int, p: Parameter, value: Value) -> Markup:
    where = Template('data-which="{}" data-name="{}" aria-label="{}"').format(which, p.name, p.name)
    if p.choices:
        inputs = _select(where, p.choices, str(value))
    else:
        inputs = _numbers(where, float(value), p.low, p.high, whole=p.unit.whole)
    unit = f", {p.unit.name}" if p.unit.name not in ("", p.name) else ""
    help = f"{p.help} ({p.range})"
    return _FIELD.format(
        kind="word" if p.choices else "number", help=help, name=p.name, unit=unit, inputs=inputs
    )


def _select(where: Markup, choices: Sequence[str], value: str) -> Markup:
    option = Template("<option{}>{}</option>")
    options = Markup("").join(option.format(Markup(" selected") if c == value else "", c) for c in choices)
    return Template("<select {}>{}</select>").format(where, options)


def _numbers(where: Markup, value: float, low: float, high: float, *, whole: bool) -> Markup:
    """Return a slider where there is a range, and a field for the exact number."""
    step = 1.0 if whole else _step(high - low) if math.isfinite(high - low) else 0.0
    ends = Template(' min="{:g}" max="{:g}"').format(low, high) if math.isfinite(high - low) else ""
    slider = (
        Template('<input type="range" {}{} step="{:g}" value="{:g}">').format(where, ends, step, value)
        if ends
        else ""
    )
    exact = Template('<input type="number" {}{} step="{}" value="{:g}">').format(
        where, ends, "1" if whole else "any", value
    )
    return Template("{}{}").format(slider, exact)


def _step(span: float) -> float:
    """Return a round step, of which a range has a hundred or two."""
    power = 10.0 ** math.floor(math.log10(span / 100.0))
    return next(power * k for k in (1.0, 2.0, 5.0, 10.0) if span / (power * k) <= 200.0)


def _terms(sitting: Sitting) -> Iterator[Markup]:
    """Give a field for each term, from the record of them."""
    known = described()
    market, at = sitting.market, sitting.start.terms
    for name in BY_HAND:
        value, help = getattr(at, name), known[name]["description"].replace("%%", "%")
        where = Template('data-term="{}" aria-label="{}"').format(name, name)
        if known[name].get("type") == "boolean":
            inputs = Template('<input type="checkbox" {}{}>').format(
                where, Markup(" checked") if value else ""
            )
            kind = "yes"
        elif name == "decide":
            inputs, kind = _select(where, CALENDARS, str(value)), "word"
        elif name == "delay_fill":
            inputs = _numbers(where, float(value), 0, _LATEST[market.frequency], whole=True)
            kind = "number"
        elif name in ("start", "end"):
            inputs = Template('<input type="date" {} value="{}" min="{}" max="{}">').format(
                where, value or "", market.bars.dates[0], market.bars.dates[-1]
            )
            kind = "word"
        else:
            inputs, kind = _text(name, where, value, sitting), "number" if name == "cost_bps" else "word"
        yield _FIELD.format(kind=kind, help=help, name=name.replace("_", " "), unit="", inputs=inputs)


def _text(name: str, where: Markup, value: object, sitting: Sitting) -> Markup:
    if name != "cost_bps":
        sleeves = Markup("").join(map(Template('<option value="{}">').format, sitting.market.bars.sleeves))
        return Template(
            '<input type="text" {} value="{}" placeholder="{}" list="sleeves">'
            '<datalist id="sleeves">{}</datalist>'
        ).format(where, value or "", sitting.market.benchmark, sleeves)
    shown = ",".join(f"{k}={v:g}" for k, v in value.items()) if isinstance(value, dict) else f"{value:g}"
    slider = Template('<input type="range" {} min="0" max="{}" step="1" value="{}">').format(
        where, _DEAREST, shown if shown.replace(".", "").isdigit() else 10
    )
    return Template('{}<input type="text" {} value="{}">').format(slider, where, shown)


def plane_fields(sitting: Sitting) -> Markup:
    """Return what a plane is asked for by: two parameters and a measure; nothing where none has two."""
    choices = [(which, axes_of(strategy)) for which, strategy in enumerate(sitting.strategies)]
    option = Template('<option value="{}">{}</option>')
    pairs = [
        (
            f"{which}:{x}:{y}",
            f"{sitting.strategies[which].name}: {x} and {y}" if len(choices) > 1 else f"{x} and {y}",
        )
        for which, names in choices
        for i, x in enumerate(names)
        for y in names[i + 1 :]
    ]
    if not pairs:
        return Markup('<p class="note">A plane needs two parameters with a declared range.</p>')
    measures = Markup("").join(
        option.format(key, BY_KEY[key].label.strip()) for key in dict.fromkeys(("sharpe", *SWEPT))
    )
    return Template(
        '<label>of <select id="plane-pair">{}</select></label> <label>measure <select id="plane-measure">{}'
        '</select></label> <button type="button" id="plane-look">Look at the plane</button>'
    ).format(Markup("").join(option.format(*pair) for pair in pairs), measures)


# The page itself.


def page(sitting: Sitting, nonce: str) -> str:
    """Return the page of a sitting; ``nonce`` lets its own script run, and no other."""
    reveal = '<p><button type="button" id="reveal">Show what is hidden, once</button></p>\n'
    names = " beside ".join(strategy.name for strategy in sitting.strategies)
    css = stylesheet() + Markup(_own("explore.css"))  # noqa: S704 - our own style sheet
    code = script() + Markup(_own("explore.js"))  # noqa: S704 - our own script
    return str(
        Markup(_own("explore.html")).format(  # noqa: S704 - our own page
            title=f"{names} on {sitting.market.name}",
            css=css,
            fields=fields(sitting),
            thesis=sitting.strategies[0].thesis if len(sitting.strategies) == 1 else "",
            reveal=Markup(reveal if sitting.hidden else ""),  # noqa: S704 - written above
            plane=plane_fields(sitting),
            market=sitting.market.title,
            nonce=nonce,
            script=code,
        )
    )


def _own(name: str) -> str:
    return importlib.resources.files("backtest.explore").joinpath(name).read_text(encoding="utf-8")
