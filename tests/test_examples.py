"""Every public name shows how it is used, and what is shown is what happens."""

from __future__ import annotations

import doctest
from typing import TYPE_CHECKING

import pytest

import backtest

if TYPE_CHECKING:
    from pathlib import Path

UNITS = {"Choice", "Count", "Deviations", "Months", "Percent", "PercentagePoints"}
"""They are annotations, which have no docstring of their own; the example of ``param`` has them all."""


@pytest.mark.parametrize("name", sorted(set(backtest.__all__) - UNITS))
def test_the_example_gives_what_it_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # what an example writes goes with it
    text = getattr(backtest, name).__doc__
    found = doctest.DocTestParser().get_doctest(text, {"__name__": "example"}, name, None, None)
    assert found.examples, f"{name} has no example"
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(found, out=said.append)
    assert not said, "".join(said)


def test_units_are_in_the_example_of_a_parameter() -> None:
    example = str(backtest.param.__doc__).split("Examples")[1]
    assert {unit for unit in UNITS if f": {unit} = param(" in example} == UNITS
