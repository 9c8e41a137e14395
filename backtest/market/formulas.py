"""Formulas of a market file: from series of the catalogue to a sleeve's returns or a derived series."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from backtest.dates import add_months
from backtest.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backtest.dates import Days, Floats

_REFERENCE = re.compile(r"(?P<id>[^\[\]]+)(\[(?P<column>[^\[\]]+)\])?")


@dataclass(frozen=True)
class Reference:
    """A series of the catalogue, or one column of it: ``FEDFUNDS``, ``6_Portfolios_2x3[SMALL LoBM]``."""

    id: str
    column: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Return what ``ID`` or ``ID[column]`` refers to; DataError where it is written otherwise."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise DataError(f"'{text}' is no series; write its id, or ID[column]")
        return cls(match["id"].strip(), (match["column"] or "").strip())


@dataclass(frozen=True, eq=False)
class Dated:
    """Values, the dates they are about, and the days they became known; (n,) each, no missing value.

    ``checked`` is the last day for which everything that went into them has been looked up.
    """

    dates: Days
    values: Floats
    known_at: Days
    checked: np.datetime64


Get: TypeAlias = "Callable[[Reference], Dated]"


class Formula(Protocol):
    """What a market file writes for a sleeve or a series."""

    @property
    def references(self) -> list[Reference]:
        """The series that it needs."""

    def evaluate(self, get: Get) -> Dated:
        """Return its values; each is known when the last of its inputs is."""


def together(parts: Iterable[Dated]) -> tuple[Dated, list[Floats]]:
    """Return the first part on the dates that all of them have, and the values of each there.

    A date is known when the last of them is, and all is checked as far as the part that is least so.

    Raises
    ------
    DataError
        When they have no date in common.
    """
    parts = list(parts)
    dates = parts[0].dates
    for part in parts[1:]:
        dates = np.intersect1d(dates, part.dates)
    if len(dates) == 0:
        raise DataError("its series have no date in common")
    rows = [np.searchsorted(part.dates, dates) for part in parts]
    known_at = np.max([p.known_at[r].astype(np.int64) for p, r in zip(parts, rows, strict=True)], axis=0)
    values = [part.values[row] for part, row in zip(parts, rows, strict=True)]
    known = np.maximum.accumulate(known_at).astype("datetime64[D]")
    return Dated(dates, values[0], known, min(part.checked for part in parts)), values


@dataclass(frozen=True)
class Sum:
    """A sum of series with factors: ``{ BAA = 1.0, AAA = -1.0 }``, or a single series by its name."""

    terms: tuple[tuple[Reference, float], ...]

    @property
    def references(self) -> list[Reference]:
        """The series that it needs."""
        return [reference for reference, _ in self.terms]

    @property
    def single(self) -> Reference | None:
        """The series itself where it is nothing but one."""
        return self.terms[0][0] if len(self.terms) == 1 and self.terms[0][1] == 1.0 else None

    def evaluate(self, get: Get) -> Dated:
        """Return the sum on the dates that all the series have."""
        shared, values = together(get(reference) for reference in self.references)
        total = sum(factor * v for (_, factor), v in zip(self.terms, values, strict=True))
        return replace(shared, values=np.asarray(total))


def _columns(ids: Iterable[str], columns: Iterable[str]) -> list[Reference]:
    return [Reference(id, column) for id in ids for column in columns]


@dataclass(frozen=True)
class WeightedMean:
    """The mean of some columns of a table, weighted by the product of the same columns of others.

    With ``weights`` the number of firms and their average size it is weighted by capitalisation. A column
    without a value that day has no weight that day.
    """

    of: str
    weights: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def references(self) -> list[Reference]:
        """The series that it needs."""
        return _columns((self.of, *self.weights), self.columns)

    def evaluate(self, get: Get) -> Dated:
        """Return the mean on the dates that all columns have."""
        shared, values = together(get(reference) for reference in self.references)
        tables = np.array(values).reshape(1 + len(self.weights), len(self.columns), -1)
        weights = tables[1:].prod(axis=0)
        total = weights.sum(axis=0)
        if (total <= 0.0).any():
            raise DataError(
                f"the weights of {', '.join(self.columns)} are zero on {shared.dates[(total <= 0).argmax()]}"
            )
        return replace(shared, values=(tables[0] * weights).sum(axis=0) / total)


@dataclass(frozen=True)
class Discount:
    """How much cheaper small is than large: 1 - (P/B of small) / (P/B of large), decimal.

    A half's price-to-book is one over its book-to-market, the capitalisation-weighted mean of its
    portfolios'; so the discount is ``1 - BM_large / BM_small``. Positive: small is cheaper.
    """

    small: WeightedMean
    large: WeightedMean

    @property
    def references(self) -> list[Reference]:
        """The series that it needs."""
        return [*self.small.references, *self.large.references]

    def evaluate(self, get: Get) -> Dated:
        """Return the discount on the dates that both halves have."""
        halves = [self.small.evaluate(get), self.large.evaluate(get)]
        shared, (small, large) = together(halves)
        return replace(shared, values=1.0 - large / small)


@dataclass(frozen=True)
class Share:
    """The share of some columns in all columns of a table of capitalisations, decimal."""

    columns: tuple[str, ...]
    all_columns: tuple[str, ...]
    weights: tuple[str, ...]

    @property
    def references(self) -> list[Reference]:
        """The series that it needs."""
        return _columns(self.weights, self.all_columns)

    def evaluate(self, get: Get) -> Dated:
        """Return the share on the dates that all columns have."""
        shared, values = together(get(reference) for reference in self.references)
        sizes = np.array(values).reshape(len(self.weights), len(self.all_columns), -1).prod(axis=0)
        part = sizes[[self.all_columns.index(column) for column in self.columns]].sum(axis=0)
        return replace(shared, values=part / sizes.sum(axis=0))


@dataclass(frozen=True)
class Splice:
    """One series after another, each until the next one is first known.

    A part named in ``shift`` counts something else than the next (a discount rate, a target): it is moved
    by a constant to meet the next at the seam, so that the seam is no change. Its changes stay as they
    are, its level is then only good for changes. A seam between parts that are not shifted is a change
    like any other.
    """

    parts: tuple[Reference, ...]
    shift: frozenset[str]

    @property
    def references(self) -> list[Reference]:
        """The series that it needs."""
        return list(self.parts)

    def evaluate(self, get: Get) -> Dated:
        """Return the parts joined, by the days on which they became known; checked as far as the last one."""
        joined = get(self.parts[-1])
        for reference in reversed(self.parts[:-1]):
            part = get(reference)
            before = part.known_at < joined.known_at[0]
            if not before.any():
                raise DataError(f"{reference.id} has no value before the next part of the splice begins")
            values = part.values[before]
            if reference.id in self.shift:
                values = values + (joined.values[0] - values[-1])
            # A value is dated by when it was known, for two parts may date the same change differently.
            joined = Dated(
                np.r_[part.known_at[before], joined.known_at],
                np.r_[values, joined.values],
                np.r_[part.known_at[before], joined.known_at],
                joined.checked,
            )
        # Of several values known on one day the last one counts.
        last = np.r_[joined.known_at[1:] != joined.known_at[:-1], True]
        return Dated(joined.known_at[last], joined.values[last], joined.known_at[last], joined.checked)


@dataclass(frozen=True)
class Relative:
    """The return of one sleeve against another over some months, sign reversed, decimal.

    ``1 - growth(first) / growth(second)`` over the bars of the last ``months`` months, known at the close
    of the last of them; the valuation where there is no book value (Asness, Moskowitz and Pedersen 2013,
    "Value and momentum everywhere").
    """

    first: str
    second: str
    months: int

    @property
    def references(self) -> list[Reference]:
        """Nothing but the sleeves, which are computed first."""
        return []

    def evaluate(self, get: Get) -> Dated:
        """Return the value at each bar with a whole window before it; ``get`` gives the sleeves' returns."""
        first, second = get(Reference(self.first)), get(Reference(self.second))
        shared, (a, b) = together((first, second))
        dates = shared.dates
        growth = np.r_[0.0, np.cumsum(np.log1p(a) - np.log1p(b))]
        months = dates.astype("datetime64[M]")
        if (np.diff(months).astype(int) > 0).all():
            # Monthly: the window is whole months, whatever day each of them ends on.
            begins = np.searchsorted(months, months - self.months, "right")
            whole = np.arange(1, len(dates) + 1) - begins == self.months
        else:
            begins = np.searchsorted(dates, add_months(dates, -self.months), "right")
            whole = begins > 0
        value = -np.expm1(growth[1:] - growth[begins])
        if not whole.any():
            raise DataError(f"the sleeves have fewer than {self.months} months")
        return Dated(dates[whole], value[whole], shared.known_at[whole], shared.checked)


def changes(series: Dated) -> Dated:
    """Return the first value and those that differ from the one before."""
    kept = np.r_[True, np.diff(series.values) != 0.0]
    return Dated(series.dates[kept], series.values[kept], series.known_at[kept], series.checked)
