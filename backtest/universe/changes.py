"""Changes of class: companies that have just crossed a border, beside those that just have not.

A company that comes up has risen, and one that has risen is another company than one that has not. So the
months around a change of class say little by themselves. Here those that crossed a border by little are held
against those that came from the same side, in the same month, and stopped a little short of it: whatever else
is true of both, only the first have changed their class. It is a regression discontinuity, as Chang, Hong and
Liskovich (2015) made one, Regression discontinuity and the price effects of stock market indexing, Review of
Financial Studies 28.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from backtest.universe.build import Portfolios
    from backtest.universe.intake import Intake
    from backtest.universe.schemes import Scheme
    from backtest.universe.workshop import Relation, Workshop

FEW = 3
"""A cohort needs so many companies on either side of the border."""


def cohorts(
    shop: Workshop,
    scheme: Scheme,
    table: Intake,
    portfolios: Portfolios,
    band: float,
    near: float,
    months: tuple[int, int],
) -> pd.DataFrame:
    """Return what companies that crossed a border earned by month, beside those that stopped short of it.

    Parameters
    ----------
    portfolios
        With its cleaned rows.
    band
        How far past a border a company had to be, as the classes were formed.
    near
        How far from it, as a fraction, a company may be on either side.
    months
        Before (the month of the change is 0, the last of them) and after it.

    Returns
    -------
    pandas.DataFrame
        A row for each ``date`` (of the reconstitution), ``was``, ``class``, ``up`` (whether that is the
        larger) and ``month`` (from 1 - before to after): ``crossed`` and ``stayed``, how many have a return
        in that month; ``crossed_return`` and ``stayed_return``, their means, equal weights, decimal. Only
        where at least ``FEW`` of either were there at the change.

    Raises
    ------
    DataError
        When nobody crossed a border with others beside him.
    """
    import pandas as pd

    before, after = months
    if not shop.value(f"SELECT count(*) FROM {portfolios.members} WHERE was >= 0"):
        raise DataError("nobody has a return from one class to the next; changes need price or total_return")
    sided = _sides(shop, portfolios, band, near)
    cohort = shop.table(
        "cohort",
        f"""
        SELECT bar, border, way FROM {sided} GROUP BY ALL
        HAVING count(*) FILTER (crossed) >= {FEW} AND count(*) FILTER (NOT crossed) >= {FEW}""",
    )
    if not shop.value(f"SELECT count(*) FROM {cohort}"):
        raise DataError(
            f"at no reconstitution did {FEW} companies cross a border by at most {near:.0%} with {FEW} "
            "others beside them; take a larger --near, or a table with more companies"
        )
    # A month without a return on one of its bars has none. (isnan is false in an aggregate over Parquet whose
    # statistics know no NaN, DuckDB 2.0; isfinite is not.)
    number = portfolios.dates.astype("datetime64[M]").astype(np.int64)
    calendar = shop.told("calendar", pd.DataFrame({"bar": np.arange(len(number)), "month": number}))
    monthly = shop.table(
        "monthly",
        f"""
        SELECT line AS id, month, exp(sum(ln(greatest(1 + returns, 1e-12)))) - 1 AS earned
        FROM {portfolios.clean} JOIN {calendar} USING (bar) GROUP BY line, month
        HAVING bool_and(isfinite(returns))""",
    )
    frame = shop.frame(
        f"""
        WITH asked AS (SELECT unnest(range({1 - before}, {after + 1})) AS step)
        SELECT b.date, s.border, s.way, step AS month,
            count(*) FILTER (crossed) AS crossed, count(*) FILTER (NOT crossed) AS stayed,
            avg(earned) FILTER (crossed) AS crossed_return, avg(earned) FILTER (NOT crossed) AS stayed_return
        FROM {sided} s JOIN {cohort} USING (bar, border, way) JOIN {table.bars} b USING (bar)
        JOIN {calendar} c USING (bar) CROSS JOIN asked
        JOIN {monthly} m ON m.id = s.id AND m.month = c.month + step
        GROUP BY b.date, s.border, s.way, step ORDER BY b.date, s.border, s.way, step"""
    )
    names = np.array(scheme.classes)
    low, high = names[frame["border"]], names[frame["border"] + 1]
    up = frame["way"].to_numpy() > 0
    frame.insert(1, "was", np.where(up, low, high))
    frame.insert(2, "class", np.where(up, high, low))
    frame.insert(3, "up", up)
    return frame.drop(columns=["border", "way"])


def _sides(shop: Workshop, portfolios: Portfolios, band: float, near: float) -> Relation:
    """Return who crossed a border, or stopped short of it, at each reconstitution and which way."""
    import pandas as pd

    amounts = pd.DataFrame(portfolios.borders).assign(bar=portfolios.formed).melt("bar", var_name="border")
    borders = shop.told("borders", amounts[np.isfinite(amounts["value"])].astype({"border": np.int64}))
    # A class up, or a class down; who leaps over a whole class is no neighbour of anybody.
    return shop.table(
        "sided",
        f"""
        WITH there AS (SELECT m.bar, m.id, m.class, m.was, m.size, b.border, b.value AS amount,
                CASE WHEN m.was = b.border THEN 1 ELSE -1 END AS way
            FROM {portfolios.members} m
            JOIN {borders} b ON b.bar = m.bar AND m.was IN (b.border, b.border + 1)
            WHERE m.lead),
        cut AS (SELECT *, amount * (1 + way * {band!r}) AS edge,
                CASE WHEN way > 0 THEN class = border + 1 ELSE class = border END AS crossed,
                CASE WHEN way > 0 THEN class = border ELSE class = border + 1 END AS stayed
            FROM there)
        SELECT DISTINCT bar, id, border, way, crossed FROM cut WHERE (crossed OR stayed)
            AND size >= edge / (1 + {near!r}) AND size < edge * (1 + {near!r})""",
    )
