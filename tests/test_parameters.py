"""A parameter is declared once; what does not fit its declaration is refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from backtest.errors import UsageError
from backtest.parameters import CountedIn, Parameter, bind, param

HOLD = Parameter("hold", CountedIn("months", whole=True), 24, 1, 60, "hold this long")
CUT = Parameter("min_cut", CountedIn("percentage points"), 0.25, 0.0, 1.0, "smallest cut")


@pytest.mark.parametrize("value", ["18", 18, 18.0, " 18 "])
def test_whole_numbers_of_months_come_out_as_int(value: object) -> None:
    assert HOLD.validate(value) == 18
    assert isinstance(HOLD.validate(value), int)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("99", "hold must lie in 1 to 60 months, not 99"),
        ("0", "hold must lie in 1 to 60 months, not 0"),
        ("61.0", "hold must lie in 1 to 60 months, not 61"),
        (61.0, "hold must lie in 1 to 60 months, not 61"),
        (np.float64(61), "hold must lie in 1 to 60 months, not 61"),
        (1e300, "hold must lie in 1 to 60 months, not 1e+300"),
        ("nan", "hold must be a number from 1 to 60 months, not 'nan'"),
        ("inf", "hold must be a number from 1 to 60 months, not 'inf'"),
        ("18.5", "hold must be a whole number from 1 to 60 months, not 18.5"),
        ("long", "hold must be a number from 1 to 60 months, not 'long'"),
        ("", "hold must be a number from 1 to 60 months, not ''"),
        (None, "hold must be a number from 1 to 60 months, not 'None'"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_range(value: object, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        HOLD.validate(value)
    assert str(error.value) == sentence


def test_fractions_are_refused_only_where_the_unit_is_whole() -> None:
    assert CUT.validate("0.125") == 0.125
    with pytest.raises(UsageError, match="min_cut must lie in 0 to 1 percentage points, not nan"):
        CUT.validate(float("nan"))


def test_bind_fills_in_defaults_and_names_the_nearest() -> None:
    assert bind((HOLD, CUT), {"hold": "12"}, "rate_cut") == {"hold": 12, "min_cut": 0.25}
    with pytest.raises(UsageError, match="rate_cut has no parameter 'hodl'; did you mean 'hold'?"):
        bind((HOLD, CUT), {"hodl": 3}, "rate_cut")


def test_a_default_outside_its_own_range_is_refused_where_it_is_declared() -> None:
    with pytest.raises(UsageError, match="a default of 99 lies outside its own range, 1 to 60"):
        param(99, low=1, high=60, help="...")
