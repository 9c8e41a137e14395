"""A claim: a statement with its origin, how it is tested, and the rule that turns evidence into a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from backtest.errors import RotationError
from backtest.wording import pvalue

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from backtest.studies.findings import Evidence, Finding

SIZED = (
    "once said 'not supported' of whatever chance could explain, and now only where the claimed size, "
    "written down with the numbers known, can be excluded"
)
"""What was revised of every rule that has a size."""

SUPPORTED = "supported"
NOT_SUPPORTED = "not supported"
CONTRADICTED = "contradicted"
CANNOT_BE_TOLD = "cannot be told"


class MissingInputError(RotationError):
    """A study needs a series that the market does not have; the sentence says which market has it."""


@dataclass(frozen=True)
class Verdict:
    """One of four words, and one sentence why."""

    word: str
    because: str


def holm(pvalues: list[float]) -> list[float]:
    """Return p-values adjusted for their number (Holm 1979), in the same order."""
    order = sorted(range(len(pvalues)), key=pvalues.__getitem__)
    adjusted, highest = [0.0] * len(pvalues), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(pvalues) - rank) * pvalues[index]))
        adjusted[index] = highest
    return adjusted


@dataclass(frozen=True)
class EffectSize:
    """The size of an effect that is claimed, or the smallest one worth having, as a value and in words."""

    value: float
    words: str


@dataclass(frozen=True)
class SignRule:
    """All estimates must have the claimed sign, and one of them at least must be beyond chance.

    Parameters
    ----------
    at_least
        The fewest cases with which anything can be told.
    sizes
        What is claimed of each ``Evidence``, in its order and unit, without a sign.
    basis
        Where the sizes come from.
    cases
        What a case is, in the plural.
    condition
        What an estimate must meet besides, in words; each ``Evidence.holds`` says whether it does.
    level
        The level of the two-sided p-values, after Holm's adjustment for their number.
    """

    at_least: int
    sizes: tuple[EffectSize, ...] = ()
    basis: str = "the smallest worth having"
    cases: str = "cases"
    condition: str = ""
    level: float = 0.05

    @property
    def text(self) -> str:
        """The rule in plain words."""
        besides = f" and {self.condition}" if self.condition else ""
        sized = f"Size: {'; '.join(size.words for size in self.sizes)} ({self.basis}). " if self.sizes else ""
        return (
            f"{sized}Supported: every estimate has the claimed sign, and at least one has a two-sided "
            f"p-value below {self.level:g} after Holm's adjustment for their number{besides}. Contradicted: "
            "the same with every sign reversed. Otherwise not supported where the 95% interval of an "
            "estimate excludes its size. Cannot be told: no interval does, a series is missing, or there are "
            f"fewer than {self.at_least} {self.cases}."
        )

    def verdict(self, evidence: tuple[Evidence, ...]) -> Verdict:
        """Return the verdict."""
        fewest = min((e.n for e in evidence), default=0)
        if fewest < self.at_least:
            asked = f"the rule asks for {self.at_least} {self.cases} at least, and finds {fewest}"
            return Verdict(CANNOT_BE_TOLD, asked)
        # What is not a number compares as false: it is no evidence either way.
        if not all(e.pvalue >= 0.0 for e in evidence):
            return Verdict(CANNOT_BE_TOLD, "these data are too short, or never move, for an estimate")
        return self._weighed(evidence)

    def _weighed(self, evidence: tuple[Evidence, ...]) -> Verdict:
        adjusted = holm([e.pvalue for e in evidence])
        agree = {e.claimed * ((e.estimate > 0) - (e.estimate < 0)) for e in evidence}
        beyond = [e for p, e in zip(adjusted, evidence, strict=True) if p < self.level]
        said = f"the smallest p is {pvalue(min(adjusted))}"
        if len(adjusted) > 1:
            said += f" after adjustment for {len(adjusted)} tests"
        signs = "every sign" if len(evidence) > 1 else "the sign"
        way = {1: "as claimed", -1: "the opposite of what is claimed"}.get(
            agree.pop() if len(agree) == 1 else 0
        )
        holding = [e for e in beyond if e.holds]
        if way and holding:
            word = SUPPORTED if way == "as claimed" else CONTRADICTED
            best = min(holding, key=lambda e: e.pvalue)
            return Verdict(
                word, f"{signs} is {way} and {said}{self._rests_on(best)}{self._smaller(evidence)}"
            )
        if way and beyond:
            said += f", but the condition is not met: {self.condition}"
        elif way:
            said = f"{signs} is {way}, but {said}"
        else:
            said = f"the signs disagree; {said}" if len(evidence) > 1 else f"the estimate is zero; {said}"
        return self._excluded_or_not(evidence, said)

    def _excluded_or_not(self, evidence: tuple[Evidence, ...], said: str) -> Verdict:
        """Return what an effect that was not shown is: excluded at its size, or out of sight."""
        short = self._short_of(evidence)
        if short:
            return Verdict(NOT_SUPPORTED, f"{said}; {short[0]}")
        # A case that lies far from the others lifts the error of a mean more than the mean.
        hidden = [
            e for e in evidence if e.claimed * e.estimate > 0.0 and e.without < self.level / len(evidence)
        ]
        if hidden:
            said += f"; without {hidden[0].carrying} p is {pvalue(hidden[0].without)}"
        sized = list(zip(evidence, self.sizes, strict=True))
        blind = [(e, size) for e, size in sized if not e.visible <= size.value]
        if not blind:
            return Verdict(CANNOT_BE_TOLD, f"{said}; yet {sized[0][1].words} cannot be excluded")
        e, size = blind[0]
        seen = (
            f"{e.write(e.claimed * e.visible)} is the smallest effect that they would show four times in five"
        )
        return Verdict(CANNOT_BE_TOLD, f"{said}; these data cannot exclude {size.words}: {seen} ({e.label})")

    def _short_of(self, evidence: tuple[Evidence, ...]) -> list[str]:
        """Say which intervals end short of the claimed size."""
        ends = [
            (e, size, e.high if e.claimed > 0 else e.low)
            for e, size in zip(evidence, self.sizes, strict=True)
        ]
        return [
            f"the 95% interval ends at {e.write(end)}, short of {size.words} ({e.label})"
            for e, size, end in ends
            if e.claimed * end < size.value
        ]

    def _smaller(self, evidence: tuple[Evidence, ...]) -> str:
        """Say where an effect that has the claimed sign is smaller than claimed."""
        short = self._short_of(evidence) if all(e.claimed * e.estimate > 0 for e in evidence) else []
        return f"; yet {short[0]}" if short else ""

    def _rests_on(self, e: Evidence) -> str:
        """Show the halves of the sample, and say where one of them or one case carries the verdict.

        One half carries it where the other alone shows less than half of the estimate.
        """
        said = ""
        if not any(math.isnan(half) for half in e.halves):
            first, second = map(e.write, e.halves)
            said = f"; {first} in the first half of the sample, {second} in the second"
            weak = [abs(e.estimate) > 2.0 * half * math.copysign(1.0, e.estimate) for half in e.halves]
            if any(weak):
                said += f": it rests on the {'second' if weak[0] else 'first'} half"
        if e.without >= self.level:
            said += f"; it rests on one case: without {e.carrying} p is {pvalue(e.without)}"
        return said


@dataclass(frozen=True)
class WidestRule:
    """The last value must be the widest of the last ``years``; the p-value is the share that was as wide."""

    years: int = 20

    @property
    def text(self) -> str:
        """The rule in plain words."""
        return (
            f"Supported: no month of the last {self.years} years had a wider gap than the last one. "
            "Contradicted: more than half of them had. Cannot be told: the series is missing or has "
            f"fewer than {self.years} years. Otherwise: not supported. A fact about one value: "
            "nothing is estimated."
        )

    def verdict(self, evidence: tuple[Evidence, ...]) -> Verdict:
        """Return the verdict; ``estimate`` of the only evidence is the share of months that were wider."""
        (share,) = evidence
        if share.n < 12 * self.years:
            return Verdict(CANNOT_BE_TOLD, f"{share.n} months; the rule asks for {12 * self.years}")
        said = f"{share.estimate:.0%} of the months of the last {self.years} years had a wider gap"
        if share.estimate == 0.0:
            return Verdict(SUPPORTED, f"no month of the last {self.years} years had a wider gap")
        return Verdict(CONTRADICTED if share.estimate > 0.5 else NOT_SUPPORTED, said)


Rule: TypeAlias = "SignRule | WidestRule"
"""Turns evidence into a verdict; written down before the evidence, or its claim says what was revised."""


@dataclass(frozen=True)
class Claim:
    """A claim and how it is tested.

    Parameters
    ----------
    id
        Its name on the command line.
    statement
        What is claimed, in plain words.
    origin
        Who says so.
    test
        How it is tested, in plain words.
    rule
        What makes the verdict.
    examine
        Computes the finding from a market, or from a panel where the claim is about many of them; raises
        ``MissingInputError`` where it lacks a series.
    published
        What has been published about it, with the reference; empty where nothing is cited.
    revised
        What of the test or the rule was changed after a first look at the number, a sentence each; empty
        where nothing was.
    """

    id: str
    statement: str
    origin: str
    test: str
    rule: Rule
    examine: Callable[[Any], Finding]
    published: str = ""
    revised: tuple[str, ...] = ()


def claimed(
    *, origin: str, test: str, rule: Rule, published: str = "", revised: tuple[str, ...] = ()
) -> Callable[[Callable[[Any], Finding]], Claim]:
    """Make a claim of the function that examines it: its docstring is the statement, its name the id."""

    def made(examine: Callable[[Any], Finding]) -> Claim:
        id, statement = examine.__name__.replace("_", "-"), examine.__doc__ or ""
        return Claim(id, statement, origin, test, rule, examine, published, revised)

    return made


def claims_in(*modules: ModuleType) -> tuple[Claim, ...]:
    """Return the claims that modules make, in their order."""
    return tuple(each for module in modules for each in vars(module).values() if isinstance(each, Claim))
