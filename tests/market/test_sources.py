"""Sources register themselves, and an entry of the catalogue tells its source what that understands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from backtest import MarketData, load_series
from backtest.dates import Fills
from backtest.errors import DataError, UsageError
from backtest.market.catalogue import catalogue, entry
from backtest.market.entry import SourceTable
from backtest.market.fetch import fetch
from backtest.market.reading import table_of
from backtest.market.sources import _SOURCES, source, source_of, sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.market.entry import Entry

MONTHS = np.arange("2000-01", "2001-01", dtype="datetime64[M]").astype("datetime64[D]")


@pytest.fixture(autouse=True)
def _as_they_were() -> Iterator[None]:
    before = dict(sources())
    yield
    _SOURCES.clear()
    _SOURCES.update(before)
    sources.cache_clear()


def test_every_entry_of_the_catalogue_says_to_its_source_what_that_understands() -> None:
    for about in catalogue().values():
        options = source_of(about).options
        assert not about.options if options is None else about.told(options)


@pytest.mark.parametrize(
    ("id", "key", "value", "said"),
    [
        ("RF", "colum", "RF", "unknown field `colum`"),
        ("UNRATE", "vintages", "frist", "Invalid enum value 'frist'"),
    ],
)
def test_what_a_source_does_not_understand_is_said(id: str, key: str, value: str, said: str) -> None:
    about = entry(id)
    wrong = replace(about, options={**about.options, key: value})
    with pytest.raises(DataError, match=f"the catalogue says of {id} to its source is wrong: .*{said}"):
        wrong.told(source_of(about).options or object)


def test_a_source_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="series AAA: there is no source 'fredd'; did you mean 'fred'?"):
        table_of(replace(entry("AAA"), source="fredd"))


def test_a_source_of_ones_own_needs_no_more_than_to_register(monkeypatch: pytest.MonkeyPatch) -> None:
    @source("mine")
    def mine(about: Entry) -> SourceTable:
        return SourceTable.of(about.id, MONTHS, np.full(12, 4.0), "my head", b"")

    sources.cache_clear()
    about = replace(entry("AAA"), source="mine")
    assert fetch([about])[0].status == "new"
    monkeypatch.setattr("backtest.market.load.entry", lambda _: about)
    series = load_series("AAA")
    assert series.values.tolist() == [4.0] * 12
    assert (series.unit, str(series.known_at[0])) == ("percent", "2000-02-01")
    assert series.origin.startswith("my head, seen ")


def test_a_source_whose_package_is_not_installed_says_how_to_install_it() -> None:
    @source("mine", needs="no_such_package")
    def mine(_: Entry) -> SourceTable:
        raise AssertionError("it was asked")

    sources.cache_clear()
    (outcome,) = fetch([replace(entry("AAA"), source="mine")])
    assert outcome.status == "failed"
    assert (
        "the source 'mine' needs the package no_such_package; install it with: pip install 'size-rotation[mine]'"
        in outcome.said
    )


def test_a_series_needs_no_market_to_be_looked_at(embedded: MarketData) -> None:
    series, seen = load_series("FED_TARGET"), embedded.observations["FED_TARGET"]
    assert (series.id, series.unit, str(series.last)) == ("FED_TARGET", "percent", "2026-10-09")
    assert series.origin == "the project's table fed_target.csv"
    changes = np.r_[True, np.diff(series.values) != 0.0]
    np.testing.assert_array_equal(series.values[changes], seen.values)
    np.testing.assert_array_equal(series.known_at[changes], seen.known_at)
    never = load_series("USREC")
    assert np.isnat(never.known_at).all()
    assert np.isnan(never.as_of(Fills(embedded.bars.dates))).all()
    announced = load_series("NBER")
    assert len(announced.dates) < len(never.dates)
    with pytest.raises(UsageError, match="did you mean 'UNRATE'?"):
        load_series("UNRATES")
    with pytest.raises(DataError, match="get it with: rotation data fetch UNRATE"):
        load_series("UNRATE")
