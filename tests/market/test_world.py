"""The world's markets, from the original files by the real download code: policy rates as decisions, size portfolios."""

from __future__ import annotations

import csv
import io
import os
import tomllib
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from backtest.dates import Fills
from backtest.errors import DataError, UsageError
from backtest.market.catalogue import catalogue, entry, policy_rates
from backtest.market.fetch import fetch, to_fetch, verify
from backtest.market.importing import Description, import_file
from backtest.market.load import load_market, load_series
from backtest.market.reading import table_of
from backtest.runs import run
from backtest.signals.policy import PolicyRate
from tests.conftest import REPOSITORY
from tests.market.server import Library, answer, from_folder, serving, zipped

SHARED = Path(os.environ.get("ROTATION_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
WORLD = SHARED / "world"
REGIONS = {
    "japan": "Japan",
    "europe": "Europe",
    "asia_pacific": "Asia_Pacific_ex_Japan",
    "north_america": "North_America",
}
RATES = "WS_CBPOL_csv_col"

original = pytest.mark.skipif(not WORLD.is_dir(), reason=f"the original files are not here: {WORLD}")


@pytest.fixture(scope="module")
def world_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "store"
    with serving(from_folder(SHARED)) as running:
        with mock.patch.dict(os.environ, {**running.environment, "ROTATION_DATA": str(folder)}):
            outcomes = fetch(to_fetch([*REGIONS, "emerging", RATES]))
        asked = running.asked
    assert {outcome.status for outcome in outcomes} == {"new"}, [o for o in outcomes if o.status != "new"]
    assert asked.count(f"{RATES}.zip") == 1
    return folder


@pytest.fixture
def world(world_store: Path, monkeypatch: pytest.MonkeyPatch, store_folder: Path) -> Path:
    assert store_folder != world_store
    monkeypatch.setenv("ROTATION_DATA", str(world_store))
    return world_store


def _fama_french(region: str, kind: str) -> dict[str, dict[str, float]]:
    """Return the published table by month, read without our code."""
    with (WORLD / "french" / f"{region}_{kind}.csv").open() as file:
        rows = [{k.strip(): v.strip() for k, v in row.items()} for row in csv.DictReader(file)]
    return {row["Date"]: {k: float(v) for k, v in row.items() if k != "Date"} for row in rows}


@original
@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("market", REGIONS)
def test_smb_and_hml_of_the_sleeves_are_the_published_factors(market: str) -> None:
    bars = load_market(market).bars
    factors = _fama_french(REGIONS[market], "3_Factors")
    six = _fama_french(REGIONS[market], "6_Portfolios_ME_BE-ME")
    months = [str(day)[:7].replace("-", "") for day in bars.dates]
    assert months == list(factors)
    smb = 100.0 * (bars.column("small") - bars.column("large"))
    assert smb == pytest.approx([factors[month]["SMB"] for month in months], abs=0.02 + 1e-9)
    hml = 100.0 * (bars.column("value") - bars.column("growth"))
    assert hml == pytest.approx([factors[month]["HML"] for month in months], abs=0.02 + 1e-9)
    small = [np.mean([six[m][name] for name in ("SMALL LoBM", "ME1 BM2", "SMALL HiBM")]) for m in months]
    assert 100.0 * bars.column("small") == pytest.approx(small, abs=1e-12)
    held = [factors[month]["Mkt-RF"] + factors[month]["RF"] for month in months]
    assert 100.0 * bars.column("market") == pytest.approx(held, abs=1e-12)


@original
def test_the_25_portfolios_of_regions_are_those_of_the_files() -> None:
    """Monthly of every region, and daily of one: each cell, and headers by name."""
    names = [f"{region}_25_Portfolios_ME_BE-ME" for region in REGIONS.values()]
    with serving(from_folder(SHARED)) as running, mock.patch.dict(os.environ, running.environment):
        outcomes = fetch(to_fetch([*names, "Japan_25_Portfolios_ME_BE-ME_Daily"]))
    assert {outcome.status for outcome in outcomes} == {"new"}, outcomes
    for name, region in zip(names, REGIONS.values(), strict=True):
        table, published = table_of(entry(name)), _fama_french(region, "25_Portfolios_ME_BE-ME")
        assert [str(day)[:7].replace("-", "") for day in table.dates] == list(published)
        rows = [[row[column] for column in table.columns] for row in published.values()]
        assert np.where(np.isnan(table.values), -99.99, table.values).tolist() == rows
    table = table_of(entry("Japan_25_Portfolios_ME_BE-ME_Daily"))
    with zipfile.ZipFile(WORLD / "french" / "Japan_25_Portfolios_ME_BE-ME_Daily.zip") as packed:
        head, *lines = packed.read(packed.namelist()[0]).decode().splitlines()
    assert tuple(head.split(",")[1:]) == table.columns
    rows = [[float(cell) for cell in line.split(",")] for line in lines if line.strip()]
    assert [int(str(day).replace("-", "")) for day in table.dates] == [int(row[0]) for row in rows]
    assert np.where(np.isnan(table.values), -99.99, table.values).tolist() == [row[1:] for row in rows]


@original
@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("market", [*REGIONS, "emerging"])
def test_rate_cut_runs_on_every_region(market: str) -> None:
    result = run("rate_cut", market)
    assert result.market.proxy
    assert len(result.returns) >= 300
    assert result.metrics["switches"] >= 4


# When decisions were announced, and the rate after them, as the banks' own releases have it.
ANNOUNCED = {
    "US": {"2001-01-03": 6.0, "2007-09-18": 4.75, "2015-12-16": 0.375, "2019-07-31": 2.125, "2020-03-03": 1.125, "2020-03-15": 0.125},
    "GB": {"2007-12-06": 5.5, "2008-10-08": 4.5, "2016-08-04": 0.25, "2020-03-11": 0.25, "2024-08-01": 5.0},
    "CA": {"2001-01-23": 5.5, "2007-12-04": 4.25, "2015-01-21": 0.75, "2020-03-04": 1.25, "2024-06-05": 4.75, "2024-07-24": 4.5},
    "AU": {"2001-02-07": 5.75, "2008-09-02": 7.0, "2011-11-01": 4.5, "2019-06-04": 1.25, "2020-03-03": 0.5},
    "NZ": {"2001-03-14": 6.25, "2008-07-24": 8.0, "2015-06-11": 3.25, "2019-05-08": 1.5, "2024-08-14": 5.25},
    "CH": {"2001-03-22": 3.25, "2008-10-08": 2.5, "2015-01-15": -0.75, "2022-06-16": -0.25, "2024-03-21": 1.5},
    "NO": {"2001-12-12": 6.5, "2008-10-15": 5.25, "2011-12-14": 1.75, "2019-03-21": 1.0, "2023-12-14": 4.5},
    "SE": {"2008-10-08": 4.25, "2008-10-23": 3.75, "2018-12-20": -0.25, "2019-12-19": 0.0, "2024-05-08": 3.75},
    "JP": {"2001-02-28": 0.15, "2006-07-14": 0.25, "2008-10-31": 0.3, "2024-03-19": 0.05, "2024-07-31": 0.25},
    "KR": {"2001-02-08": 5.0, "2008-10-27": 4.25, "2019-07-18": 1.5, "2024-10-11": 3.25},
}  # fmt: skip

# The Governing Council's decisions on the main refinancing rate; in 2024-09 it is the deposit rate that was cut by 0.25.
COUNCIL_BY_YEAR = {
    "1999": "04-08 11-04",
    "2000": "02-03 03-16 04-27 06-08 08-31 10-05",
    "2001": "05-10 08-30 09-17 11-08",
    "2002": "12-05",
    "2003": "03-06 06-05",
    "2005": "12-01",
    "2006": "03-02 06-08 08-03 10-05 12-07",
    "2007": "03-08 06-06",
    "2008": "07-03 10-08 11-06 12-04",
    "2009": "01-15 03-05 04-02 05-07",
    "2011": "04-07 07-07 11-03 12-08",
    "2012": "07-05",
    "2013": "05-02 11-07",
    "2014": "06-05 09-04",
    "2016": "03-10",
    "2022": "07-21 09-08 10-27 12-15",
    "2023": "02-02 03-16 05-04 06-15 07-27 09-14",
    "2024": "06-06 09-12 10-17",
}
COUNCIL = [f"{year}-{day}" for year, days in COUNCIL_BY_YEAR.items() for day in days.split()]


def _moves(area: str) -> list[tuple[str, float, float]]:
    """Return the changes of a bank's rate: the day known, the change and the level after it."""
    rate = load_series(f"CBPOL_{area}")
    at = np.flatnonzero(np.abs(np.diff(rate.values)) > 1e-9) + 1
    return [
        (str(rate.known_at[i]), float(rate.values[i] - rate.values[i - 1]), float(rate.values[i])) for i in at
    ]


@original
@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("area", ANNOUNCED)
def test_decisions_are_known_when_they_were_announced(area: str) -> None:
    found = {day: level for day, _, level in _moves(area)}
    assert {day: found.get(day) for day in ANNOUNCED[area]} == ANNOUNCED[area]


@original
@pytest.mark.usefixtures("world")
def test_the_councils_decisions_are_known_in_their_month_and_never_before() -> None:
    moves = _moves("XM")
    assert len(moves) == len(COUNCIL)
    for (known, _, _), announced in zip(moves, COUNCIL, strict=True):
        late = (np.datetime64(known) - np.datetime64(announced)).astype(int)
        assert 0 <= late <= 3, (known, announced)
        assert known[:7] == announced[:7]
    assert moves[-2][0] <= "2024-09-13"
    assert moves[-2][1] == pytest.approx(-0.25)  # 0.75 on paper


@original
@pytest.mark.usefixtures("world")
def test_the_words_of_the_file_are_quoted() -> None:
    """Each bank's row rests on the file's own words."""
    with zipfile.ZipFile(WORLD / "bis" / f"{RATES}.zip") as archive:
        text = archive.read(archive.namelist()[0]).decode()
    csv.field_size_limit(10**6)
    header, *rows = csv.reader(io.StringIO(text))
    area, frequency = header.index("REF_AREA"), header.index("FREQ")
    words = [header.index(name) for name in ("COMPILATION", "SUPP_INFO_BREAKS")]
    said = {row[area]: " ".join(row[i] for i in words) for row in rows if row[frequency] == "D"}
    banks = tomllib.loads((REPOSITORY / "data" / "policy_rates.toml").read_text(encoding="utf-8"))
    assert set(banks) == set(said)
    assert [code for code, bank in banks.items() if bank["said"] not in said[code]] == []


@original
@pytest.mark.usefixtures("world")
def test_a_seam_is_no_decision() -> None:
    for area, day in (("CH", "2000-01-03"), ("ID", "2016-08-19"), ("CN", "2019-08-20"), ("DK", "1992-04-01")):
        assert day not in [known for known, _, _ in _moves(area)], area
        rate = table_of(entry(f"CBPOL_{area}"))
        at = int(np.searchsorted(rate.dates, np.datetime64(day)))
        assert rate.values[at, 0] != rate.values[at - 1, 0]  # on paper it is one


@original
@pytest.mark.usefixtures("world")
def test_a_time_without_a_rate_is_not_known() -> None:
    rate = load_series("CBPOL_JP")
    assert [str(day) for day in rate.anew] == ["2000-08-11", "2006-03-09", "2016-09-21"]
    fills = Fills(load_market("japan").bars.dates)
    moved = PolicyRate(fills, rate).moved(-1.0, np.array([[0.0]]))[0]
    assert not {"2006-03-09", "2016-09-21"} & {str(day) for day in rate.known_at[1:][moved]}
    cuts = [str(day) for day in PolicyRate(fills, rate).first_cuts(12, 0.1).dates()]
    assert "2001-02-28" not in cuts  # six months after the rate was there again
    assert "2001-02-28" in [str(day) for day in PolicyRate(fills, rate).first_cuts(6, 0.1).dates()]


@original
@pytest.mark.usefixtures("world")
def test_first_cuts_by_a_slow_loop() -> None:
    fills = Fills(load_market("europe").bars.dates)
    for area in ("XM", "GB", "AU", "CA", "SE"):
        rate = load_series(f"CBPOL_{area}")
        moves, begin = _moves(area), rate.known_at[0]
        cuts = [np.datetime64(day) for day, change, _ in moves if change <= -0.25 + 1e-9]
        expected = []
        for day in cuts:
            year, month = str(day)[:4], str(day)[4:]
            before = np.datetime64(f"{int(year) - 1}{month}") if month != "-02-29" else day - 366
            if begin <= before and not any(before < other < day for other in cuts):
                expected.append(str(day))
        found = [str(day) for day in PolicyRate(fills, rate).first_cuts(12, 0.25).dates()]
        assert found == expected, area


def test_every_bank_is_there_or_says_why_not() -> None:
    banks = tomllib.loads((REPOSITORY / "data" / "policy_rates.toml").read_text(encoding="utf-8"))
    assert len(banks) == 46
    assert {code for code, bank in banks.items() if "never" in bank} == {"AR", "HR", "MK"}
    assert len(policy_rates()) == 43
    assert set(policy_rates()) <= set(catalogue())


FAULTS = {
    "no zip": (b"FREQ,REF_AREA\n", "it is not a zip file"),
    "an error page": (b"<html>no</html>", "it is an HTML page"),
    "no header": (zipped("x.csv", b"a,b\n1,2\n"), "no FREQ, no REF_AREA or no days"),
    "no row": (zipped("x.csv", b"FREQ,REF_AREA,2000-01-03\nD,US,5.5\n"), "no whole daily row"),
    "text for a number": (zipped("x.csv", b"FREQ,REF_AREA,2000-01-03\nD,GB,n/k\n"), "'n/k' for a number"),
    "a rate of 2000%": (zipped("x.csv", b"FREQ,REF_AREA,2000-01-03\nD,GB,2000\n"), "no possible percent"),
    "cut short": (zipped("x.csv", b"FREQ,REF_AREA,2000-01-03,2000-01-04\nD,GB,5\n"), "no whole daily row"),
    "empty": (zipped("x.csv", b"FREQ,REF_AREA,2000-01-03\nD,GB,\n"), "it has no value"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_archive_is_one_sentence_and_stores_nothing(fault: str, library: Library) -> None:
    content, said = FAULTS[fault]
    library.fails(f"{RATES}.zip", answer(content))
    (outcome,) = fetch([entry("CBPOL_GB")])
    assert outcome.status == "failed"
    assert said in outcome.said, outcome.said
    assert verify() == []


@original
def test_the_countries_are_brought() -> None:
    book = WORLD / "aqr" / "Betting Against Beta Equity Factors Monthly.xlsx"
    outcome = import_file(book, Description("AQR_SMB"))
    assert (outcome.status, outcome.last) == ("new", "2026-03-31")
    table = table_of(entry("AQR_SMB"))
    with (WORLD / "aqr" / "SMB.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [str(day) for day in table.dates] == [row["DATE"] for row in rows]
    for i, country in enumerate(table.columns):
        kept = [float(row[country]) if row[country] else np.nan for row in rows]
        assert table.values[:, i] == pytest.approx(kept, abs=1e-9, nan_ok=True), country


def test_what_is_no_such_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(b"DATE,AUS\n")
    with pytest.raises(DataError, match=r"book\.xlsx was refused: it is not a workbook"):
        import_file(path, Description("AQR_SMB"))
    (outcome,) = fetch([entry("AQR_SMB")])
    assert (
        "bring it: rotation data import 'Betting Against Beta Equity Factors Monthly.xlsx' --id AQR_SMB"
        in outcome.said
    )


def test_a_bank_that_never_decided_is_told() -> None:
    with pytest.raises(UsageError) as told:
        entry("CBPOL_AR")
    assert str(told.value) == (
        "there is no series 'CBPOL_AR': no bank decided what is collected of Argentina: averages of auctions "
        "and of a corridor, not a rate that was set"
    )


def test_another_series_of_the_catalogue_is_not_brought(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the catalogue has a series 'CBPOL_GB' already"):
        import_file(tmp_path / "x.csv", Description("CBPOL_GB", "rate", "percent"))
    with pytest.raises(UsageError, match="say what MINE is with --kind"):
        import_file(tmp_path / "x.csv", Description("MINE"))
