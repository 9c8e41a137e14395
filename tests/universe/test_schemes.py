"""Schemes: the published borders, the scaled ones, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.errors import DataError, RotationError, UsageError
from backtest.market.toml import names_of
from backtest.universe.schemes import load_scheme


def test_the_shipped_borders_are_the_declared_ones() -> None:
    assert load_scheme("us").amounts == (3e8, 2e9, 1e10)
    assert load_scheme("us").classes == ("micro", "small", "mid", "large")
    assert load_scheme("us_six").amounts == (5e7, 2.5e8, 2e9, 1e10, 2e11)
    assert load_scheme("us_six").classes == ("nano", "micro", "small", "mid", "large", "mega")
    assert load_scheme("us_three").amounts == (2e9, 1e10)
    assert load_scheme("set").amounts == (1e9, 5e9, 4e10, 2e11)
    assert load_scheme("set").currency == "THB"


@pytest.mark.parametrize("name", names_of("scheme"))
def test_every_shipped_scheme_loads_and_says_where_its_borders_come_from(name: str) -> None:
    scheme = load_scheme(name)
    assert scheme.source
    assert scheme.title
    assert len(scheme.classes) == len(scheme.borders) + 1


def test_us_six_in_baht_has_the_figures_of_its_source() -> None:
    # 31 baht to the dollar and a ratio of purchasing powers of 1.615 make of 200 billion, 10 billion, 2 billion,
    # 250 million and 50 million dollars "about 3,840,000, 192,000, 38,400, 4,800 and 960 million baht".
    million_baht = [amount / 1e6 for amount in load_scheme("us_six_in_baht").amounts]
    assert million_baht == pytest.approx([960, 4_800, 38_400, 192_000, 3_840_000], rel=3e-4)
    scaled = load_scheme("us_six").scaled(31.0, 1.615, "THB")
    assert scaled.amounts == load_scheme("us_six_in_baht").amounts
    assert scaled.currency == "THB"
    # Its own Big Mac prices give another ratio.
    assert round(4.2 / 2.46, 3) == 1.707


@given(st.floats(0.01, 1e4), st.floats(0.1, 10.0))
def test_scaling_there_and_back_gives_the_scheme_again(rate: float, power: float) -> None:
    scheme = load_scheme("us")
    back = scheme.scaled(rate, power, "X").scaled(1.0 / rate, 1.0 / power, "USD")
    assert back.amounts == pytest.approx(scheme.amounts, rel=1e-12)


def test_an_unknown_scheme_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no scheme 'us_sixx' .*did you mean 'us_six'?"):
        load_scheme("us_sixx")
    with pytest.raises(UsageError, match="no scheme file"):
        load_scheme("nowhere.toml")


def test_only_amounts_can_be_scaled() -> None:
    with pytest.raises(UsageError, match="no amounts of money"):
        load_scheme("rank").scaled(31.0, 1.0, "THB")
    with pytest.raises(UsageError, match="above zero"):
        load_scheme("us").scaled(-1.0, 1.0, "THB")


GOOD = 'title = "t"\nsource = "s"\ncurrency = "USD"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("title = 'x'", "line 1: the file lacks source, classes, borders"),
        (GOOD + 'clases = ["a"]', "line 4: there is no 'clases' here; did you mean 'classes'?"),
        (GOOD + 'classes = ["a", "b"]\nborders = [1, 2]', "line 5: 2 classes need 1 borders"),
        (GOOD + 'classes = ["a", "b", "c"]\nborders = [2, 1]', "from the lowest class up"),
        (GOOD + 'classes = ["a", "market"]\nborders = [2]', "'market' cannot name a class"),
        (
            GOOD + 'classes = ["a", "b"]\nborders = ["x"]',
            "line 5: 'borders' must be a list of numbers, not text",
        ),
        (
            GOOD + 'classes = ["a", "b"]\nborders = [1]\nby = "size"',
            "line 6: 'by' must be capitalisation or rank or cumulative or percentile, not 'size'",
        ),
        (GOOD + 'classes = ["a", "b"]\nborders = [100]\nby = "cumulative"', "must lie below 100"),
        (GOOD.replace('currency = "USD"\n', "") + 'classes = ["a", "b"]\nborders = [1]', "lacks currency"),
        (
            GOOD + 'classes = ["a", "b"]\nborders = [1]\nby = "rank"\nindex = "CPIAUCSL"',
            "can move with an index",
        ),
        ('title = "t"\nsource = "s"\nbase = "mine"', "cannot be its own base"),
        ('title = "t"\nsource = "s"\nbase = "uss"', "did you mean 'us'?"),
        ('title = "t"\nsource = "s"\nbase = "us"\nexchange_rate = 31', "lacks currency"),
        ("title = ", "is not valid TOML"),
    ],
)
def test_a_file_that_is_no_scheme_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(RotationError, match=sentence.replace("?", r"\?")):
        load_scheme(str(path))


def test_a_scheme_of_ones_own_may_lie_on_another_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD + 'classes = ["a", "b"]\nborders = [5]\nunit = 1000')
    (tmp_path / "scaled.toml").write_text(
        'title = "t"\nsource = "s"\nbase = "mine"\ncurrency = "EUR"\nexchange_rate = 0.5\n'
    )
    assert load_scheme(str(tmp_path / "scaled.toml")).amounts == (2500.0,)
    with pytest.raises(DataError, match="line 4: there is no 'classes' here"):
        (tmp_path / "scaled.toml").write_text(
            'title = "t"\nsource = "s"\nbase = "mine"\nclasses = ["a", "b"]'
        )
        load_scheme(str(tmp_path / "scaled.toml"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            'base = "us"\ncurrency = "THB"\nexchange_rate = "abc"',
            "line 5: 'exchange_rate' must be a number, not text; write it without quotes",
        ),
        (
            'by = ["x"]\nclasses = ["a", "b"]\nborders = [1]',
            "line 3: 'by' must be text, not a list; write it in quotes",
        ),
        (
            'classes = "ab"\nborders = [1]',
            "line 3: 'classes' must be a list, not text; put it in square brackets",
        ),
        ('base = "b"', "a scheme cannot be its own base"),
    ],
)
def test_a_scheme_of_the_wrong_kind_is_refused_in_one_sentence(
    tmp_path: Path, content: str, sentence: str
) -> None:
    for name, text in (("a", content), ("b", 'base = "a"')):
        (tmp_path / f"{name}.toml").write_text(f'title = "t"\nsource = "s"\n{text}\n')
    with pytest.raises(DataError) as refused:
        load_scheme(str(tmp_path / "a.toml"))
    assert sentence in str(refused.value)
