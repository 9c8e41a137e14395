"""ALFRED: real days of release replace the rule; fredapi against a real server in the layout of its API."""

from __future__ import annotations

import pytest

from backtest.cli.command import dispatch
from backtest.dates import to_days
from backtest.errors import DataError
from backtest.market.catalogue import entry
from backtest.market.fetch import fetch
from backtest.market.load import load_market
from backtest.market.store import Store
from tests.market.made import made
from tests.market.server import answer, serving

ROWS = [  # date, released, value: two in the first vintage, a revision, a month that came late
    ("1999-11-01", "2000-02-04", "4.1"),
    ("1999-12-01", "2000-02-04", "4.1"),
    ("2000-01-01", "2000-02-10", "4.0"),
    ("2000-01-01", "2000-03-03", "4.2"),
    ("2000-02-01", "2000-05-05", "4.3"),
    ("2000-03-01", "2000-04-07", "4.4"),
    ("2000-04-01", "2000-05-05", "."),
]
XML = "<observations>" + "".join(
    f'<observation realtime_start="{r}" realtime_end="9999-12-31" date="{d}" value="{v}"/>'
    for d, r, v in ROWS
)
BODY = (XML + "</observations>").encode()


@pytest.fixture
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fredapi")
    monkeypatch.setenv("FRED_API_KEY", "0" * 32)


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize(("id", "january"), [("UNRATE", 4.0), ("PAYEMS", 4.2)])
def test_the_real_days_replace_the_rule(
    id: str, january: float, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    with serving(lambda _: BODY) as library:
        monkeypatch.setenv("ROTATION_ALFRED_URL", library.address)
        (outcome,) = fetch([entry(id)])
    assert (outcome.status, outcome.last) == ("new", "2000-03-01"), outcome.said
    table = Store().read(Store().find(id))
    assert table.values[:, 0].tolist() == [4.1, 4.1, january, 4.3, 4.4]
    text = 'title = "x"\nfrequency = "monthly"\nbenchmark = "cash"\n[sleeves]\ncash = "RF"\n[series]\njobs = "%s"\n'
    (tmp_path / "m.toml").write_text(text % id)
    found = load_market(tmp_path / "m.toml").observations[id]
    # The first vintage has what had been released before: the rule, but never after the vintage itself.
    expected = ["1999-12-03", "2000-01-07", "2000-02-10", "2000-05-05", "2000-05-05"]
    assert found.known_at.tolist() == to_days(expected).tolist()


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize("body", [b"", b"<html>no", b"<observations/>"])
def test_a_fault_of_alfred_is_one_sentence(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _: body) as library:
        monkeypatch.setenv("ROTATION_ALFRED_URL", library.address)
        library.fails("0" * 32, answer(body))
        (outcome,) = fetch([entry("UNRATE")])
    assert outcome.status == "failed"
    assert "nothing of UNRATE is stored" in outcome.said


def test_without_a_key_the_rule_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRED_API_KEY", raising=False)
    with serving(made) as library:
        monkeypatch.setenv("ROTATION_FRED_URL", f"{library.address}/fred")
        (outcome,) = fetch([entry("UNRATE")])
    assert outcome.status == "new"
    assert Store().read(Store().find("UNRATE")).announced is None


FOUND = b"""<seriess realtime_start="2026-01-01" realtime_end="2026-01-01" count="2">
<series id="BAMLH0A0HYM2" title="High Yield Spread" realtime_start="2026-01-01" realtime_end="2026-01-01"
 observation_start="1996-12-31" observation_end="2026-01-01" frequency="Daily, Close" units="Percent"
 last_updated="2026-01-02 08:00:00-06"/>
<series id="BAMLHYH0A0HYM2TRIV" title="High Yield &lt;i&gt; Total Return" realtime_start="2026-01-01"
 realtime_end="2026-01-01" observation_start="1996-12-31" observation_end="2026-01-01" frequency="Daily, Close"
 units="Index" last_updated="2026-01-02 08:00:00-06"/>
</seriess>"""


@pytest.mark.usefixtures("_key")
def test_freds_own_titles_are_searched_and_what_the_catalogue_has_is_not_said_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lambda _: FOUND) as library:
        monkeypatch.setenv("ROTATION_ALFRED_URL", library.address)
        assert dispatch("rotation", None, ["data", "search", "high", "yield"]) == 0
        said = capsys.readouterr().out
        assert "search_text=high+yield" in library.asked[-1]
    first, after = said.split("At FRED, and not in the catalogue")
    assert first.split()[0] == "BAMLH0A0HYM2"
    assert "BAMLHYH0A0HYM2TRIV  High Yield <i> Total Return (fred, daily, close)" in after
    assert after.count("BAMLH0A0HYM2 ") == 0


@pytest.mark.usefixtures("_key")
def test_where_fred_does_not_answer_what_the_catalogue_has_is_shown_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROTATION_ALFRED_URL", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=r"FRED's titles could not be searched: .*refused"):
        dispatch("rotation", None, ["data", "search", "high", "yield"])
    assert capsys.readouterr().out.split()[0] == "BAMLH0A0HYM2"


def test_without_a_key_nobody_is_asked_for_titles(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FRED_API_KEY", raising=False)
    with serving(lambda _: FOUND) as library:
        monkeypatch.setenv("ROTATION_ALFRED_URL", library.address)
        assert dispatch("rotation", None, ["data", "search", "high", "yield"]) == 0
        assert library.asked == []
    assert "At FRED" not in capsys.readouterr().out
