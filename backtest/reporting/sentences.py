"""What is said of a result in words: its terms, before its numbers, and what the numbers allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.skill import WORTH
from backtest.composed import composition, exposure
from backtest.dates import EVERY_FILL
from backtest.flows import flow_of
from backtest.market.money import ROLE, inflation
from backtest.rules.reading import holds, reads
from backtest.rules.ruling import made_of
from backtest.terms import FIFO
from backtest.wording import counted, p_clause

if TYPE_CHECKING:
    from backtest.analysis.skill import Skill
    from backtest.runs import Run
    from backtest.terms import Terms

NO_ADVICE = "Past returns, after the fact; no advice."

SIGNIFICANT = 0.05
"""The two-sided level at which an alpha is called different from zero."""

FEW = 30
"""The number of switches under which it is said that the cases are few."""

TOO_FEW = 5
"""The number of switches under which nothing is said of their timing."""


def values_with_units(result: Run) -> str:
    """Return every parameter with its value and unit."""
    values = result.parameters
    return ", ".join(
        f"{p.name} {p.text(values[p.name])} {p.unit.name}".rstrip() for p in result.strategy.parameters
    )


def terms(result: Run, tried: int = 1) -> list[tuple[str, str]]:
    """Return under which terms the numbers hold: pairs of a heading and a sentence.

    ``tried`` is how many combinations of parameters were tried before this one was chosen.
    """
    market, under = result.market, result.terms
    day = "month's last business day" if market.frequency == "monthly" else "day"
    known = "up to and on" if under.same_close else "before"
    fill = f"at the close of the {day}, on what was known {known} it"
    if under.same_close:
        fill += " (SAME CLOSE: nobody could have traded so)"
    if under.decide != EVERY_FILL:
        fill += f"; decided at the last fill of each {under.decide.removesuffix('-end')} only"
    if under.delay_fill:
        fill += f"; filled {under.delay_fill} bars later (DELAY)"
    window = f"{result.start} to {result.end}, {len(result.path.returns)} {market.frequency} bars"
    if result.start == str(result.warm_up):
        window += (
            f"; it starts when {f'{result.late} begins' if result.late else 'every input is first known'}"
        )
    lines = [
        ("thesis", result.strategy.thesis),
        ("parameters", values_with_units(result) or "none"),
        ("market", f"{market.name}: {market.title}"),
        ("window", window),
        ("fills", fill),
        ("costs", charged(under)),
        (
            "tried",
            "1 combination" if tried == 1 else f"{tried:,} combinations; this one was chosen from them",
        ),
    ]
    lines += [("reads", f"{name}: {what}") for name, what in made_of(result.ruling).items()]
    lines += conditions(result)
    if market.proxy:
        lines.append(("proxy", market.proxy))
    if market.more:
        lines.append(("more", market.more))
    lines.append(("data end", _data_end(result)))
    return lines


def conditions(result: Run) -> list[tuple[str, str]]:
    """Return what is unusual about what is held and in what it is counted, as ``terms`` does."""
    found = []
    if result.terms.real:
        prices, rise = result.market.roles[ROLE], inflation(result.market, result.bars.dates)
        said = (
            f"in money of {result.end}: every return, growth and fall is less the rise of consumer prices as "
            f"known at the time ({prices}, {rise:.1%} a year); signals see what was paid"
        )
        found.append(("money", said))
    if result.terms.rates:
        found.append(("taxes", taxed(result.terms)))
    if result.terms.flows is not None:
        found.append(("flows", flow_of(result.terms.flows).said))
    sleeves = result.market.bars.sleeves
    for name in dict.fromkeys([result.benchmark, *holds(result.ruling.rule)]):
        if parts := composition(name, sleeves):
            each = ", ".join(f"{part:.0%} {sleeve}" for sleeve, part in parts.items())
            said = f"'{name}' is {each}, brought back to that at every bar at no cost of its own"
            if (held := exposure(parts)) > 1.0:
                mean = result.metrics.get(f"time_in_{name}", 0.0) * held
                own = f"; this run's mean is {mean:.2f}" if mean else ""
                said += f" (LEVERAGE: {held:.1f} held or sold short for each 1 of value{own})"
            found.append(("composed", said))
    return found


def cautions(result: Run) -> tuple[str, ...]:
    """Return what is to be said before any number of this run: a sentence each."""
    named = dict.fromkeys([result.benchmark, *holds(result.ruling.rule)])
    cash = {name: composition(name, result.market.bars.sleeves).get("cash", 0.0) for name in named}
    borrowed = [
        f"'{name}' adds up to {1.0 - left:.0%}: {-left:.0%} of its value is borrowed"
        for name, left in cash.items()
        if left < 0.0
    ]
    return tuple(f"{said[0].upper()}{said[1:]}." for said in (*result.cautions, *borrowed))


def taxed(terms: Terms) -> str:
    """Return how gains are taxed, as a clause."""
    short, long = terms.rates or (0.0, 0.0)
    said = (
        f"{100 * short:g}% of realised gains"
        if short == long
        else f"{100 * short:g}% of gains on lots held up to 12 months and {100 * long:g}% on older ones"
    )
    first = "the oldest" if terms.lots == FIFO else "the dearest"
    return (
        f"{said} withheld at each sale, {first} lots first, losses carried forward; returns, alpha and leads "
        "are after that tax, those of benchmarks before any"
    )


def _data_end(result: Run) -> str:
    """Return how far the bars go, and each series that the rule reads."""
    market, ruling = result.market, result.ruling
    known = {id: market.observations[id].last for id in reads(ruling.rule, ruling.known.names, sleeves=False)}
    by_last: dict[str, list[str]] = {str(market.bars.dates[-1]): ["bars"]}
    for id, last in known.items():
        by_last.setdefault(str(last), []).append(id)
    return "; ".join(f"{', '.join(ids)} {last}" for last, ids in by_last.items())


def opening(result: Run, tried: int = 1) -> str:
    """Return in one line the window, the costs and the number of tries, to stand with the verdict."""
    n = len(result.path.returns)
    said = f"{result.start} to {result.end}, {counted(n, f'{result.market.frequency} bar')}"
    money = f"; in money of {result.end}" if result.terms.real else ""
    return f"{said}{money}; {costs(result.terms)} a side; {counted(tried, 'combination')} tried."


def costs(under: Terms) -> str:
    """Return what a trade costs a side."""
    cost = under.cost_bps
    return (
        f"{cost:g} bp"
        if isinstance(cost, int | float)
        else ", ".join(f"{n} {c:g} bp" for n, c in cost.items())
    )


def charged(under: Terms) -> str:
    """Return what a trade costs, and who pays it."""
    return f"{costs(under)} of traded notional a side, in the strategy only; benchmarks are gross"


def _contrary(skill: Skill) -> str:
    """Return in which parts of the window alpha had the opposite sign; nothing where it had it in none."""
    parts = [
        f"in {part.name}, {part.first} to {part.last}, it was {part.fit.alpha:+.2%} a year"
        + ("" if np.isnan(part.fit.tstat) else f" (t = {part.fit.tstat:.2f})")
        for part in skill.contrary
    ]
    return f" Not throughout: {'; '.join(parts)}." if parts else ""


def verdict(result: Run, tried: int = 1) -> str:
    """Return in a few plain sentences what the alpha allows to say.

    "Not supported" is said only where an alpha worth having can be excluded; where neither it nor none can,
    it "cannot be told", with the smallest alpha that would have been seen. After ``tried`` combinations the
    sentence says that the p-value is that of a single try.
    """
    skill = result.skill
    alpha, pvalue = skill.whole.alpha, skill.whole.pvalue
    switches = int(result.metrics["switches"])
    cases = f"{switches} switch" + ("" if switches == 1 else "es")
    if np.isnan(pvalue):
        return f"Alpha against {result.benchmark} cannot be tested on this run ({cases})."
    low, high = skill.ends
    said = (
        f"Alpha against {result.benchmark} {alpha:+.2%} a year (95% interval {low:+.2%} to {high:+.2%}, "
        f"t = {skill.whole.tstat:.2f}, {p_clause(pvalue)}, {cases})"
    )
    contrary = _contrary(skill)
    if switches < TOO_FEW:
        times = {0: "never switched", 1: "switched once"}.get(switches, f"switched {switches} times")
        return f"Too few cases to tell: it {times}. {said}.{contrary}"
    if pvalue >= SIGNIFICANT and skill.worth_excluded:
        return f"Not supported: {said}; {WORTH:.0%} a year or more can be excluded.{contrary}"
    if pvalue >= SIGNIFICANT:
        return (
            f"Cannot be told: {said}; it may be none, and it may be {WORTH:.0%} a year or more. An alpha "
            f"below {skill.visible:.1%} a year would mostly have gone unseen in a sample like this.{contrary}"
        )
    direction = "above" if alpha > 0 else "below"
    few = f" With {cases} the cases are few." if switches < FEW else ""
    if tried > 1:
        few += f" It is the choice of {tried:,} combinations, which this p-value does not know of."
    return f"{said}: {direction} zero beyond what noise gives one time in twenty.{contrary}{few}"
