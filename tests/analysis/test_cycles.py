"""Cutting cycles on the Fed's own record."""

from __future__ import annotations

import numpy as np
import pandas as pd

from backtest.analysis.regimes import cutting_cycles
from backtest.dates import to_days
from tests.conftest import REPOSITORY


def test_the_cycles_of_the_federal_reserve_since_1994() -> None:
    facts = pd.read_csv(REPOSITORY / "data" / "fed_target.csv", comment="#")
    cycles = cutting_cycles(to_days(facts["announced"].to_numpy(dtype=str)), facts["target"].to_numpy())
    assert [(str(a), str(b)) for a, b in cycles if a >= np.datetime64("1994-01-01")] == [
        ("1995-07-06", "1996-01-31"),
        ("1998-09-29", "1998-11-17"),
        ("2001-01-03", "2003-06-25"),
        ("2007-09-18", "2008-12-16"),
        ("2019-07-31", "2020-03-15"),
        ("2024-09-18", "2025-12-10"),
    ]


def test_repeated_levels_neither_begin_nor_end_a_cycle() -> None:
    days = to_days(["2000-01-01", "2000-01-02", "2000-01-03", "2000-01-04", "2000-01-05", "2000-01-06"])
    cycles = cutting_cycles(days, np.array([5.0, 4.0, 4.0, 3.0, 3.5, 3.5]))
    assert [(str(a), str(b)) for a, b in cycles] == [("2000-01-02", "2000-01-04")]
    assert cutting_cycles(days[:1], np.array([5.0])) == []
    # Of a row of cuts that has not ended the last one so far is the last.
    cycles = cutting_cycles(days, np.array([5.0, 6.0, 4.0, 4.5, 3.5, 2.0]))
    assert [(str(a), str(b)) for a, b in cycles] == [
        ("2000-01-03", "2000-01-03"),
        ("2000-01-05", "2000-01-06"),
    ]
    # A step of any size counts.
    assert len(cutting_cycles(days[:2], np.array([5.0, 3.0]))) == 1
    assert cutting_cycles(days[:2], np.array([3.0, 5.0])) == []
