"""The oracle of portfolios: one date after another with dictionaries, written without the package."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Slow:
    """Returns and members of each class, found one date after another."""

    borders: list[float]
    band: float = 0.0
    carry: int = 0
    delisting: float = math.nan
    when: str = "monthly"
    by_cap: dict[tuple[int, int], float] = field(default_factory=dict)
    equal: dict[tuple[int, int], float] = field(default_factory=dict)
    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    members: dict[tuple[int, str], int] = field(default_factory=dict)

    def _reconstitutes(self, dates: list[pd.Timestamp], bar: int) -> bool:
        if self.when == "daily":
            return True
        ends = bar == len(dates) - 1 or dates[bar + 1].month != dates[bar].month
        months = {"monthly": range(1, 13), "quarterly": (3, 6, 9, 12), "june": (6,)}[self.when]
        return ends and dates[bar].month in months

    def _class(self, cap: float, before: int | None) -> int:
        """The class of the borders; with a band the old class stays until its borders are passed by it."""
        plain = sum(cap >= border for border in self.borders)
        if before is None or self.band == 0.0:
            return plain
        now = before
        while now < len(self.borders) and cap >= self.borders[now] * (1.0 + self.band):
            now += 1
        while now > 0 and cap < self.borders[now - 1] * (1.0 - self.band):
            now -= 1
        return now

    def run(self, table: pd.DataFrame) -> Slow:
        dates = sorted(table["date"].unique())
        rows = {
            (date, company): (price * shares, returned)
            for date, company, price, shares, returned in zip(
                table["date"],
                table["company"],
                table["price"],
                table["shares"],
                table["total_return"],
                strict=True,
            )
        }
        today: dict[pd.Timestamp, list[str]] = {}
        for date, company in rows:
            today.setdefault(date, []).append(company)
        held: dict[str, list[float]] = {}  # company: class, value, equal value, bars since its last row
        classes: dict[str, int] = {}
        seen: set[str] = set()
        for bar, date in enumerate(dates):
            begin: dict[int, list[float]] = {}
            for company in sorted(held):
                which, value, equal, missed = held[company]
                if (date, company) in rows:
                    grown = 1.0 + rows[date, company][1]
                    held[company] = [which, value * grown, equal * grown, 0]
                elif missed + 1 <= self.carry:
                    grown = 1.0
                    held[company] = [which, value, equal, missed + 1]
                else:
                    del held[company]
                    if math.isnan(self.delisting):
                        continue
                    grown = 1.0 + self.delisting
                sums = begin.setdefault(int(which), [0.0, 0.0, 0.0, 0.0, 0])
                sums[0] += value
                sums[1] += value * grown
                sums[2] += equal
                sums[3] += equal * grown
                sums[4] += 1
            for which, sums in begin.items():
                self.by_cap[bar, which] = sums[1] / sums[0] - 1.0
                self.equal[bar, which] = sums[3] / sums[2] - 1.0
                self.counts[bar, which] = int(sums[4])
            seen.update(today[date])
            if self._reconstitutes(dates, bar):
                held = {}
                for company in today[date]:
                    cap = rows[date, company][0]
                    classes[company] = self._class(cap, classes.get(company))
                    held[company] = [classes[company], cap, 1.0, 0]
                    self.members[bar, company] = classes[company]
        return self
