"""A claim: a statement with its origin, how it is tested, and the rule that turns evidence into a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from backtest.errors import RotationError
from backtest.studies.wording import probability

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.analysis.event_study import Chance
    from backtest.market.data import MarketData
    from backtest.studies.findings import Evidence, Finding

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


class Rule(Protocol):
    """Turns evidence into a verdict; written down before the evidence, or its claim says what was revised."""

    @property
    def text(self) -> str:
        """The rule in plain words."""

    def verdict(self, evidence: tuple[Evidence, ...]) -> Verdict:
        """Return the verdict."""


def holm(pvalues: list[float]) -> list[float]:
    """Return p-values adjusted for their number (Holm 1979), in the same order."""
    order = sorted(range(len(pvalues)), key=pvalues.__getitem__)
    adjusted, highest = [0.0] * len(pvalues), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(pvalues) - rank) * pvalues[index]))
        adjusted[index] = highest
    return adjusted


@dataclass(frozen=True)
class SignRule:
    """All estimates must have the claimed sign, and one of them at least must be beyond chance.

    Parameters
    ----------
    at_least
        The fewest cases with which anything can be told.
    cases
        What a case is, in the plural.
    condition
        What an estimate must meet besides, in words; each ``Evidence.holds`` says whether it does.
    level
        The level of the two-sided p-values, after Holm's adjustment for their number.
    """

    at_least: int
    cases: str = "cases"
    condition: str = ""
    level: float = 0.05

    @property
    def text(self) -> str:
        """The rule in plain words."""
        besides = f" and {self.condition}" if self.condition else ""
        return (
            "Supported: every estimate has the claimed sign, and at least one has a two-sided p-value below "
            f"{self.level:g} after Holm's adjustment for their number{besides}. Contradicted: the same with "
            f"every sign reversed. Cannot be told: a series is missing, or fewer than {self.at_least} "
            f"{self.cases}. Otherwise: not supported."
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
        beyond = [e.holds for p, e in zip(adjusted, evidence, strict=True) if p < self.level]
        best = f"the smallest p is {probability(min(adjusted))}"
        if len(adjusted) > 1:
            best += f" after adjustment for {len(adjusted)} tests"
        if len(agree) > 1:
            return Verdict(NOT_SUPPORTED, f"the signs disagree; {best}")
        way = {1: "as claimed", -1: "the opposite of what is claimed", 0: "neither"}[agree.pop()]
        if any(beyond) and way != "neither":
            word = SUPPORTED if way == "as claimed" else CONTRADICTED
            return Verdict(word, f"every sign is {way} and {best}")
        if beyond and self.condition:
            return Verdict(NOT_SUPPORTED, f"{best}, but the condition is not met: {self.condition}")
        return Verdict(NOT_SUPPORTED, f"the sign is {way}, but {best}: chance can explain it")


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
        Computes the finding from a market; raises ``MissingInputError`` where the market lacks a series.
    published
        What has been published about it, with the reference; empty where nothing is cited.
    revised
        What of the test or the rule was changed after a first look at the number; empty where nothing was.
    """

    id: str
    statement: str
    origin: str
    test: str
    rule: Rule
    examine: Callable[[MarketData, Chance], Finding]
    published: str = ""
    revised: str = ""
