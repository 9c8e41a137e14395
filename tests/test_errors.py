"""The nearest name, whatever the case."""

from __future__ import annotations

import pytest

from backtest.errors import joined, nearest


@pytest.mark.parametrize(
    ("name", "names", "expected"),
    [
        ("rate_cuts", ["rate_cut", "january"], "did you mean 'rate_cut'?"),
        ("fed_target", ["FED_TARGET", "NBER"], "did you mean 'FED_TARGET'?"),
        ("qqq", ["rate_cut", "january"], "there are: january, rate_cut"),
        ("qqq", ["margin", "claims", "margin"], "there are: claims, margin"),
        (
            "qqq",
            [f"n{i:02}" for i in range(30)],
            "there are: " + ", ".join(f"n{i:02}" for i in range(24)) + " and 6 more",
        ),
        ("qqq", [], "there is none"),
    ],
)
def test_nearest(name: str, names: list[str], expected: str) -> None:
    assert nearest(name, names) == expected


def test_joined() -> None:
    names = ["embedded", "etf", "french_daily"]
    assert [joined(names[:n]) for n in range(4)] == [
        "",
        "embedded",
        "embedded and etf",
        "embedded, etf and french_daily",
    ]
