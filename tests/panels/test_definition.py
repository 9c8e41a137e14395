"""Panel files: what is wrong with one is said with its line, its key and the nearest name."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from backtest import load_series
from backtest.errors import DataError, RotationError, UsageError
from backtest.market.toml import file_of
from backtest.panels.definition import load_panel, market_of, read_panel
from tests.cli.test_command import assert_sentence, rotation
from tests.panels.conftest import COUNTRIES

HEAD = 'title = "T"\nstart = "1990-01"\nsize = "s"\ncurrency = "c"\n'
TWO = '[members.a]\nmarket = "embedded"\n[members.b]\ndifference = "X"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEAD.replace("start", "begin") + TWO, "line 2: there is no 'begin' here; there are: currency, get, kind, members"),
        (HEAD.replace("1990-01", "1990") + "", "line 1: the file lacks members"),
        (HEAD.replace("1990-01", "soon") + TWO, "line 2: 'soon' is not a month; write it as 1990-07"),
        (HEAD + '[members.a]\nmarket = "embedded"\n', "line 1: a panel has two members at least"),
        (HEAD + TWO + 'market = "embedded"\n', "'b' must have either a market or a difference"),
        (HEAD + TWO.replace('"embedded"', '"embeded"'), "line 6: there is no market 'embeded'; did you mean 'embedded'?"),
        (HEAD + TWO.replace('"embedded"', '"embedded"\npolicy = "Y"'), "the market of 'a' has returns and a policy rate of its own"),
        (HEAD + TWO.replace('"X"', '"X["'), "line 8: 'X[' is no series; write its id, or ID[column]"),
        (HEAD + TWO + 'regoin = "south"\n', "line 9: there is no 'regoin' here; did you mean 'region'?"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_with_its_line(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(DataError) as told:
        read_panel(path)
    assert str(told.value).startswith(f"{path}, line ")
    assert sentence in str(told.value)


def test_a_panel_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match="there is no panel 'nowhere'"):
        file_of("panel", "nowhere")
    with pytest.raises(UsageError, match="there is no panel file nowhere.toml"):
        file_of("panel", "nowhere.toml")


def test_a_series_that_is_not_stored_is_told_with_what_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTATION_DATA", str(tmp_path / "store"))
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + 'get = "rotation data import FILE"\n' + TWO)
    with pytest.raises(
        RotationError,
        match=r"the panel 'mine' lacks a series: .*'X'.*; get them with: rotation data import FILE",
    ):
        load_panel(str(path))


def test_shipped_panels_say_what_gets_their_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One way, which works: not also the fetch that a series to be imported would refuse."""
    monkeypatch.setenv("ROTATION_DATA", str(tmp_path / "store"))
    with pytest.raises(RotationError) as told:
        load_panel("countries")
    assert str(told.value).startswith("the panel 'countries' needs ")
    assert str(told.value).count("get ") == 1
    assert "; get them with: rotation data import FILE.xlsx --id AQR_SMB" in str(told.value)


def test_differences_returns_and_rates_are_those_that_were_imported(panel_file: Path) -> None:
    found = load_panel(str(panel_file))
    assert [member.name for member in found.members] == list(COUNTRIES)
    assert found.members[-1].policy is None
    for member in found.members:
        series = load_series(f"SMB_{member.name}")
        assert np.array_equal(member.differences, series.values)
        assert str(found.ends[0])[:7] == "1990-01"
    rate, stored = found.members[0].policy, load_series("RATE_AAA")
    assert rate is not None
    assert (np.diff(rate.values) != 0).all()
    assert rate.last == stored.last
    assert found.notes == (
        "Small and large: made.",
        "Returns are in US dollars.",
        "Returns are monthly.",
    )


def test_a_panel_that_starts_after_its_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "late.toml"
    path.write_text(
        HEAD.replace("1990-01", "2027-07") + TWO.replace('difference = "X"', 'market = "embedded"')
    )
    with pytest.raises(DataError) as told:
        load_panel(str(path))
    assert str(told.value) == "the panel 'late' starts in 2027-07, after its last return, of 2018-11-30"


def test_a_series_that_is_no_such_is_not_to_be_fetched(tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(HEAD + TWO.replace('"X"', '"UNRATES"'))
    with pytest.raises(DataError) as told:
        load_panel(str(path))
    assert str(told.value).endswith("among the imported ones; did you mean 'UNRATE'?")
    path.write_text(HEAD + TWO.replace('"X"', '"AQR_SMB[AUS]"\npolicy = "CBPOL_AU"'))
    with pytest.raises(
        DataError, match="get them with: rotation data fetch CBPOL_AU, and rotation data import"
    ):
        load_panel(str(path))


@pytest.mark.usefixtures("panel_file")
def test_markets_and_countries_make_one_panel_and_say_in_what_they_differ(tmp_path: Path) -> None:
    path = tmp_path / "mixed.toml"
    path.write_text(
        HEAD
        + '[members.usa]\nmarket = "embedded"\nsize = "halves"\n[members.b]\ndifference = "SMB_BBB"\ncurrency = "yen"\n'
    )
    found = load_panel(str(path))
    assert found.members[0].data is not None
    bars = found.members[0].data.bars
    spread = bars.column("small") - bars.column("large")
    there = np.isfinite(found.members[0].differences)
    assert found.members[0].differences[there] == pytest.approx(
        spread[bars.dates >= np.datetime64("1990-01-01")]
    )
    assert str(found.ends[there][-1]) == "2018-11-30"
    assert str(found.last)[:7] == "2019-12"
    assert found.notes == (
        "Members differ. Small and large: halves (usa); s (b).",
        "Members differ. Returns are in: c (usa); yen (b).",
        "Returns are monthly.",
    )
    assert "FED_TARGET" in found.sources


def test_rates_of_two_banks_are_joined_without_a_move(panel_file: Path, tmp_path: Path) -> None:
    assert panel_file.is_file()
    path = tmp_path / "joined.toml"
    members = '[members.a]\ndifference = "SMB_AAA"\npolicy = "RATE_AAA"\nsince = "2001-05"\n'
    path.write_text(
        HEAD + members + '[members.b]\ndifference = "SMB_BBB"\npolicy = ["RATE_AAA", "SMB_BBB"]\n'
    )
    first, second = (member.policy for member in load_panel(str(path)).members)
    assert first is not None
    assert str(first.known_at[0])[:7] == "2001-05"
    assert second is not None
    joined = load_series("SMB_BBB").known_at[0]
    before, after = second.values[second.known_at < joined], second.values[second.known_at >= joined]
    steps = np.abs(np.diff(second.values))
    assert steps[np.searchsorted(second.known_at, joined) - 1] < 1e-9
    assert len(before) > 0
    assert len(after) > 0


def test_a_member_stands_for_its_market(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + '[members.one]\nmarket = "embedded"\n[members.AUS]\ndifference = "AQR_SMB[AUS]"\n')
    assert market_of("french_world:japan") == market_of("japan") == "japan"
    assert market_of(f"{path}:one") == "embedded"
    assert market_of("no_such_market") == "no_such_market"  # whoever loads it says so
    only = "is no market: only the difference of small and large is known, which nobody can hold; it can be studied"
    for name in ("countries:DEU", "DEU"):
        with pytest.raises(UsageError, match=f"^DEU of the panel 'countries' {only}") as told:
            market_of(name)
        assert str(told.value).endswith("rotation study first-cut --panel countries")
    with pytest.raises(UsageError, match=f"^AUS of the panel '{re.escape(str(path))}' {only}"):
        market_of(f"{path}:AUS")
    with pytest.raises(UsageError, match="the panel 'countries' has no member 'DEUT'; did you mean 'DEU'"):
        market_of("countries:DEUT")
    with pytest.raises(UsageError, match="there is no panel 'contries'; did you mean 'countries'"):
        market_of("contries:DEU")
    with pytest.raises(UsageError, match="^'countries' is a panel, many markets asked together; say --panel"):
        market_of("countries")


@pytest.mark.parametrize("verb", ["explore", "compare", "run", "signal", "tune"])
def test_every_command_refuses_what_nobody_can_hold(verb: str, tmp_path: Path) -> None:
    runs = ["rate_cut", "trend"] if verb == "compare" else ["rate_cut"]
    done = rotation(tmp_path, verb, *runs, "--market", "countries:DEU")
    assert_sentence(done, 2, "DEU of the panel 'countries' is no market: only the difference")


def test_a_member_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + "".join(f'[members.{name}]\nmarket = "embedded"\n' for name in ("one", "two")))
    asked = ("compare", "rate_cut", "trend", "--json", "--start", "1990-01-31", "--market")
    member, market = (rotation(tmp_path, *asked, name) for name in (f"{path}:one", "embedded"))
    assert member.returncode == 0, member.stderr
    assert member.stdout == market.stdout
