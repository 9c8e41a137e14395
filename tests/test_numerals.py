"""The one reader of numbers: what people write, and nothing that Python takes beside it."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.errors import UsageError
from backtest.numerals import count, months, number, plain


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_as_python_reads_it(value: float) -> None:
    assert plain(repr(value)) == value
    assert number(repr(value), "x") == value == number(value, "x")


@given(st.text(max_size=8))
def test_what_is_read_is_a_number_of_ascii_digits_that_python_reads_too(text: str) -> None:
    found = plain(text)
    if found is not None:
        assert float(text) == found
        assert text.strip().isascii()
        assert "_" not in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nan",
        "inf",
        "-inf",
        "1_0",
        "\u0661\u0662",
        "\uff19",
        "0x10",
        "1e999",
        "9" * 5000,
        "1,5",
        "1 0",
        "\u00bd",
    ],
)
def test_what_nobody_means_as_a_number_is_none(text: str) -> None:
    assert plain(text) is None
    with pytest.raises(UsageError, match="^--band must be a number from 0 to 1, not '"):
        number(text, "--band", 0, 1)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("2", "--band must lie in 0 to 1, not 2"),
        (math.nan, "--band must lie in 0 to 1, not nan"),
        (math.inf, "--band must lie in 0 to 1, not inf"),
        (True, "--band must be a number from 0 to 1, not 'True'"),
        (None, "--band must be a number from 0 to 1, not 'None'"),
    ],
)
def test_what_lies_outside_is_refused_with_the_range(value: object, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        number(value, "--band", 0, 1)
    assert str(error.value) == sentence


def test_a_number_without_a_range_is_finite() -> None:
    with pytest.raises(UsageError, match="^x must be a finite number, not inf$"):
        number(math.inf, "x")
    with pytest.raises(UsageError, match="^x must be a finite number from 0 months, not -1$"):
        number(-1, "x", 0, unit="months")


def test_numbers_of_libraries_are_numbers() -> None:
    assert [number(each, "x") for each in (np.float32(0.5), np.int64(3), Fraction(1, 4))] == [0.5, 3.0, 0.25]


def test_whole_numbers_come_out_as_int() -> None:
    assert isinstance(count("12.0", "x"), int)
    with pytest.raises(UsageError, match="^x must be a whole number from 0 to 5 bars, not 1.5$"):
        count("1.5", "x", 0, 5, "bars")


@given(st.integers(0, 2400))
def test_spans_are_counted_in_months(n: int) -> None:
    assert months(f"{n}m", "test") == n
    assert months(f"{n // 12}y", "test") == n // 12 * 12


@pytest.mark.parametrize(
    "text", ["", "5", "y", "-1y", "1.5y", "\u0665y", "201y", "99999999999999999999y", "1y1m"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="^train is a number of years or months"):
        months(text, "train")
