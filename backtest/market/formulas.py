"""Formulas of a market file: from series of the catalogue to a sleeve's returns or a derived series."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

import msgspec
import numpy as np

from backtest.dates import add_months
from backtest.errors import DataError, RotationError, nearest
from backtest.market.catalogue import entry
from backtest.market.reading import SILENCE
from backtest.market.release import AFTER_THE_FACT
from backtest.market.toml import WrongError, at, record
from backtest.series import Series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backtest.dates import Days, Floats

FRACTION = "fraction"
"""What discounts and shares count: 0.25 is a quarter."""

_REFERENCE = re.compile(r"(?P<id>[^\[\]]+)(\[(?P<column>[^\[\]]+)\])?")


@dataclass(frozen=True)
class Reference:
    """A series of the catalogue, or one column of it: ``FEDFUNDS``, ``6_Portfolios_2x3[SMALL LoBM]``."""

    id: str
    column: str = ""

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.id}[{self.column}]" if self.column else self.id

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Return what ``ID`` or ``ID[column]`` refers to; DataError where it is written otherwise."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise DataError(f"'{text}' is no series; write its id, or ID[column]")
        return cls(match["id"].strip(), (match["column"] or "").strip())

    def require(self) -> None:
        """Raise a UsageError where there is no such series, a DataError where it has no such column."""
        about = entry(self.id)
        if about.columns and self.column not in about.columns:
            asked = f"no column '{self.column}'" if self.column else "several columns"
            raise DataError(f"{about.id} has {asked}; write {about.id}[{about.columns[0]}] or the like")
        if self.column and not about.columns:
            raise DataError(f"{about.id} is a single series without columns")


def _referred(text: str, _: str) -> None:
    if text:
        Reference.parse(text)


Referred: TypeAlias = Annotated[str, _referred]
"""A series in a TOML file, with a column in brackets where it has some; empty for none."""

Get: TypeAlias = "Callable[[Reference], Series]"


class Formula(ABC):
    """What a market file writes for a sleeve or a series; the fields of each are the keys of its table."""

    @classmethod
    def declared(cls, value: Any, where: tuple[str, ...]) -> Formula:
        """Return what stands under some keys of a file; WrongError where it is none or names none."""
        if isinstance(value, str):
            with at(*where):
                made: Formula = Sum(((Reference.parse(value), 1.0),))
        elif not isinstance(value, dict) or not value:
            raise WrongError(where, f"'{where[-1]}' must be a series, or a table that says how to make it")
        else:
            kind = next((kind for key, kind in TABLES.items() if key in value), None)
            made = record(kind, value, where) if kind else _sum(value, where)
        made.require(made.references, where)
        return made

    def require(self, references: Iterable[Reference], where: tuple[str, ...] = ()) -> None:
        """Refuse series that are neither in the catalogue nor imported, and columns that they lack."""
        for reference in references:
            try:
                reference.require()
            except RotationError as error:
                part = reference.column if isinstance(error, DataError) else reference.id
                raise WrongError((*where, self._key_of(reference, part)), str(error)) from None

    def _key_of(self, reference: Reference, part: str) -> str:
        """Return the key under which the table names a part of a reference: its id or its column."""
        for one in fields(self):  # type: ignore[arg-type] # every formula is a dataclass
            value = getattr(self, one.name)
            named = (value,) if isinstance(value, str) else value
            if isinstance(named, tuple) and (part in named or str(reference) in named):
                return one.name
        return str(reference)  # of a sum

    @property
    @abstractmethod
    def references(self) -> list[Reference]:
        """The series that it needs."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What it makes of them, for people."""

    @property
    def single(self) -> Reference | None:
        """The series itself where it is nothing but one."""
        return None

    @property
    def after_the_fact(self) -> bool:
        """Whether it is known only afterwards, so that no strategy may ask for it."""
        return any(entry(reference.id).known_at == AFTER_THE_FACT for reference in self.references)

    @abstractmethod
    def evaluate(self, get: Get) -> Series:
        """Return its values; each is known when the last of its inputs is."""


def _sum(value: dict[str, Any], where: tuple[str, ...]) -> Sum:
    terms = []
    for key, factor in value.items():
        with at(*where, key):
            if isinstance(factor, bool) or not isinstance(factor, (int, float)):
                either = f"'{key}' is neither a series with a number nor a way to make one"
                raise DataError(f"{either}; {nearest(key, TABLES)}")
            terms.append((Reference.parse(key), float(factor)))
    return Sum(tuple(terms))


class Pointwise(Formula):
    """A formula whose value on a date is made of its inputs' values on that date, and of nothing else.

    ``unit`` is what it counts; empty where that is what its inputs do, if they agree.
    """

    unit: ClassVar[str] = ""

    @abstractmethod
    def combine(self, values: list[Floats], dates: Days) -> Floats:
        """Return its values on ``dates``, (n,), of those of its references, (n,) each; NaN where one is."""

    def evaluate(self, get: Get) -> Series:
        """Return its values on the dates that all its inputs have."""
        parts = [get(reference) for reference in self.references]
        shared, values = together(parts)
        units = {part.unit for part in parts}
        unit = self.unit or (units.pop() if len(units) == 1 else "")
        return replace(shared, values=self.combine(values, shared.dates), unit=unit)


def together(parts: list[Series]) -> tuple[Series, list[Floats]]:
    """Return the first part on the dates that all of them have, and the values of each there.

    A date is known when the last of them is, and all is checked as far as the part that is least so.

    Raises
    ------
    DataError
        When they have no date in common.
    """
    dates = parts[0].dates
    for part in parts[1:]:
        dates = np.intersect1d(dates, part.dates)
    if len(dates) == 0:
        raise DataError("its series have no date in common")
    rows = [np.searchsorted(part.dates, dates) for part in parts]
    known_at = np.max([p.known_at[r].astype(np.int64) for p, r in zip(parts, rows, strict=True)], axis=0)
    values = [part.values[row] for part, row in zip(parts, rows, strict=True)]
    known = np.maximum.accumulate(known_at).astype("datetime64[D]")
    checked = min((part.checked for part in parts if part.checked is not None), default=None)
    return Series(parts[0].id, dates, values[0], known, checked), values


@dataclass(frozen=True)
class Sum(Pointwise):
    """A sum of series with factors: ``{ BAA = 1.0, AAA = -1.0 }``, or a single series by its name."""

    terms: tuple[tuple[Reference, float], ...]

    @property
    def references(self) -> list[Reference]:
        """The series that it needs."""
        return [reference for reference, _ in self.terms]

    @property
    def words(self) -> str:
        """What it makes of them, for people: ``BAA less AAA``."""
        said = ""
        for reference, factor in self.terms:
            sign = " less " if factor < 0 else " plus "
            size = "" if abs(factor) == 1.0 else f"{abs(factor):g} times "
            said += f"{sign if said else sign.replace('plus', '').lstrip()}{size}{reference}"
        return said

    @property
    def single(self) -> Reference | None:
        """The series itself where it is nothing but one."""
        return self.terms[0][0] if len(self.terms) == 1 and self.terms[0][1] == 1.0 else None

    def combine(self, values: list[Floats], dates: Days) -> Floats:  # noqa: ARG002 - the date does not matter
        """Return the sum."""
        return np.asarray(sum(factor * v for (_, factor), v in zip(self.terms, values, strict=True)))


def _columns(ids: Iterable[str], columns: Iterable[str]) -> list[Reference]:
    return [Reference(id, column) for id in ids for column in columns]


Names: TypeAlias = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


@dataclass(frozen=True)
class WeightedMean(Pointwise):
    """The mean of some columns of a table, weighted by the product of the same columns of others.

    With ``weights`` the number of firms and their average size it is weighted by capitalisation, with none
    all columns weigh the same. A column without a value that day has no weight that day.
    """

    returns: str
    columns: Names
    weights: tuple[str, ...] = ()

    @property
    def references(self) -> list[Reference]:
        """The series that it needs."""
        return _columns((self.returns, *self.weights), self.columns)

    @property
    def words(self) -> str:
        """What it makes of them, for people."""
        by = f", weighted by {' times '.join(self.weights)}" if self.weights else ""
        return f"the mean of {', '.join(self.columns)} of {self.returns}{by}"

    def combine(self, values: list[Floats], dates: Days) -> Floats:
        """Return the mean; DataError where the weights of a date are zero."""
        tables = np.array(values).reshape(1 + len(self.weights), len(self.columns), -1)
        weights = tables[1:].prod(axis=0)
        total = weights.sum(axis=0)
        if (total <= 0.0).any():
            raise DataError(
                f"the weights of {', '.join(self.columns)} are zero on {dates[(total <= 0).argmax()]}"
            )
        return (tables[0] * weights).sum(axis=0) / total


@dataclass(frozen=True)
class Discount(Pointwise):
    """How much cheaper small is than large: 1 - (P/B of small) / (P/B of large), decimal.

    A half's price-to-book is one over its book-to-market, the capitalisation-weighted mean of its
    portfolios'; so the discount is ``1 - BM_large / BM_small``. Positive: small is cheaper.
    """

    book_to_market: str
    weights: Names
    small: Names
    large: Names
    unit = FRACTION

    @property
    def _halves(self) -> tuple[WeightedMean, WeightedMean]:
        small, large = (WeightedMean(self.book_to_market, k, self.weights) for k in (self.small, self.large))
        return small, large

    @property
    def references(self) -> list[Reference]:
        """The series that it needs."""
        return [reference for half in self._halves for reference in half.references]

    @property
    def words(self) -> str:
        """What it makes of them, for people."""
        return f"1 less price-to-book of small over that of large, from {self.book_to_market}"

    def combine(self, values: list[Floats], dates: Days) -> Floats:
        """Return the discount."""
        small, large = self._halves
        n = len(small.references)
        return 1.0 - large.combine(values[n:], dates) / small.combine(values[:n], dates)


@dataclass(frozen=True)
class Share(Pointwise):
    """The share of some columns in all that the catalogue gives a table of capitalisations, decimal."""

    share_of: Names
    weights: Names
    unit = FRACTION

    def __post_init__(self) -> None:
        self.require(Reference(self.weights[0], column) for column in self.share_of)

    @property
    def _all(self) -> tuple[str, ...]:
        return entry(self.weights[0]).columns

    @property
    def references(self) -> list[Reference]:
        """The series that it needs."""
        return _columns(self.weights, self._all)

    @property
    def words(self) -> str:
        """What it makes of them, for people."""
        return f"the share of {', '.join(self.share_of)} in all of {' times '.join(self.weights)}"

    def combine(self, values: list[Floats], dates: Days) -> Floats:  # noqa: ARG002 - the date does not matter
        """Return the share."""
        sizes = np.array(values).reshape(len(self.weights), len(self._all), -1).prod(axis=0)
        part = sizes[[self._all.index(column) for column in self.share_of]].sum(axis=0)
        return part / sizes.sum(axis=0)


@dataclass(frozen=True)
class Splice(Pointwise):
    """One series after another, each until the next one is first known; as a sleeve, until it has a return.

    A part named in ``shift`` counts something else than the next (a discount rate, a target): it is moved
    by a constant to meet the next at the seam, so that the seam is no change. Its changes stay as they
    are, its level is then only good for changes. A seam between parts that are not shifted is a change
    like any other.
    """

    splice: Names
    shift: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        with at("splice"):
            before = [reference.id for reference in self.references[:-1]]
        for id in self.shift:
            if id not in before:
                raise WrongError(("shift",), f"'{id}' is no part before the last of this splice")

    @property
    def references(self) -> list[Reference]:
        """The series that it needs, in the order of time."""
        return [Reference.parse(text) for text in self.splice]

    @property
    def words(self) -> str:
        """What it makes of them, for people."""
        return ", then ".join(self.splice)

    def combine(self, values: list[Floats], dates: Days) -> Floats:  # noqa: ARG002 - the date does not matter
        """Return each part until the next one begins; of returns, which need no shift."""
        *parts, joined = values
        for part in reversed(parts):
            begins = np.isfinite(joined).argmax() if np.isfinite(joined).any() else len(joined)
            joined = np.r_[part[:begins], joined[begins:]]
        return joined

    def evaluate(self, get: Get) -> Series:
        """Return the parts joined, by the days on which they became known; checked as far as the last one."""
        *parts, last_part = self.references
        ending = get(last_part)
        joined, known_at, anew = ending.values, ending.known_at, ending.anew
        for reference in reversed(parts):
            part = get(reference)
            before = part.known_at < known_at[0]
            if not before.any():
                raise DataError(f"{reference.id} has no value before the next part of the splice begins")
            values = part.values[before]
            if reference.id in self.shift:
                values = values + (joined[0] - values[-1])
            # What ended before the next begins says nothing of the time between them.
            seam = (known_at[0],) if known_at[0] - part.last > SILENCE else ()
            anew = (*(day for day in part.anew if day < known_at[0]), *seam, *anew)
            # A value is dated by when it was known, for two parts may date the same change differently.
            known_at = np.r_[part.known_at[before], known_at]
            joined = np.r_[values, joined]
        # Of several values known on one day the last one counts.
        last = np.r_[known_at[1:] != known_at[:-1], True]
        dates, values = known_at[last], joined[last]
        return Series(ending.id, dates, values, dates, ending.checked, ending.unit, anew=anew)


@dataclass(frozen=True)
class Relative(Formula):
    """The return of one sleeve against another over some months, sign reversed, decimal.

    ``1 - growth(first) / growth(second)`` over the bars of the last ``months`` months, known at the close
    of the last of them; the valuation where there is no book value (Asness, Moskowitz and Pedersen 2013,
    "Value and momentum everywhere").
    """

    relative: tuple[str, str]
    months: Annotated[int, msgspec.Meta(ge=1)]

    @property
    def references(self) -> list[Reference]:
        """Nothing but the sleeves, which are computed first."""
        return []

    @property
    def words(self) -> str:
        """What it makes of them, for people."""
        first, second = self.relative
        return f"1 less the growth of {first} over that of {second} in {self.months} months"

    def evaluate(self, get: Get) -> Series:
        """Return the value at each bar with a whole window before it; ``get`` gives the sleeves' returns."""
        first, second = (get(Reference(sleeve)) for sleeve in self.relative)
        shared, (a, b) = together([first, second])
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
        return Series("", dates[whole], value[whole], shared.known_at[whole], shared.checked, FRACTION)


def changes(series: Series) -> Series:
    """Return the first value and those that differ from the one before."""
    return series.only(np.r_[True, np.diff(series.values) != 0.0])


TABLES: dict[str, type[Formula]] = {
    fields(kind)[0].name: kind for kind in (WeightedMean, Discount, Share, Splice, Relative)
}
"""The formulas that are written as tables, by their first key, which tells which one it is."""
