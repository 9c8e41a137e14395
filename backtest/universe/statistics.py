"""Statistics of classes at each date: companies, capitalisation, concentration, turnover, migration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.universe.countries import abroad

if TYPE_CHECKING:
    import pandas as pd

    from backtest.dates import Ints
    from backtest.universe.countries import Home
    from backtest.universe.schemes import Scheme
    from backtest.universe.workshop import Workshop

TOP = 10
"""Concentration is also told by the share of so many largest companies."""


def _named(frame: pd.DataFrame, scheme: Scheme, *columns: str) -> pd.DataFrame:
    names = {**dict(enumerate(scheme.classes)), -1: "none", len(scheme.classes): "market"}
    for column in columns:
        frame[column] = frame[column].map(names)
    return frame


def class_table(shop: Workshop, scheme: Scheme, at: Ints, home: Home | None = None) -> pd.DataFrame:
    """Return a row for each class (and ``market``, all of them) at each date that is shown.

    Columns: ``date, class, companies, capitalisation, share`` (of total capitalisation), ``top_share`` (of
    the ``TOP`` largest companies in the class's capitalisation), ``herfindahl`` (sum of squared shares in the
    class), and, at reconstitutions from the second on, ``additions`` and ``deletions`` (companies; those that
    vanished since the last one included), ``turnover`` (one-way, half the sum of changes of weights). Where
    ``home`` names a country, ``foreign`` and ``unknown`` as well: see ``countries.abroad``.
    """
    every = len(scheme.classes)
    levels = shop.frame(
        f"""
        WITH companies AS (
            SELECT bar, class, size FROM members WHERE lead
            UNION ALL SELECT bar, {every}, size FROM members WHERE lead),
        ranked AS (
            SELECT *, row_number() OVER (PARTITION BY bar, class ORDER BY size DESC) AS rank FROM companies),
        summed AS (
            SELECT bar, class, count(*) AS companies, sum(size) AS capitalisation,
                sum(size) FILTER (rank <= {TOP}) / sum(size) AS top_share,
                sum(size * size) / (sum(size) * sum(size)) AS herfindahl
            FROM ranked GROUP BY bar, class)
        SELECT date, bar, class, companies, capitalisation,
            capitalisation / max(capitalisation) OVER (PARTITION BY bar) AS share, top_share, herfindahl
        FROM summed JOIN bars USING (bar) ORDER BY bar, class"""
    )
    moved = levels[["bar", "class"]].merge(_moves(shop, at), on=["bar", "class"], how="left")
    levels[["additions", "deletions", "turnover"]] = moved[["additions", "deletions", "turnover"]]
    if home is not None and home.names:
        levels = levels.merge(abroad(shop, scheme, home), on=["bar", "class"], how="left")
    return _named(levels, scheme, "class").drop(columns="bar")


def _moves(shop: Workshop, at: Ints) -> pd.DataFrame:
    """Return additions, deletions and turnover of each class at each reconstitution but the first."""
    bars = ", ".join(map(str, at))
    return shop.frame(
        f"""
        WITH formed AS (SELECT * FROM members WHERE bar IN ({bars})),
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


def migration_table(shop: Workshop, scheme: Scheme, at: Ints) -> pd.DataFrame:
    """Return how many lines, of what capitalisation, went from which class to which at each reconstitution.

    Columns: ``date, was, class, lines, capitalisation``; ``was`` is ``none`` for lines that were in no class.
    """
    frame = shop.frame(
        "SELECT date, was, class, count(*) AS lines, sum(cap) AS capitalisation FROM members "
        f"JOIN bars USING (bar) WHERE bar IN ({', '.join(map(str, at))}) GROUP BY ALL "
        "ORDER BY date, was, class"
    )
    return _named(frame, scheme, "was", "class")


def member_table(shop: Workshop, scheme: Scheme) -> pd.DataFrame:
    """Return every line at each date that is shown: ``date, company, name, class, capitalisation, size``."""
    frame = shop.frame(
        "SELECT date, company, name, class, cap AS capitalisation, size FROM members JOIN bars USING (bar) "
        "JOIN lines USING (id) ORDER BY date, size DESC, company"
    )
    return _named(frame, scheme, "class")
