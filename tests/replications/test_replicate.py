"""Printed figures and ours: from the original files by the real download code, and beside plain pandas."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
from pathlib import Path
from unittest import mock

import arch
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from backtest.errors import DataError, UsageError
from backtest.market.fetch import fetch, to_fetch
from backtest.market.importing import Description, import_file
from backtest.replications.definition import PrintedCases, printed
from backtest.replications.replicate import Figure, Replications, replicate
from backtest.replications.statistics import STATISTICS, Sample
from backtest.reporting.replication_page import replication_page
from backtest.reporting.terminal import words_of
from tests.cli.test_command import assert_sentence, rotation
from tests.conftest import REPOSITORY
from tests.market.server import from_folder, serving
from tests.market.shiller import consumer_prices

SHARED = Path(os.environ.get("ROTATION_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
WORKBOOK = SHARED / "world" / "shiller" / "ie_data.xls"
REGIONS = {"europe": "Europe", "japan": "Japan", "asia-pacific": "Asia_Pacific_ex_Japan"}
SCHRODERS = ["CPIAUCNS", "Portfolios_Formed_on_ME"]
FACTORS = ["F-F_Research_Data_Factors", *(f"{region}_3_Factors" for region in REGIONS.values())]

original = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the original files are not here: {SHARED}")


def _served(name: str) -> bytes | None:
    """Return a file as its server gives it; FRED's consumer prices are those of Shiller's table, which has them."""
    if name != "CPIAUCNS":
        return from_folder(SHARED)(name)
    prices = {month: cpi for month, cpi in consumer_prices(WORKBOOK).items() if "1913" <= month < "2025-10"}
    rows = "".join(f"{month}-01,{cpi}\n" for month, cpi in prices.items())
    return f"observation_date,CPIAUCNS\n{rows}".encode()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replications") / "store"
    with (
        serving(_served) as running,
        mock.patch.dict(os.environ, {**running.environment, "ROTATION_DATA": str(folder)}),
    ):
        outcomes = fetch(to_fetch([*FACTORS, *SCHRODERS]))
    assert {outcome.status for outcome in outcomes} == {"new"}, outcomes
    return folder


@pytest.fixture(scope="module")
def found(store: Path) -> Replications:
    with mock.patch.dict(os.environ, {"ROTATION_DATA": str(store)}):
        return replicate()


def _raw(name: str, folder: str) -> pd.DataFrame:
    """Return the first monthly table of a file of the library, read without our code."""
    text = (SHARED / folder / f"{name}.csv").read_text()
    rows = [line.split(",") for line in re.findall(r"^\s*\d{6}\s*,[^\r\n]*", text, re.MULTILINE)]
    months = pd.PeriodIndex([f"{m.strip()[:4]}-{m.strip()[4:]}" for m, *_ in rows], freq="M")
    frame = pd.DataFrame([[float(x) for x in values] for _, *values in rows], index=months)
    return frame[~frame.index.duplicated()]


def _older() -> pd.DataFrame:
    with gzip.open(Path(arch.__file__).parent / "data" / "frenchdata" / "frenchdata.csv.gz") as file:
        frame = pd.read_csv(file)
    frame.index = pd.PeriodIndex([f"{m // 100}-{m % 100:02d}" for m in frame.pop("Date")], freq="M")
    return frame


def _ours(found: Replications, table: str) -> dict[str, Figure]:
    return {figure.what: figure for each in found.each if each.name == table for figure in each.figures}


def _independent(smb: pd.Series, market: pd.Series) -> dict[str, float]:
    line = sm.OLS(smb.to_numpy(), sm.add_constant(market.to_numpy())).fit()
    mean = stats.ttest_1samp(smb, 0.0)
    return {
        "mean, % a month": smb.mean(),
        "mean, % a year": 12 * smb.mean(),
        "volatility, % a year": smb.std() * np.sqrt(12),
        "mean, t": mean.statistic,
        "Sharpe ratio": smb.mean() / smb.std() * np.sqrt(12),
        "alpha, % a month": line.params[0],
        "alpha, % a year": 12 * line.params[0],
        "alpha, t": line.tvalues[0],
        "beta": line.params[1],
    }


@original
@pytest.mark.parametrize("table", ["alquist-2018", "blitz-2020-us"])
def test_figures_of_the_united_states_are_those_of_pandas_and_statsmodels(
    found: Replications, table: str
) -> None:
    about, ours = printed().tables[table], _ours(found, table)
    whole, older = _raw("F-F_Research_Data_Factors", "french"), _older()
    sample = whole[about.first : about.last]
    assert len(ours) == 5
    expected = _independent(sample[1], sample[0])
    assert {what: figure.ours for what, figure in ours.items()} == pytest.approx(
        {what: expected[what] for what in ours}, abs=1e-10
    )
    until = older.index[-1]
    smb = pd.concat([older["SMB"], whole[1][whole.index > until]])[about.first : about.last]
    market = pd.concat([older["Mkt-RF"], whole[0][whole.index > until]])[about.first : about.last]
    expected = _independent(smb, market)
    assert {what: figure.other for what, figure in ours.items()} == pytest.approx(
        {what: expected[what] for what in ours}, abs=1e-10
    )


@original
@pytest.mark.parametrize("region", REGIONS)
def test_means_of_regions_are_those_of_the_files(found: Replications, region: str) -> None:
    smb = _raw(f"{REGIONS[region]}_3_Factors", "world/french")[1]["1990-07":"2019-12"]
    figure = _ours(found, f"blitz-2020-{region}")["mean, % a month"]
    assert figure.ours == pytest.approx(smb.mean(), abs=1e-10)
    assert f"{smb.mean():.2f}" == figure.printed
    assert figure.agrees


@original
def test_january_is_that_of_scipy(found: Replications) -> None:
    smb = _raw("F-F_Research_Data_Factors", "french")[1]["1927-01":"2012-12"]
    ours = _ours(found, "zakamulin-2014")
    for what, part in (
        ("mean", smb),
        ("mean of January", smb[smb.index.month == 1]),
        ("mean of other months", smb[smb.index.month != 1]),
    ):
        level = next(f for name, f in ours.items() if name.startswith(f"{what}, %"))
        assert level.ours == pytest.approx(part.mean(), abs=1e-10)
        assert ours[f"{what}, p"].ours == pytest.approx(stats.ttest_1samp(part, 0.0).pvalue, abs=1e-10)


def _real(returns: pd.Series, prices: dict[str, float], month: str) -> float:
    start = pd.Period(month, "M")
    year = returns[start + 1 : start + 12]
    assert len(year) == 12
    return 100.0 * ((1.0 + year / 100.0).prod() / (prices[str(start + 12)] / prices[month]) - 1.0)


@original
def test_real_returns_after_first_cuts_are_those_of_the_files(found: Replications) -> None:
    (each,) = (each for each in found.each if each.name == "schroders-2024")
    about = each.about
    assert isinstance(about, PrintedCases)
    prices, factors = consumer_prices(WORKBOOK), _raw("F-F_Research_Data_Factors", "french")
    largest = _raw("Portfolios_Formed_on_ME", "world/french")[3]
    market = {month: _real(factors[0] + factors[3], prices, month) for month in about.after}
    large = {month: _real(largest, prices, month) for month in about.after}
    assert [figure.ours for figure in each.cases] == pytest.approx(list(market.values()), abs=1e-9)
    assert [figure.other for figure in each.cases] == pytest.approx(list(large.values()), abs=1e-9)
    assert [figure.agrees for figure in each.cases] == [
        round(value) == int(about.after[month]) for month, value in market.items()
    ]
    recession = [month in about.recessions for month in about.after]
    values = np.array(list(market.values()))
    assert [figure.ours for figure in each.figures] == pytest.approx(
        [values.mean(), values[~np.array(recession)].mean(), values[recession].mean()]
    )
    assert sum(recession) == 16  # as the print says
    off = {
        name: np.mean([abs(v[m] - int(about.after[m])) for m in v])
        for name, v in (("all", market), ("large", large))
    }
    assert f"{off['large']:.1f} points off on average, the whole market {off['all']:.1f}" in about.differs
    assert (
        f"that of the 22 figures as printed is {np.mean(list(map(int, about.after.values()))):.1f}"
        in about.note
    )
    assert [month for month in ("1933-03", "1982-04", "2019-07") if market[month] > large[month] + 1.0] == [
        "1933-03",
        "1982-04",
    ]
    assert market["2019-07"] < large["2019-07"] - 1.0


@original
def test_what_is_said_of_differences_is_so(found: Replications) -> None:
    """The sentences of the file that have figures."""
    ours = _ours(found, "blitz-2020-us")
    mean = ours["mean, % a month"]
    assert f"{mean.other - mean.ours:.3f}" == "0.013"
    assert all(abs(figure.other - float(figure.printed)) < 0.01 for figure in ours.values())
    newer, older = _raw("F-F_Research_Data_Factors", "french")[1], _older()["SMB"]
    moved = (older - newer).dropna().abs()
    assert moved["2000-04"] == pytest.approx(1.75)
    assert moved["1963-07":].idxmax() == pd.Period("2000-04", "M")
    mean = _ours(found, "zakamulin-2014")["mean, % a month"]
    assert f"{mean.other - mean.ours:.2f}" == "0.01"
    differ = [each.name for each in found.each if not each.agrees]
    assert differ == ["blitz-2020-us", "zakamulin-2014", "schroders-2024"]
    assert all(each.about.differs for each in found.each if not each.agrees)


def test_a_difference_is_said_with_one_digit_more_than_the_print() -> None:
    assert Figure.of("mean", "0.19", 0.185).agrees
    assert not Figure.of("mean", "0.19", 0.1849).agrees
    assert Figure.of("mean", "-33", -33.49).agrees
    assert Figure.of("mean", "-0.3", -0.25).agrees
    assert not Figure.of("mean", "-0.3", 0.3).agrees
    assert Figure.of("mean", "11", 10.2).difference == pytest.approx(-0.8)


def test_statistics_are_those_of_scipy_and_statsmodels_on_made_returns() -> None:
    random = np.random.default_rng(11)
    market = pd.Series(random.standard_t(4, 400))
    smb = 0.1 + 0.2 * market + pd.Series(random.standard_t(4, 400))
    sample = Sample(np.arange(400) % 12 + 1, smb.to_numpy(), market.to_numpy())
    expected = _independent(smb, market)
    for part, chosen in (("january", sample.months == 1), ("other_months", sample.months != 1)):
        expected[STATISTICS[part].label] = smb[chosen].mean()
        expected[STATISTICS[f"{part}_p"].label] = stats.ttest_1samp(smb[chosen], 0.0).pvalue
    expected["mean, p"] = stats.ttest_1samp(smb, 0.0).pvalue
    assert {each.label: each.of(sample) for each in STATISTICS.values()} == pytest.approx(expected, abs=1e-12)


def test_statistics_of_a_line_are_exact() -> None:
    market = np.array([1.0, -2.0, 3.0, 0.5, -1.0, 2.0])
    sample = Sample(np.arange(1, 7), 0.25 + 2.0 * market, market)
    assert STATISTICS["alpha"].of(sample) == pytest.approx(0.25)
    assert STATISTICS["alpha_year"].of(sample) == pytest.approx(3.0)
    assert STATISTICS["beta"].of(sample) == pytest.approx(2.0)
    assert STATISTICS["january"].of(sample) == pytest.approx(2.25)
    assert STATISTICS["other_months"].of(sample) == pytest.approx(0.25 + 2.0 * 0.5)


@original
def test_the_page_says_what_agrees_what_differs_and_what_is_missing(found: Replications) -> None:
    said = " ".join(
        words_of(part)
        for block in replication_page(found).blocks
        for part in (
            *getattr(block, "sentences", ()),
            getattr(block, "said", ""),
            getattr(block, "words", ""),
        )
    )
    assert (
        "12 of 22 printed figures are ours to the digits that are printed. Of single cases 4 of 22 are."
        in said
    )
    assert "SMB of April 2000 alone moved by 1.75 points" in said
    assert "Journal of Portfolio Management 45(1), exhibit 1." in said
    assert "Not reproduced" in said


@original
def test_the_command_prints_writes_and_answers_in_json(store: Path, tmp_path: Path) -> None:
    done = rotation(tmp_path, "replicate", "alquist-2018", ROTATION_DATA=str(store))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5 of 5 printed figures are ours")
    report = Path(done.stdout.splitlines()[-1].removeprefix("Report: "))
    assert sorted(p.name for p in report.iterdir()) == ["index.html", "replications.json"]
    done = rotation(tmp_path, "replicate", "blitz-2020", "--json", "--out", "here", ROTATION_DATA=str(store))
    document = json.loads(done.stdout)
    assert document == json.loads((tmp_path / "here" / "replications.json").read_text())
    assert [each["table"] for each in document["tables"]][:2] == ["blitz-2020-us", "blitz-2020-europe"]
    assert (document["figures"], document["agree"]) == (8, 4)
    first = document["tables"][0]["figures"][0]
    assert {"printed": "0.19", "digits": 2, "agrees": False}.items() <= first.items()
    assert document["tables"][1]["figures"][0]["other"] is None
    assert document["data"]["series"].keys() == {*FACTORS, "SMB", "MKT_RF"}


@original
def test_the_documents_table_is_what_the_command_gives(found: Replications) -> None:
    text = (REPOSITORY / "docs" / "replications.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    expected = []
    for each in found.each:
        for figure in (*each.figures, *each.cases):
            digits = figure.digits + 1
            other = "-" if np.isnan(figure.other) else f"{figure.other:.{digits}f}"
            verdict = "agrees" if figure.agrees else f"{figure.difference:+.{digits}f}"
            ours = f"{figure.ours:.{digits}f}"
            expected.append([f"`{each.name}`", figure.what, figure.printed, ours, verdict, other])
    assert rows == expected
    agree = sum(figure.agrees for figure in found.figures)
    assert f"{agree} of {len(found.figures)} printed figures" in text
    for each in found.each:
        if not each.agrees:
            assert each.about.differs in text
        assert each.about.note in text
    for missing in found.missing.values():
        assert f"{missing.citation}. {missing.why}" in text


def test_what_is_not_stored_is_named_with_its_command(tmp_path: Path) -> None:
    done = rotation(tmp_path, "replicate", "blitz-2020-japan", ROTATION_DATA=str(tmp_path / "store"))
    assert_sentence(done, 1, "get them with: rotation data fetch Japan_3_Factors\n")
    done = rotation(tmp_path, "replicate", "blitz-2021", ROTATION_DATA=str(tmp_path / "store"))
    assert_sentence(done, 2, "there is no table 'blitz-2021'; did you mean 'blitz-2020'?")


@original
def test_what_can_be_made_is_made_and_the_rest_has_its_command(store: Path, tmp_path: Path) -> None:
    """Without consumer prices every other table stands, figure by figure as with them."""
    less = tmp_path / "less"
    shutil.copytree(store, less, ignore=shutil.ignore_patterns("CPIAUCNS", "Japan_3_Factors"))
    done = rotation(tmp_path, "replicate", "--json", ROTATION_DATA=str(less))
    whole = rotation(tmp_path, "replicate", "--json", ROTATION_DATA=str(store))
    assert done.returncode == whole.returncode == 0, done.stderr
    some, every = json.loads(done.stdout), json.loads(whole.stdout)
    away = {"blitz-2020-japan", "schroders-2024"}
    assert some["tables"] == [each for each in every["tables"] if each["table"] not in away]
    assert some["lacking"] == [
        {"table": "blitz-2020-japan", "why": "not stored here: Japan_3_Factors", "commands": ["rotation data fetch Japan_3_Factors"]},
        {"table": "schroders-2024", "why": "not stored here: CPIAUCNS", "commands": ["rotation data fetch CPIAUCNS"]},
    ]  # fmt: skip
    assert every["lacking"] == []
    said = " ".join(rotation(tmp_path, "replicate", ROTATION_DATA=str(less)).stdout.split())
    assert "Left out for want of data: blitz-2020-japan, schroders-2024." in said
    assert "get them with: rotation data fetch CPIAUCNS" in said


def test_a_name_without_a_figure_says_why() -> None:
    with pytest.raises(UsageError, match="switzer-2010 is not reproduced: Its small companies"):
        printed().named(["switzer-2010"])
    assert list(printed().named(["blitz-2020"])) == [
        "blitz-2020-us",
        *(f"blitz-2020-{region}" for region in REGIONS),
    ]


HEAD = '[papers]\na = "A"\n\n[missing]\n[cases]\n[tables.b]\npaper = "a"\ntitle = "B"\nexhibit = "table 1"\n'
SAMPLE = 'first = "2000-01"\nlast = "2001-12"\nreturns = "MINE"\n\n[tables.b.printed]\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEAD.replace('paper = "a"', 'paper = "c"') + SAMPLE, "line 7: there is no paper 'c'; there are: a"),
        (HEAD + SAMPLE.replace("2000-01", "soon"), "line 10: 'soon' is not a month; write it as 1990-07"),
        (HEAD + SAMPLE.replace("2001", "1999"), "line 11: the last month 1999-12 lies before the first"),
        (HEAD + SAMPLE.replace("MINE", "MINE[a"), "line 12: 'MINE[a' is no series; write its id, or ID"),
        (HEAD + SAMPLE + 'maen = "1.0"\n', "line 15: there is no statistic 'maen'; did you mean 'mean'?"),
        (HEAD + SAMPLE + 'beta = "1.0"\n', "line 15: 'beta' needs the market; name its series with market"),
        (HEAD + SAMPLE + 'mean = "nan"\n', "line 15: mean must be a number, not 'nan'"),
        (HEAD + SAMPLE + "mean = 0.19\n", "line 15: 'mean' must be text, not a number; write it in quotes"),
        (HEAD.replace("title", "tilte") + SAMPLE, "there is no 'tilte' here; did you mean 'title'?"),
    ],
)
def test_a_wrong_definition_is_said_with_its_line(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "replications.toml").write_text(text)
    with pytest.raises(DataError, match=re.escape(sentence)):
        printed(tmp_path / "replications.toml")


CASES = (
    '[papers]\na = "A"\n[tables]\n[missing]\n[cases.b]\npaper = "a"\ntitle = "B"\nexhibit = "1"\nreturns = ["MINE"]\n'
    'prices = ["INDEX"]\nmonths = 12\nrecessions = ["2000-01"]\n[cases.b.printed]\nmean = "1"\n[cases.b.after]\n2000-01 = "3"\n'
)


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ('paper = "a"', 'paper = "b"', "line 6: there is no paper 'b'; there are: a"),
        ('["MINE"]', '["MINE", "["]', "line 9: '[' is no series; write its id, or ID[column]"),
        ('["INDEX"]', "[]", "line 10: 'prices' is empty; name one at least"),
        ("= 12", "= 0", "line 11: a case needs one month after it at least, not 0"),
        ('["2000-01"]', '["2000-02"]', "line 12: there is no case '2000-02'; did you mean '2000-01'?"),
        ("mean =", "maen =", "line 14: there is no statistic 'maen'; did you mean 'mean'?"),
        ('"1"\n[', '"one"\n[', "line 14: mean must be a number, not 'one'"),
        ('2000-01 = "3"', '2000-01 = "three"', "line 16: 2000-01 must be a number, not 'three'"),
        ('2000-01 = "3"', '2000-01 = "3"\n2000-13 = "3"', "line 17: '2000-13' is not a month"),
    ],
)
def test_wrong_cases_are_said_with_their_line(right: str, wrong: str, sentence: str, tmp_path: Path) -> None:
    assert list(printed(_saved(tmp_path, CASES)).all) == ["b"]
    with pytest.raises(DataError, match=re.escape(sentence)):
        printed(_saved(tmp_path, CASES.replace(right, wrong)))


def _saved(folder: Path, text: str) -> Path:
    (folder / "replications.toml").write_text(text)
    return folder / "replications.toml"


def test_prices_are_the_first_that_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATION_DATA", str(tmp_path / "store"))
    months = [f"{y}-{m:02d}-28" for y in (2000, 2001) for m in range(1, 13)]
    for id, kind, unit, values in (
        ("MINE", "total-return", "decimal", [0.01] * 24),
        ("INDEX", "other", "index", [100.0 * 1.002**n for n in range(24)]),
    ):
        rows = [f"{month},{value}" for month, value in zip(months, values, strict=True)]
        (tmp_path / "mine.csv").write_text("\n".join(["date,value", *rows]))
        rule = None if kind == "total-return" else "the 17th of the next month"
        import_file(tmp_path / "mine.csv", Description(id, kind, unit, frequency="monthly", known_at=rule))
    wanted = printed(_saved(tmp_path, CASES.replace('["INDEX"]', '["CPIAUCNS", "INDEX"]')))
    with mock.patch("backtest.replications.replicate.printed", return_value=wanted):
        (each,) = replicate().each
    assert each.cases[0].ours == pytest.approx(100.0 * ((1.01 / 1.002) ** 12 - 1.0))
    assert each.figures[0].ours == each.cases[0].ours
    assert np.isnan(each.cases[0].other)
    wanted = printed(_saved(tmp_path, CASES.replace('["INDEX"]', '["CPIAUCNS", "SHILLER_CPI"]')))
    with (
        mock.patch("backtest.replications.replicate.printed", return_value=wanted),
        pytest.raises(DataError, match="get them with: rotation data fetch CPIAUCNS$"),
    ):
        replicate()


def test_a_gap_within_a_sample_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATION_DATA", str(tmp_path / "store"))
    months = [f"{y}-{m:02d}-28" for y in (2000, 2001) for m in range(1, 13) if (y, m) != (2001, 5)]
    (tmp_path / "mine.csv").write_text("\n".join(["date,value", *(f"{month},0.01" for month in months)]))
    import_file(tmp_path / "mine.csv", Description("MINE", "total-return", "decimal", frequency="monthly"))
    (tmp_path / "replications.toml").write_text(HEAD + SAMPLE + 'mean = "1.0"\n')
    wanted = printed(tmp_path / "replications.toml")
    with (
        mock.patch("backtest.replications.replicate.printed", return_value=wanted),
        pytest.raises(DataError, match="MINE has no value of 2001-05, which a printed figure needs"),
    ):
        replicate()
