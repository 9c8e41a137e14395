"""Slips: what a rule does on its data that its author can hardly have meant, a clause each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import joined
from backtest.rules.expressions import Level, Signal
from backtest.rules.reading import explained, nodes
from backtest.rules.why import in_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from backtest.parameters import Parameter, Value
    from backtest.rules.expressions import Expr
    from backtest.rules.ruling import Ruling

_IN_PERCENT = frozenset({"percentile", "relative", "growth", "in_percent"})
"""Operations that count in percent whatever they are of; a series in percent may well be below 1."""

_WIDE = 20.0
"""How far such a level must range, if a threshold below 1 is to be wondered at."""


def slips(
    ruling: Ruling, parameters: Sequence[Parameter], window: tuple[int, int], *, still: bool
) -> tuple[str, ...]:
    """Return what a rule does over the bars of a window that its author can hardly have meant.

    Parameters
    ----------
    ruling
        The rule at its values.
    parameters
        Those of the strategy.
    window
        The indices of the first fill and of the last bar.
    still
        Whether the run never switched; then every signal that never turns is named.
    """
    values = {name: axis[0].item() for name, axis in ruling.axes.items()}
    odd = {p.name: said for p in parameters if (said := p.slip(values.get(p.name)))}
    found = list(odd.values())
    for node in nodes(ruling.rule):
        if node.op in ("above", "below"):
            found += _of_threshold(ruling, node, window, set(odd))
        elif still and isinstance(node, Signal) and node.op != "compared" and _fixed(ruling, node, window):
            found += _of_signal(ruling, node, window, values)
    return tuple(dict.fromkeys(found))


def _fixed(ruling: Ruling, node: Expr, window: tuple[int, int]) -> bool:
    """Return whether a signal says the same at every fill of a window."""
    says = ruling.value(node).dense()[slice(*window)]
    return bool(says.all() or not says.any())


def _of_threshold(ruling: Ruling, node: Expr, window: tuple[int, int], odd: set[str]) -> Iterator[str]:
    level, fixed = ruling.value(node.inputs[0]), _fixed(ruling, node, window)
    if isinstance(node.inputs[1], Level):
        if fixed:
            yield f"'{level.label}' and '{ruling.value(node.inputs[1]).label}' never cross in this window"
        return
    at_fills = level.at_fills[0][slice(*window)]
    low, high = np.nanmin(at_fills), np.nanmax(at_fills)
    label, highest = f"'{level.label}'", in_unit(f"{high:.4g}", level.unit)
    runs = f"runs from {low:.4g} to {highest} in this window"
    bounds = {float(ruling.value(bound)): bound for bound in node.inputs[1:]}
    for value, bound in bounds.items():
        small = 0.0 < abs(value) < 1.0 and node.inputs[0].op in _IN_PERCENT and high - low >= _WIDE
        if small and not odd.intersection(bound.parameters):
            meant = f"if {100.0 * value:g}% is meant, write {100.0 * value:g}"
            yield f"{label} {runs}, and {value:g} is {value:g}%: {meant}"
    outside = [f"{value:g}" for value in bounds if not low < value < high]
    if fixed and outside:
        crossed = f"{joined(outside)} {'are' if len(outside) > 1 else 'is'} never crossed"
        yield f"{label} {runs}: {crossed}, and that part of the rule never turns"


def _of_signal(
    ruling: Ruling, node: Expr, window: tuple[int, int], values: Mapping[str, Value]
) -> Iterator[str]:
    """Say what never turns, where that does not follow from what it is made of."""
    signals = [each for each in node.inputs if isinstance(each, Signal)]
    if node.op == "negation" or any(_fixed(ruling, each, window) for each in signals):
        return
    says = "yes" if ruling.value(node).dense()[window[0]] else "no"
    words = " ".join(line.strip() for line in explained(node, values))
    yield f"it never switches, since this says {says} at every fill of the window: {words}"
