"""Wrong calls, made from the options of the command's own parsers."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from unittest import mock

from hypothesis import strategies as st

from backtest import arguments
from backtest.cli import command

RIGHT: dict[str, tuple[str, ...]] = {
    "run": ("rate_cut", "--json"),
    "compare": ("rate_cut", "trend", "--json"),
    "tune": ("rate_cut", "--grid", "hold=12,24", "--placebo", "3", "--json"),
    "signal": ("rate_cut", "--json"),
    "explain": ("rate_cut",),
    "list": (),
    "new": ("my_idea",),
    "doctor": (),
    "replicate": ("alquist-2018", "--json"),
    "completion": ("bash",),
    "study list": (),
    "study events": ("--dates", "1984-09-20,1989-06,2001-01-03", "--json"),
    "study margin": ("--gain-bps", "200", "--margin", "0.06"),
    "study capacity": ("--json",),
    "study first-cut": ("--json",),
    "universe schemes": ("us_six",),
    "universe classify": ("companies.csv", "--scheme", "halves.toml"),
    "universe build": ("companies.csv", "--scheme", "halves.toml", "--out", "new"),
    "universe screen": ("companies.csv", "--fundamentals", "accounts.csv", "--scheme", "halves.toml"),
    "universe changes": ("companies.csv", "--scheme", "halves.toml", "--near", "9"),
    "data list": (),
    "data search": ("yield",),
    "data fetch": ("GS10",),
    "data show": ("MINE",),
    "data import": ("mine.csv", "--id", "OTHER", "--kind", "total-return", "--unit", "level"),
    "data verify": (),
}
"""A call of each verb that is right, and cheap; ``gallery`` and ``study claims`` are not, and ``explore`` serves on."""

VALUES: dict[str, str] = {
    "start": "1990-01-31", "end": "2010-12-31", "as_of": "2019-08-15", "date": "2002-06-28", "cost_bps": "25",
    "tax": "0", "lots": "highest", "flows": "5% a month",
    "delay_fill": "2", "benchmark": "market", "decide": "month-end", "market": "embedded", "panel": "regions", "set": "hold=18",
    "grid": "hold=12,24", "objective": "sharpe", "constraint": "turnover<1", "search": "random", "trials": "4",
    "seed": "7", "walk_forward": "train=20y,test=5y", "placebo": "3", "executor": "threads:1", "out": "written",
    "data_dir": "store", "scheme": "halves.toml", "mapping": "mapping.toml", "fundamentals": "accounts.csv",
    "rates": "rates.csv", "index": "index.csv", "reconstitute": "june", "band": "0.1", "carry": "2",
    "delisting": "-0.3", "country": "all", "keep": "pe", "least": "0", "near": "0.5", "about": "companies.csv", "memory": "1GB", "weights": "equal", "losses": "drop", "cash": "FED_TARGET",
    "policy": "FED_TARGET", "rows": "5", "exchange_rate": "31", "purchasing_power": "1.6", "currency": "THB",
    "gain_bps": "200", "margin": "0.06", "change": "0.3", "impact": "0.5", "orders": "4", "traded": "0.5",
    "tail": "5", "vintage": "0", "id": "OTHER", "kind": "total-return", "unit": "level", "column": "value",
    "frequency": "monthly", "known_at": "the day itself", "title": "a title", "dates": "1984-09-20,1989-06",
    "strategy": "rate_cut", "from": "report", "own_hold": "18", "own_delay": "2", "own_quiet": "6", "own_min_cut": "0.5",
}  # fmt: skip
"""A value of each option that is right, by its destination."""

NEVER = (
    "", " ", "nan", "NaN", "inf", "-inf", "1e400", "1_0", "\u0661\u0662", "\uff19", "0x10", "9" * 30, "9" * 5000, "-1e300", "1e-400x",
    "2020-W01-1", "2020-02-30", "20200101", "2020-1-1", "0000-00-00", "99999-01-01", "12abc", "1,5", "1 0", "--", "one", "\x1b[31m",
    "\udcff\udcfe", "\u202e12", "=1+1", "1/0", "True", "None", "[1]", "{}", "x" * 5000, "💥", "1e", "+", "e5", "\u00bd",
)  # fmt: skip
"""What is neither a number nor a day, however kindly it is read."""
EDGES = (
    "0", "-1", "1", "-0", "1e300", "-1e300", "1e-300", "1e9", "4294967296", "9223372036854775808", "9999999999999", "0.5",
    "1e-17", "9999-12-31", "0001-01-01", "1600-01-01", "2261-01-01", "1926-07-31", "2018-11-30", "2100-01-01",
    "threads:99999999999", "threads:0", "loky:-1", "dask://", "dask://x:99999999", "ray://", "hold=1:2", "hold=", "=12", "hold=1_0", "hold=nan",
    "hold=1:60:0", "hold=1:60:1e-300", "hold=1:60:log99999999999", "hold=lin", "hold=5:1:1", "hold=12,24,hold=3", "hold=12,12,12", "min_cut=0:1:0.0000001",
    "a=b=c", "hold==5", "turnover<nan", "turnover<", "turnover<1<2", "nope<1", "hold<hold", "cash", "small", "small=25,small=3", "small=-1", "nope=5",
    "train=20y,train=5y,test=1y", "train=99999999999999999999y,test=1y", "train=1y,test=1y,rolling=3", "train=0y,test=5y", "train=20y",
    "train=20y,test=5y,purge=99y", "train=1m,test=1m", "train=-1y,test=1y", "/dev/zero", "/dev/null", "/dev/random", "pipe", "/", ".", "..", "~", "~nobodyatall",
    "store", "companies.csv", "mine.csv", "mine.toml", "nope.toml", "market.toml", "halves.toml", "moving.toml", "nope.csv", "report", "sweep", "built", "mine.py", "nope.py",
    "x" * 300, "a/" * 200, "../" * 40, "1GB", "1KB", "99999999TB", "0MB", "0.0MB", "sharpe,sharpe", "sharpe,cagr,vol", "1984-09", "1984-13", ",", ",,,", ":", ":::", "NOPE", "MINE", "GS10",
    "rate_cut", "trend:window=12", "rate_cut:hold=12,hold=13", "rate_cut:", "%s%n", "'", '"', ";", "*", "\\", "-", "---", "--json=1", "\t", "a\nb", "the 17th of the next month",
    "the 99th of the next month", "percent", "level", "other", "rate", "every-fill", "daily", "equal", "keep",
)  # fmt: skip
"""What is right in some place and at the edge, or wrong, in most."""


class _SeenError(BaseException):
    def __init__(self, parser: arguments.Parser) -> None:
        self.parser = parser


@cache
def options_of(verb: str) -> tuple[argparse.Action, ...]:
    """Return what a verb's parser takes, options and arguments."""

    def show(parser: arguments.Parser, _: Sequence[str]) -> argparse.Namespace:
        raise _SeenError(parser)

    with mock.patch.object(arguments.Parser, "parse", show):
        try:
            command.dispatch("rotation", None, [*verb.split(), *RIGHT[verb]])
        except _SeenError as seen:
            return tuple(seen.parser._actions)
    raise AssertionError(verb)


@dataclass(frozen=True)
class Call:
    """A call, and why it must be refused; empty where it may be right."""

    arguments: tuple[str, ...]
    refused: str = ""


def _numeric(action: argparse.Action) -> bool:
    right = VALUES.get(action.dest, "")
    return re.fullmatch(r"-?[\d.]+|\d{4}-\d\d-\d\d", right) is not None and action.dest != "vintage"


def _mutated(right: str) -> st.SearchStrategy[str]:
    """Return a right value with something cut, put in or doubled."""
    places = st.integers(0, len(right))
    put = st.sampled_from(
        ["0", "9", "-", ",", "=", ":", ".", "e", "_", " ", "/", "é", "\u0663", "<", "y", "x"]
    )
    return st.one_of(
        st.builds(lambda at, what: right[:at] + what + right[at:], places, put),
        st.builds(lambda a, b: right[: min(a, b)] + right[max(a, b) :], places, places),
        st.just(right + right),
        st.just(right.upper()),
    )


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Draw a call that is wrong in one or two ways, or right with more options than it needs."""
    verb = draw(st.sampled_from(sorted(RIGHT)))
    words, refused = [*verb.split(), *RIGHT[verb]], ""
    valued = [a for a in options_of(verb) if a.option_strings and a.nargs != 0 and a.dest in VALUES]
    flags = [a for a in options_of(verb) if a.option_strings and a.nargs == 0 and a.dest != "help"]
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(
            st.sampled_from(
                [
                    "value",
                    "value",
                    "value",
                    "mutated",
                    "never",
                    "never",
                    "twice",
                    "flag",
                    "lacks",
                    "unknown",
                    "word",
                    "drop",
                    "right",
                ]
            )
        )
        if kind in ("value", "mutated", "never", "twice", "lacks", "right") and valued:
            action = draw(st.sampled_from(valued))
            name = action.option_strings[0]
            if kind == "lacks":
                words, refused = [*words, name], refused or f"{name} without a value"
                break
            if kind == "never":
                value = draw(st.sampled_from(NEVER))
                if _numeric(action):
                    refused = refused or f"{name}={value[:20]!r}"
            elif kind == "mutated":
                value = draw(_mutated(VALUES[action.dest]))
            else:
                value = draw(st.sampled_from(EDGES)) if kind == "value" else VALUES[action.dest]
            words.append(f"{name}={value}")
            if kind == "twice" and not isinstance(action, argparse._AppendAction):
                words, refused = [*words, f"{name}={value}"], refused or f"{name} twice"
        elif kind == "flag" and flags:
            words.append(draw(st.sampled_from(flags)).option_strings[0])
        elif kind == "unknown":
            near = draw(st.sampled_from([a for a in options_of(verb) if a.option_strings])).option_strings[0]
            words, refused = [*words, near + "x"], refused or f"{near}x is unknown"
        elif kind == "word":
            words.append(draw(st.sampled_from(NEVER + EDGES)))
        elif kind == "drop":
            words.pop(draw(st.integers(1, len(words) - 1)) if len(words) > 1 else 0)
            refused = ""
            break
    return Call(tuple(words), refused)
