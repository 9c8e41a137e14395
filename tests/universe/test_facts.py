"""Facts as the SEC has them, and lists of companies: what was filed is known from its filing, by hand as well."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest.errors import DataError, UsageError
from backtest.universe.build import Rules
from backtest.universe.mapping import load_mapping
from backtest.universe.universe import Inputs, make_screen, make_universe
from tests.universe.made import companies, saved

SEC = ("sec_facts",)
YEARS = range(2017, 2021)


def _fact(end: str, filed: str, value: float, form: str = "10-K", start: str | None = None) -> dict[str, Any]:
    made = {
        "end": end,
        "filed": filed,
        "val": value,
        "form": form,
        "accn": f"0-{filed}",
        "fy": 2019,
        "fp": "FY",
    }
    return made if start is None else {**made, "start": start}


def _filer(number: int, seed: int) -> dict[str, Any]:
    """Return the companyfacts of a filer: annual reports with comparatives, quarters between, amendments, noise."""
    random = np.random.default_rng([seed, number])
    tags: dict[str, dict[str, list[dict[str, Any]]]] = {}

    def add(tag: str, unit: str, fact: dict[str, Any]) -> None:
        tags.setdefault(tag, {}).setdefault(unit, []).append(fact)

    for year in YEARS:
        filed = f"{year + 1}-{random.integers(2, 5):02}-{random.integers(1, 28):02}"
        for told in (year - 1, year):  # the year before stands beside this one, restated a little
            for tag in ("NetIncomeLoss", "Revenues"):
                value = float(random.integers(-20, 100)) * 1e6
                if random.random() < 0.9:
                    add(tag, "USD", _fact(f"{told}-12-31", filed, value, start=f"{told}-01-01"))
            add(
                "StockholdersEquity",
                "USD",
                _fact(f"{told}-12-31", filed, float(random.integers(1, 99)) * 1e6),
            )
        add("StockholdersEquity", "USD", _fact(f"{year}-06-30", filed, 1e12))  # of no year's end
        add(
            "NetIncomeLoss", "USD", _fact(f"{year}-12-31", filed, 2e12, start=f"{year}-10-01")
        )  # of a quarter
        add("NetIncomeLoss", "EUR", _fact(f"{year}-12-31", filed, 3e12, start=f"{year}-01-01"))
        middle = f"{year + 1}-08-{random.integers(1, 28):02}"
        add("StockholdersEquity", "USD", _fact(f"{year + 1}-06-30", middle, 4e12, "10-Q"))
        if random.random() < 0.5:
            change = f"{year + 1}-{random.integers(6, 12):02}-15"
            value = float(random.integers(-20, 100)) * 1e6
            add("NetIncomeLoss", "USD", _fact(f"{year}-12-31", change, value, "10-K/A", f"{year}-01-01"))
        add("EntityCommonStockSharesOutstanding", "shares",
            _fact(filed[:8] + "01", filed, float(random.integers(1, 9)) * 1e7))  # fmt: skip
    taxonomy = {tag: {"label": tag, "units": units} for tag, units in tags.items()}
    return {"cik": number, "entityName": f"Filer {number}", "facts": {"us-gaap": taxonomy, "dei": {}}}


def _known(filer: dict[str, Any], tag: str, date: pd.Timestamp) -> float:
    """Return a yearly figure as it was known on a date: of the latest year that any filing had told of by then.

    By lists alone: of that year the newest filing that says the figure counts.
    """
    day = f"{date:%Y-%m-%d}"
    annual = {
        name: [
            (f["end"], f["filed"], f["val"])
            for f in told["units"].get("USD", [])
            if f["form"] in ("10-K", "10-K/A") and f["filed"] <= day
            and ("start" not in f or (f["start"][5:] == "01-01" and f["end"][5:] == "12-31"))
        ]
        for name, told in filer["facts"]["us-gaap"].items()
    }  # fmt: skip
    ends = {(end, filed) for name in ("NetIncomeLoss", "Revenues") for end, filed, _ in annual[name]}
    if not ends:
        return float("nan")
    newest = max(end for end, _ in ends)
    if (date - pd.Timestamp(newest)).days > 550:
        return float("nan")
    said = [(filed, value) for end, filed, value in annual[tag] if (end, filed) in ends and end == newest]
    return max(said)[1] if said else float("nan")


@pytest.fixture(scope="module")
def filers() -> list[dict[str, Any]]:
    return [_filer(1000 + n, 5) for n in range(25)]


def _written(filers: list[dict[str, Any]], folder: Path, how: str) -> Path:
    """Write facts as single files in a folder, or as one zip; beside them the list of tickers."""
    rows = {
        str(n): {"cik_str": f["cik"], "ticker": f"C{n:04}", "title": "Of, Inc."} for n, f in enumerate(filers)
    }
    (folder / "company_tickers.json").write_text(json.dumps(rows))
    (folder / "facts").mkdir(exist_ok=True)
    for filer in filers:
        (folder / "facts" / f"CIK{filer['cik']:010}.json").write_text(json.dumps(filer))
    if how == "folder":
        return folder / "facts"
    with zipfile.ZipFile(folder / "companyfacts.zip", "w") as archive:
        for file in sorted((folder / "facts").iterdir()):
            archive.write(file, file.name)
    return folder / "companyfacts.zip"


def _table() -> pd.DataFrame:
    table = companies(25, 1100, seed=9, gaps=0.0)
    early = pd.bdate_range("2017-11-20", periods=1100)
    return table.assign(date=table["date"].map(dict(zip(sorted(table["date"].unique()), early, strict=True))))


@pytest.mark.parametrize("how", ["folder", "zip"])
def test_every_figure_is_the_one_known_on_its_day(
    filers: list[dict[str, Any]], tmp_path: Path, how: str
) -> None:
    facts = _written(filers, tmp_path, how)
    inputs = Inputs(saved(_table(), tmp_path), mapping=SEC, fundamentals=(facts,),
                    about=(tmp_path / "company_tickers.json",))  # fmt: skip
    seen = 0
    for date in ("2018-03-30", "2018-08-31", "2019-04-30", "2020-10-30"):
        screened, _ = make_screen(inputs, Rules(), date)
        for row in screened.to_dict("records"):
            filer = filers[int(row["company"][1:])]
            day = pd.Timestamp(date)
            assert row["earnings"] == pytest.approx(_known(filer, "NetIncomeLoss", day), nan_ok=True)
            for ratio, tag in (("ps", "Revenues"), ("pb", "StockholdersEquity")):
                figure = _known(filer, tag, day)
                by_hand = row["capitalisation"] / figure if figure > 0.0 else float("nan")
                assert row[ratio] == pytest.approx(by_hand, nan_ok=True)
            seen += bool(row["earnings"] == row["earnings"])
    assert seen > 50


def test_what_is_filed_later_changes_nothing_before(filers: list[dict[str, Any]], tmp_path: Path) -> None:
    table, found = saved(_table(), tmp_path), []
    later = json.loads(json.dumps(filers))
    for filer in later:
        for tag in filer["facts"]["us-gaap"].values():
            for fact in (f for unit in tag["units"].values() for f in unit if f["filed"] > "2019-05-31"):
                fact["val"] = 7e5
    for number, told in enumerate((filers, later)):
        place = tmp_path / str(number)
        place.mkdir()
        facts = _written(told, place, "folder")
        inputs = Inputs(table, mapping=SEC, fundamentals=(facts,), about=(place / "company_tickers.json",))
        found.append(make_universe(inputs, Rules()).valuation)
    first, second = (v[v["date"] <= "2019-05-31"].reset_index(drop=True) for v in found if v is not None)
    pd.testing.assert_frame_equal(first, second)
    assert first["pe"].notna().sum() > 10


@pytest.mark.parametrize("split", [False, True])
def test_capitalisations_are_made_of_prices_and_of_shares_as_filed(
    filers: list[dict[str, Any]], tmp_path: Path, split: bool
) -> None:
    facts = _written(filers, tmp_path, "zip")
    table = _table().drop(columns="shares")
    if split:
        random = np.random.default_rng(2)
        table["split"] = np.where(random.random(len(table)) < 0.004, 2.0, np.nan)
    table["filer"] = [str(1000 + int(c[1:])).zfill(10) for c in table["company"]]  # no list is needed
    inputs = Inputs(saved(table, tmp_path), mapping=SEC, fundamentals=(facts,))
    universe = make_universe(inputs, Rules(), members=True)
    assert universe.members is not None
    assert len(universe.members) > 300
    rows = table.set_index(["company", "date"]).sort_index()
    for member in universe.members.to_dict("records"):
        date, company = member["date"], member["company"]
        told = filers[int(company[1:])]["facts"]["us-gaap"]["EntityCommonStockSharesOutstanding"]
        known = [f for f in told["units"]["shares"] if f["filed"] <= f"{date:%Y-%m-%d}"]
        newest = max(known, key=lambda f: (f["end"], f["filed"]))
        own = rows.loc[company]
        shares = newest["val"]
        if split:
            since = own["split"][(own.index > newest["end"]) & (own.index <= date)]
            shares *= since.fillna(1.0).prod()
        assert member["capitalisation"] == pytest.approx(own.loc[date, "price"] * shares, rel=1e-9)
    (early,) = [a for a in universe.set_aside if a.reason == "no shares"]
    first = min(f["filed"] for f in filers[0]["facts"]["us-gaap"]["EntityCommonStockSharesOutstanding"]
                ["units"]["shares"])  # fmt: skip
    assert early.rows > 0
    assert universe.members[universe.members["company"] == "C0000"]["date"].min() >= pd.Timestamp(first)


def test_industries_come_from_a_list_that_a_second_one_explains(tmp_path: Path) -> None:
    (tmp_path / "companies.csv").write_text(
        "Ticker;SimFinId;Company Name;IndustryId;CIK\nS0001_delisted;1;Old;9;1\nS0001;2;New;7;2\nS0002;3;Two;8;3\n"
    )
    (tmp_path / "industries.csv").write_text("IndustryId;Industry;Sector\n7;Tools;X\n8;It's; Y\n9;Old;Z\n")
    days = pd.bdate_range("2019-11-18", "2020-02-28")
    index = pd.MultiIndex.from_product([days, ["S0000", "S0001", "S0002"]], names=["date", "company"])
    table = pd.DataFrame({"capitalisation": 1e9, "industry": "of the table"}, index=index).reset_index()
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(
        "Ticker;Publish Date;Report Date;Currency;Revenue\nS0001;2019-12-02;2019-11-30;USD;5e6\n"
    )
    inputs = Inputs(saved(table, tmp_path), mapping=("simfin",), fundamentals=(accounts,),
                    about=(tmp_path / "companies.csv", tmp_path / "industries.csv"))  # fmt: skip
    screened, _ = make_screen(inputs, Rules(), None)
    told = screened.set_index("company")["industry"].to_dict()
    assert told == {"S0000": "of the table", "S0001": "Tools", "S0002": "It's"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "facts.json is not a file of companyfacts"),
        (
            '{"cik": 1, "facts": {"us-gaap": {"NetIncomeLoss": {"units": {"USD": [{"val": "x"}]}}}}}',
            "is not a file of",
        ),
        ('{"cik": 1, "facts": {"us-gaap": []}}', "is not a file of companyfacts"),
        ('{"cik": 1, "facts": {"us-gaap": {"Goodwill": {"units": {}}}}}', "none of the figures"),
        ("\xff", "is not a file of companyfacts"),
    ],
)
def test_what_are_no_facts_is_said_in_a_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "facts.json").write_bytes(content.encode("latin-1"))
    inputs = Inputs(saved(companies(5, 60), tmp_path), mapping=SEC, fundamentals=(tmp_path / "facts.json",))
    with pytest.raises(DataError, match=sentence):
        make_universe(inputs, Rules())


def test_hostile_names_of_facts_and_units_stay_words(filers: list[dict[str, Any]], tmp_path: Path) -> None:
    wild = json.loads(json.dumps(filers[0]))
    tag = wild["facts"]["us-gaap"]["NetIncomeLoss"]
    tag["units"]["'; DROP TABLE lines; --"] = tag["units"].pop("EUR")
    wild["cik"] = "1'); DROP TABLE lines; --"
    (tmp_path / "CIK1.json").write_text(json.dumps(wild))
    inputs = Inputs(saved(_table(), tmp_path), mapping=SEC, fundamentals=(tmp_path / "CIK1.json",))
    universe = make_universe(inputs, Rules())
    aside = {a.reason: a for a in universe.set_aside}
    assert aside["facts in another unit than USD"].examples == ("'; DROP TABLE lines; --",)
    assert aside["accounts of companies that the table of companies does not have"].rows > 0


def test_a_mapping_of_facts_is_held_to_tags(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    for content, sentence in (
        ("annual_forms = ['10-K']\n[facts]\nearnings = \"a') OR 1=1\"\n", "is no tag of facts"),
        ('[facts]\nearnings = "NetIncomeLoss"\n', "lacks annual_forms"),
        ('annual_forms = ["10-K"]\n[facts]\nearnigs = "NetIncomeLoss"\n', "did you mean 'earnings'"),
    ):
        own.write_text(content)
        with pytest.raises((DataError, UsageError), match=sentence):
            load_mapping(str(own))
    both = load_mapping("us_screener", "simfin", "sec_facts".replace("sec_facts", "us_screener"))
    assert both.fundamentals["sales"] == "Revenue"
    assert both.fundamentals_company == {"-": "/", "_.*$": ""}
    assert both.columns["country"] == "country"
