"""Elements: what a mix comes to over a stage of some bars, walked the first time and then remembered.

An element is a function of its key alone, to the last bit: of the stage, the mix that comes in and the bar at
which it was traded to, how often it is traded back, and what the signals answer at the stage's bars. It holds
for all bands between the furthest drift that was left alone and the nearest one that was not; where rounding
could have decided about a trade, its growth is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backtest.compiling import compiled, copy, higher, inlined, lower
from backtest.engine.reference import ON_TARGET
from backtest.engine.rounding import FiveSums, five, plus, terms
from backtest.engine.tables import Stretch, get
from backtest.engine.trading import net_of, value_after_costs

if TYPE_CHECKING:
    from backtest.dates import Floats, Ints

_ROOM = 1 << 26  # bytes of elements that are remembered at a time; then they are forgotten, and made anew
_FEWEST = 1 << 12  # slots in use at first; near to each other, they stay in the processor's cache
_CLOSE = 1e-12  # a drift this near to what decides is decided by rounding

# The columns of an element's figures: a stretch as in ``tables``, but of values and not their logarithms; the
# five sums; what was traded, as a ``Traded``; and the bands that it holds for.
_STRETCH, _SUMS, _TRADED, LEAST, BELOW, _N_FIGURES = 0, 4, 9, 14, 15, 16

# The columns of its key: the state in which it goes out; another of the same key for other bands (-1: none);
# then what is looked up: the state in which it comes in; how often to trade back; what each signal answers.
NEXT, _OTHER, STATE, EVERY, ANSWERS = range(5)

_ELEMENTS, _SLOTS = range(2)  # of what of a memory is used

Traded = tuple[float, float, float, float, float]
"""Turnover, switches, the sum of the weights of small, how many bars carry a cost, and for how many bars
holdings have drifted at most."""


class Setting(NamedTuple):
    """What all stages share.

    Parameters
    ----------
    returns, months, costs
        (n_sleeves, n_bars), (n_bars,) and (n_sleeves,).
    risk_free, benchmark
        (n_bars,) float64.
    centre
        A constant near the mean return.
    small
        The sleeve of small caps (-1: none).
    asked
        The row of ``weights`` that each mask of answers asks for.
    weights, only, first_kept
        (n_rows, n_sleeves); the only sleeve of each row (-1: several); what is left of cash when it is traded
        to each row.
    """

    returns: Floats
    months: Ints
    costs: Floats
    risk_free: Floats
    benchmark: Floats
    centre: float
    small: int
    asked: Ints
    weights: Floats
    only: Ints
    first_kept: Floats


class Stage(NamedTuple):
    """A stage's number, the bar before its first, and its last; what buying just before it has left.

    ``end`` is the window's last bar, at which nothing is traded; ``kept`` is 1 but in the first stage.
    """

    number: int
    start: int
    stop: int
    end: int
    kept: float


class Memory(NamedTuple):
    """A hash table's slots; keys, figures and outgoing holdings of the elements; what is used of them.

    ``used`` is (2,) int64: how many elements there are, and how many slots are in use.
    """

    slots: Ints
    keys: Ints
    figures: Floats
    holdings: Floats
    used: Ints


def remember(n_sleeves: int, n_signals: int) -> Memory:
    """Return a memory with no element in it."""
    n = _ROOM // (8 * (_N_FIGURES + ANSWERS + n_signals + n_sleeves))
    return Memory(
        np.full(max(_FEWEST, 2 << n.bit_length()), -1, np.int32),
        np.empty((n, ANSWERS + n_signals), np.int64),
        np.empty((n, _N_FIGURES)),
        np.empty((n, n_sleeves)),
        np.array([0, _FEWEST]),
    )


@inlined
def state_of(stage: int, row: int, since: int, n_rows: int, n_bars: int) -> int:
    """Return how a mix comes into a stage as one number: its row, and the bar at which it was traded to.

    A single sleeve does not drift: it was traded to at bar 0, whenever that was.
    """
    return (stage * n_rows + row) * n_bars + since


@inlined
def join(first: Stretch, then: Stretch) -> Stretch:
    """Return one stretch and then another, as ``tables.join``, but of values."""
    growth, tail, low, fall = then
    return (
        first[0] * growth,
        lower(first[1] * growth, tail),
        lower(first[2], first[0] * low),
        lower(lower(first[3], fall), first[1] * low),
    )


@inlined
def stretch_of(figures: Floats, of: int) -> Stretch:
    """Return an element's stretch."""
    return get(figures[of], _STRETCH)


@inlined
def sums_of(figures: Floats, of: int) -> FiveSums:
    """Return an element's five sums."""
    return five(figures[of], _SUMS)


@inlined
def traded_of(figures: Floats, of: int) -> Traded:
    """Return what was traded in an element."""
    return five(figures[of], _TRADED)


@inlined
def trade(first: Traded, then: Traded) -> Traded:
    """Return what was traded in one stretch and then another."""
    return (
        first[0] + then[0],
        first[1] + then[1],
        first[2] + then[2],
        first[3] + then[3],
        higher(first[4], then[4]),
    )


@inlined
def _put(
    figures: Floats, stretch: Stretch, sums: FiveSums, traded: Traded, bands: tuple[float, float]
) -> None:
    """Write an element's figures."""
    for which in range(4):
        figures[_STRETCH + which] = stretch[which]
    for which in range(5):
        figures[_SUMS + which], figures[_TRADED + which] = sums[which], traded[which]
    figures[LEAST], figures[BELOW] = bands


@inlined
def _mask(answers: Ints, bit: int) -> int:
    """Return which signals say yes at a stage's bar."""
    mask = 0
    for which in range(len(answers)):
        mask |= ((answers[which] >> bit) & 1) << which
    return mask


@inlined
def _changes(answers: Ints) -> int:
    """Return at which bars of a stage any answer may be another one: bit i, and always the first."""
    found = 1
    for which in range(len(answers)):
        found |= (answers[which] ^ (answers[which] >> 1)) << 1
    return found


@inlined
def _grow(columns: Floats, bar: int, held: Floats, per: float) -> tuple[float, float]:
    """Let what is held grow by a bar's returns; return the mix's return and its new value.

    ``per`` is one over the value.
    """
    gross, grown = 0.0, 0.0
    for sleeve in range(len(held)):
        if held[sleeve] != 0.0:
            gross += held[sleeve] * per * columns[sleeve, bar]
            held[sleeve] *= 1.0 + columns[sleeve, bar]
            grown += held[sleeve]
    return gross, grown


@inlined
def _drift(held: Floats, per: float, weights: Floats, row: int) -> float:
    """Return how far the weight that has drifted most is from its target."""
    found = 0.0
    for sleeve in range(len(held)):
        found = higher(abs(held[sleeve] * per - weights[row, sleeve]), found)
    return found


@compiled
def _walk(figures: Floats, key: Ints, held: Floats, stage: Stage, band: float, setting: Setting) -> None:
    """Walk one stage and write down what it comes to.

    Parameters
    ----------
    figures, key
        The columns above; of the key, what it comes in with and the answers are there.
    held
        (n_sleeves,) float64: the value in each sleeve as a part of all after the last trade; carried on.
    band
        Infinite for none.
    """
    number, start, stop, last, kept = stage
    columns, months, costs, risk_free, benchmark, centre, small, asked, weights, only, _ = setting
    row, since = (key[STATE] // len(months)) % len(weights), key[STATE] % len(months)
    answers, every, alone = key[ANSWERS:], key[EVERY], only[row]
    changes, may_trade_back = _changes(answers), every > 0 or band < np.inf
    stretch, sums = (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0, 0.0)
    moved, switched, in_small, costly, drifted = 0.0, 0.0, 0.0, 0.0, 0.0
    least, below = 0.0 if may_trade_back else np.inf, np.inf  # where nobody looks at the drift, for no band
    per, doubt = 1.0 / held.sum(), False
    for bar in range(start + 1, stop + 1):
        if small >= 0:
            in_small += held[small] * per
        gross, value = _grow(columns, bar, held, per)
        if alone >= 0:  # does not drift; held as 1, its return is the bar's to the last bit
            held[alone], value = 1.0, 1.0
        drifted = higher(drifted, float(bar - since) if alone < 0 else 0.0)
        per, trades, bit = 1.0 / value, False, bar - start - 1
        if bar < last and (changes >> bit) & 1:
            target = asked[_mask(answers, bit)]
            trades, row = target != row, target
            switched += 1.0 if trades else 0.0
        if may_trade_back and alone < 0 and not trades and bar < last:
            drift = _drift(held, per, weights, row)
            doubt = doubt or abs(drift - ON_TARGET) < _CLOSE
            if drift <= ON_TARGET:
                pass
            elif 0 < every <= months[bar] - months[since]:
                trades = True
            elif drift > band:
                trades, below = True, min(below, drift - _CLOSE)
            else:
                least = max(least, drift + _CLOSE)
        if trades:
            kept *= value_after_costs(held, weights[row], costs) / value
            for sleeve in range(len(held)):
                moved += abs(weights[row, sleeve] - held[sleeve] * per) / 2.0
                held[sleeve] = weights[row, sleeve]
            per, since, alone = 1.0 / held.sum(), bar, only[row]
        net = net_of(gross, kept)
        costly += 1.0 if kept != 1.0 else 0.0
        kept, dip = 1.0, lower(0.0, net) + 1.0
        stretch = join(stretch, (1.0 + net, dip, dip, dip))
        sums = plus(sums, 1.0, terms(net, centre, risk_free[bar], benchmark[bar]))
    if doubt or (band < np.inf and not least <= band < below):
        stretch, least, below = (np.nan, 1.0, 1.0, 1.0), band, band
    key[NEXT] = state_of(number + 1, row, since if alone < 0 else 0, len(weights), len(months))
    _put(figures, stretch, sums, (moved, switched, in_small, costly, drifted), (least, below))


@inlined
def _slot(memory: Memory, state: int, every: int, answers: Ints) -> int:
    """Return the slot of the elements with a key; an empty one where there are none."""
    slots, keys, last = memory.slots, memory.keys, memory.used[_SLOTS] - 1
    mixed = state * 0x1E3779B97F4A7C15 + every * 0x3F58476D1CE4E5B9
    for signal in range(len(answers)):
        mixed += answers[signal] * ((2 * signal + 3) * 0x14D049BB133111EB)
    mixed = (mixed ^ (mixed >> 32)) * 0x2545F4914F6CDD1D
    slot = (mixed ^ (mixed >> 29)) & last
    while True:
        element = slots[slot]
        same = element < 0 or (keys[element, STATE] == state and keys[element, EVERY] == every)
        for signal in range(len(answers)):
            same = same and (element < 0 or keys[element, ANSWERS + signal] == answers[signal])
        if same:
            return slot
        slot = (slot + 1) & last


@inlined
def _holds(figures: Floats, band: float) -> bool:
    """Return whether what is decided is the same for a band."""
    return figures[LEAST] <= band and (band < figures[BELOW] or figures[BELOW] == np.inf)


@compiled
def _insert(memory: Memory, element: int) -> None:
    """Put an element with a key into its slot, before those that differ in their bands only."""
    slots, keys = memory.slots, memory.keys
    key = keys[element]
    slot = _slot(memory, key[STATE], key[EVERY], key[ANSWERS:])
    key[_OTHER], slots[slot] = slots[slot], element


@inlined
def find(memory: Memory, state: int, every: int, answers: Ints, band: float) -> int:
    """Return the element of a key that holds for a band; -1 where none is remembered."""
    element = memory.slots[_slot(memory, state, every, answers)]
    while element >= 0 and not _holds(memory.figures[element], band):
        element = memory.keys[element, _OTHER]
    return element


def fits(memory: Memory, n_sleeves: int, n_signals: int) -> bool:
    """Return whether a memory has room for so many sleeves and signals."""
    return memory.holdings.shape[1] == n_sleeves and memory.keys.shape[1] == ANSWERS + n_signals


@compiled
def forget(memory: Memory) -> None:
    """Forget all elements."""
    memory.slots[:], memory.used[_ELEMENTS], memory.used[_SLOTS] = -1, 0, _FEWEST


@compiled
def _make_room(memory: Memory) -> None:
    """Forget all elements of a memory that is full; use more slots where most are taken."""
    used = memory.used
    if used[_ELEMENTS] == len(memory.keys):
        forget(memory)
    elif 2 * used[_ELEMENTS] >= used[_SLOTS]:
        memory.slots[:], used[_SLOTS] = -1, 2 * used[_SLOTS]
        for element in range(used[_ELEMENTS]):
            _insert(memory, element)


@compiled
def make(
    memory: Memory,
    state: int,
    every: int,
    answers: Ints,
    band: float,
    held: Floats,
    stage: Stage,
    setting: Setting,
) -> int:
    """Walk a stage and return its element, which is remembered; arguments as for ``_walk``."""
    _make_room(memory)
    element = memory.used[_ELEMENTS]
    key = memory.keys[element]
    key[STATE], key[EVERY] = state, every
    copy(key[ANSWERS:], answers)
    _insert(memory, element)
    memory.used[_ELEMENTS] = element + 1
    _walk(memory.figures[element], key, held, stage, band, setting)
    copy(memory.holdings[element], held)
    return element
