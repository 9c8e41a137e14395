"""Statistics of classes at each date: companies, capitalisation, concentration, turnover, migration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import DAYS_A_YEAR

if TYPE_CHECKING:
    import pandas as pd

    from backtest.dates import Floats, Ints
    from backtest.universe.build import Portfolios
    from backtest.universe.intake import Intake
    from backtest.universe.schemes import Scheme
    from backtest.universe.workshop import Relation, Workshop

TOP = 10
"""Concentration is also told by the share of so many largest companies."""


def class_table(shop: Workshop, scheme: Scheme, table: Intake, portfolios: Portfolios) -> pd.DataFrame:
    """Return a row for each class (and ``market``, all of them) at each date that is shown.

    Columns: ``date, class, companies, capitalisation, share`` (of total capitalisation), ``top_share`` (of
    the ``TOP`` largest companies in the class's capitalisation), ``herfindahl`` (sum of squared shares in the
    class), and, at reconstitutions from the second on, ``additions`` and ``deletions`` (companies; those that
    vanished since the last one included), ``turnover`` (one-way, half the sum of changes of weights). Where
    a country is meant, ``foreign`` and ``unknown`` as well: the shares in capitalisation of companies of
    other countries, and of those of which no row up to that date says the country.
    """
    members = portfolios.members
    levels = shop.frame(
        f"""
        WITH companies AS (
            SELECT bar, class, size FROM {members} WHERE lead
            UNION ALL SELECT bar, {len(scheme.classes)}, size FROM {members} WHERE lead),
        ranked AS (
            SELECT *, row_number() OVER (PARTITION BY bar, class ORDER BY size DESC) AS rank FROM companies),
        summed AS (
            SELECT bar, class, count(*) AS companies, sum(size) AS capitalisation,
                sum(size) FILTER (rank <= {TOP}) / sum(size) AS top_share,
                sum(size * size) / (sum(size) * sum(size)) AS herfindahl
            FROM ranked GROUP BY bar, class)
        SELECT date, bar, class, companies, capitalisation,
            capitalisation / max(capitalisation) OVER (PARTITION BY bar) AS share, top_share, herfindahl
        FROM summed JOIN {table.bars} USING (bar) ORDER BY bar, class"""
    )
    moved = levels[["bar", "class"]].merge(
        _moves(shop, members, portfolios.formed), on=["bar", "class"], how="left"
    )
    levels[["additions", "deletions", "turnover"]] = moved[["additions", "deletions", "turnover"]]
    if table.home.names:
        levels = levels.merge(_abroad(shop, scheme, table, members), on=["bar", "class"], how="left")
    levels["class"] = levels["class"].map(scheme.numbered)
    return levels.drop(columns="bar")


def _moves(shop: Workshop, members: Relation, at: Ints) -> pd.DataFrame:
    """Return additions, deletions and turnover of each class at each reconstitution but the first."""
    bars = ", ".join(map(str, at))
    return shop.frame(
        f"""
        WITH formed AS (SELECT * FROM {members} WHERE bar IN ({bars})),
        now AS (SELECT bar, class, sum(cap) AS total, count(*) AS n FROM formed GROUP BY bar, class),
        old AS (SELECT bar, was, sum(drifted) AS total, count(*) AS n FROM formed
            WHERE was >= 0 GROUP BY bar, was),
        weights AS (
            SELECT f.bar, f.class, f.cap / now.total AS new,
                CASE WHEN f.was = f.class THEN f.drifted / old.total ELSE 0 END AS had,
                (f.was <> f.class)::INT AS added, 0 AS left_it
            FROM formed f JOIN now USING (bar, class) LEFT JOIN old ON old.bar = f.bar AND old.was = f.class
            UNION ALL
            SELECT f.bar, f.was, 0, f.drifted / old.total, 0, 1
            FROM formed f JOIN old ON old.bar = f.bar AND old.was = f.was WHERE f.was <> f.class),
        steps AS (SELECT bar, lag(bar) OVER (ORDER BY bar) AS before FROM (SELECT DISTINCT bar FROM formed)),
        summed AS (
            SELECT bar, class, sum(added) AS additions, sum(left_it) AS moved,
                sum(abs(new - had)) / 2 AS turnover
            FROM weights GROUP BY bar, class)
        SELECT s.bar, s.class, s.additions,
            s.moved + coalesce(earlier.n, 0) - coalesce(old.n, 0) AS deletions,
            CASE WHEN old.n > 0 THEN s.turnover END AS turnover
        FROM summed s JOIN steps USING (bar)
        LEFT JOIN now earlier ON earlier.bar = steps.before AND earlier.class = s.class
        LEFT JOIN old ON old.bar = s.bar AND old.was = s.class
        WHERE steps.before IS NOT NULL"""
    )


def _abroad(shop: Workshop, scheme: Scheme, table: Intake, members: Relation) -> pd.DataFrame:
    """Return what of the capitalisation of each class, by its number, is foreign or unknown at each date."""
    return shop.frame(
        f"""
        WITH lived AS (SELECT company, date, bool_or({table.home.inside}) AS inside FROM {table.raw}
            WHERE reason IS NULL GROUP BY company, date),
        found AS (SELECT m.bar, m.class, m.cap, v.inside FROM {members} m JOIN {table.bars} b USING (bar)
            JOIN {table.lines} l USING (id) LEFT JOIN lived v ON v.company = l.company AND v.date = b.date),
        each AS (SELECT * FROM found
            UNION ALL SELECT * REPLACE ({len(scheme.classes)} AS class) FROM found)
        SELECT bar, class, coalesce(sum(cap) FILTER (NOT inside), 0) / sum(cap) AS foreign,
            coalesce(sum(cap) FILTER (inside IS NULL), 0) / sum(cap) AS unknown
        FROM each GROUP BY bar, class"""
    )


def migration_table(shop: Workshop, scheme: Scheme, table: Intake, portfolios: Portfolios) -> pd.DataFrame:
    """Return how many lines, of what capitalisation, went from which class to which at each reconstitution.

    Columns: ``date, was, class, lines, capitalisation``; ``was`` is ``none`` for lines that were in no class.
    """
    frame = shop.frame(
        "SELECT date, was, class, count(*) AS lines, sum(cap) AS capitalisation "
        f"FROM {portfolios.members} JOIN {table.bars} USING (bar) "
        f"WHERE bar IN ({', '.join(map(str, portfolios.formed))}) GROUP BY ALL ORDER BY date, was, class"
    )
    return frame.assign(**{name: frame[name].map(scheme.numbered) for name in ("was", "class")})


def by_class(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return one column of a table of classes, by date and class."""
    return table.pivot_table(index="date", columns="class", values=column, dropna=False)


def latest(classes: pd.DataFrame, scheme: Scheme, borders: Floats) -> pd.DataFrame:
    """Return the classes of the last date and, as ``border``, the amount from which each begins.

    ``borders`` are those in force, (n_classes - 1,); the border of ``market`` is NaN.
    """
    last = classes[classes["date"] == classes["date"].max()]
    return last.assign(border=last["class"].map(dict(zip(scheme.classes, [0.0, *borders], strict=True))))


def changed_shares(migration: pd.DataFrame) -> pd.Series[float]:
    """Return by date the share of the lines in a class before the reconstitution that changed it, decimal."""
    moves = migration[migration["was"] != "none"]
    moved = moves[moves["was"] != moves["class"]].groupby("date")["lines"].sum()
    return (moved / moves.groupby("date")["lines"].sum()).fillna(0.0)


def migration_shares(migration: pd.DataFrame, scheme: Scheme) -> pd.DataFrame:
    """Return where the lines of each class went, as shares of them, over all reconstitutions: from, to."""
    names = list(scheme.classes)
    moves = migration[migration["was"] != "none"]
    total = moves.pivot_table(index="was", columns="class", values="lines", aggfunc="sum", fill_value=0)
    rows = [name for name in names if name in total.index]
    total = total.reindex(index=rows, columns=names, fill_value=0)
    return total.div(total.sum(axis=1), axis=0)


def growth_table(returns: pd.DataFrame, scheme: Scheme) -> pd.DataFrame:
    """Return what 1 in each class (and ``market``) grew to by each date, from the market's first return on.

    By capitalisation; a bar without a return counts as nothing gained.
    """
    there = returns.loc[returns["market"].notna(), list(scheme.sleeves)]
    return (1.0 + there.fillna(0.0)).cumprod()


def return_table(returns: pd.DataFrame, scheme: Scheme) -> pd.DataFrame:
    """Return what each class (and ``market``) returned a year and its volatility, decimal.

    Columns: ``class``; ``a_year`` and ``volatility``, by capitalisation, and each ``_equal``. From the first
    return of the market on; a bar without one counts as nothing gained.
    """
    import pandas as pd

    there = returns[returns["market"].notna()]
    begun = returns.index[max(len(returns) - len(there) - 1, 0)]
    years = (there.index[-1] - begun).days / DAYS_A_YEAR
    rows = []
    for name in scheme.sleeves:
        row: dict[str, Any] = {"class": name}
        for weights in ("", "_equal"):
            values = there[name + weights].fillna(0.0).to_numpy(dtype=np.float64)
            row[f"a_year{weights}"] = float(np.prod(1.0 + values)) ** (1.0 / years) - 1.0
            row[f"volatility{weights}"] = float(values.std(ddof=1)) * np.sqrt(len(values) / years)
        rows.append(row)
    return pd.DataFrame(rows)


def member_table(shop: Workshop, scheme: Scheme, table: Intake, portfolios: Portfolios) -> pd.DataFrame:
    """Return every line at each date that is shown: ``date, company, name, class, capitalisation, size``."""
    frame = shop.frame(
        "SELECT date, company, name, class, cap AS capitalisation, size "
        f"FROM {portfolios.members} JOIN {table.bars} USING (bar) JOIN {table.lines} USING (id) "
        "ORDER BY date, size DESC, company"
    )
    return frame.assign(**{"class": frame["class"].map(scheme.numbered)})
