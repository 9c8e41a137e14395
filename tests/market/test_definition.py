"""Market files: what is wrong with one is said with its line; a good one makes the sleeves it describes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from backtest.errors import DataError, RotationError, UsageError
from backtest.market.definition import read_definition
from backtest.market.fetch import fetch, to_fetch
from backtest.market.importing import Description, import_file
from backtest.market.load import load_market
from backtest.market.store import Store
from backtest.market.toml import file_of, names_of

if TYPE_CHECKING:
    from tests.market.server import Library

LINES = """\
title = "A market"
frequency = "monthly"
benchmark = "market"
policy = "FED_TARGET"

[sleeves]
small = { MKT_RF = 1.0, RF = 1.0, SMB = 0.5 }
market = { MKT_RF = 1.0, RF = 1.0 }
cash = { RF = 1.0 }

[series]
spread = { MOODYS_BAA = 1.0, MOODYS_AAA = -1.0 }
"""


EXTENDED = """\
extends = "embedded"
title = "Another"

[sleeves]
half = { MKT_RF = 0.5, RF = 1.0 }
small = { MKT_RF = 1.0, RF = 1.0, SMB = 1.0 }

[series]
baa = "MOODYS_BAA"
"""


def test_a_market_that_extends_another_adds_lines_and_replaces_them(tmp_path: Path) -> None:
    own, base = read_definition(_file(tmp_path, EXTENDED)), read_definition("embedded")
    assert (own.name, own.title, own.benchmark, own.policy) == (
        "mine",
        "Another",
        base.benchmark,
        base.policy,
    )
    assert list(own.sleeves) == [*base.sleeves, "half"]
    changed = {name for name in base.sleeves if own.sleeves[name] != base.sleeves[name]}
    assert changed == {"small"}
    assert {name: own.series[name] for name in base.series} == base.series
    assert own.factors == base.factors
    market = load_market(str(tmp_path / "mine.toml"))
    embedded = load_market("embedded")
    assert np.array_equal(market.bars.column("large"), embedded.bars.column("large"))
    spread = embedded.bars.column("small") - embedded.bars.column("large")
    assert np.allclose(market.bars.column("small") - embedded.bars.column("small"), spread / 2.0)
    # One on top of it, by its file beside it.
    third = _file(tmp_path, 'extends = "mine.toml"\nbenchmark = "half"\n', "third.toml")
    assert (read_definition(third).benchmark, read_definition(third).title) == ("half", "Another")
    assert read_definition(third).sleeves == own.sleeves


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'extends = "embeded"',
            "line 1: there is no market 'embeded' and no such file beside this one; did you mean 'embedded'?",
        ),
        ("extends = 3", "line 1: 'extends' must be a market's name, or its file, in quotes"),
        ('extends = ""', "line 1: 'extends' must be a market's name"),
        ('extends = "mine.toml"', "line 1: 'mine.toml' extends this market itself, directly or not"),
        ('extends = "broken.toml"', "broken.toml, line 1: the file lacks title"),
        ('extends = "round.toml"', "extends this market itself, directly or not"),
        ('extends = "embedded"\nbenchmark = "smal"', "there is no sleeve 'smal', which is the benchmark"),
        ('extends = "embedded"\nfrequency = "daily"', "is monthly, but the market daily"),
    ],
)
def test_a_market_that_cannot_extend_another_says_why(tmp_path: Path, line: str, said: str) -> None:
    _file(tmp_path, 'frequency = "monthly"\n', "broken.toml")
    _file(tmp_path, 'extends = "mine.toml"\n', "round.toml")
    with pytest.raises(DataError) as error:
        read_definition(_file(tmp_path, f"{line}\n"))
    assert said in str(error.value)


def _file(tmp_path: Path, text: str, name: str = "mine.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('title = "A market"\n', "", 1, "the file lacks title"),
        ('"monthly"', '"weekly"', 2, "must be monthly or daily"),
        ("benchmark =", "bench =", 3, "did you mean 'benchmark'?"),
        ('"market"\npolicy', '"markt"\npolicy', 6, "there is no sleeve 'markt', which is the benchmark"),
        ('"FED_TARGET"', '"FED_TARGETS"', 4, "did you mean 'FED_TARGET'?"),
        ('"FED_TARGET"', "4.0", 4, "must be a series"),
        ("SMB = 0.5", "SMBX = 0.5", 7, "did you mean 'SMB'?"),
        ("SMB = 0.5", 'SMB = "half"', 7, "neither a series with a number"),
        ("cash = { RF = 1.0 }\n", "", 6, "there is no sleeve 'cash'"),
        ("cash = { RF = 1.0 }", 'cash = "MOODYS_AAA"', 9, "which no sleeve can hold"),
        ("cash = { RF = 1.0 }", 'cash = "F-F_Research_Data_Factors"', 9, "has several columns"),
        ("cash = { RF = 1.0 }", 'cash = "F-F_Research_Data_Factors[RFX]"', 9, "has no column 'RFX'"),
        ("cash = { RF = 1.0 }", 'cash = "RF[x]"', 9, "a single series without columns"),
        (
            "cash = { RF = 1.0 }",
            'cash = "F-F_Research_Data_Factors_daily[RF]"',
            9,
            "F-F_Research_Data_Factors_daily is daily, but the market monthly",
        ),
        (
            "cash = { RF = 1.0 }",
            'cash = { splice = ["RF", "SMB"], shift = ["RF"] }',
            9,
            "are joined, not shifted",
        ),
        ("spread = {", "spread = { splice = 4, ", 12, "there is no 'MOODYS_BAA' here"),
        (
            "MOODYS_BAA = 1.0, MOODYS_AAA = -1.0",
            'relative = ["small"], months = 60',
            12,
            "'relative' must be a list of 2, not 1",
        ),
        (
            "MOODYS_BAA = 1.0, MOODYS_AAA = -1.0",
            'relative = ["smal", "market"], months = 60',
            12,
            "there is no sleeve 'smal'; did you mean 'small'?",
        ),
        ('"FED_TARGET"', '"MKT_RF"', 4, "MKT_RF is a total-return series; a policy is a rate"),
        (
            "MOODYS_BAA = 1.0, MOODYS_AAA = -1.0",
            'splice = ["AAA"], shift = ["AAA"]',
            12,
            "no part before the last",
        ),
        ("[series]", "[vintages]\nSMB = 5\n[series]", 12, "'SMB' must be text"),
        (
            "[series]",
            '[vintages]\nSMB = "12c238a98481"\n[series]',
            12,
            "SMB is not stored but read where it lies, so it has one vintage alone",
        ),
        (
            "[series]",
            '[vintages]\nUNRATES = "12c238a98481"\n[series]',
            12,
            "there is no series 'UNRATES' in the catalogue or among the imported ones; did you mean 'UNRATE'?",
        ),
        (
            "MOODYS_BAA = 1.0, MOODYS_AAA = -1.0",
            'relative = ["small", "market"], months = 0',
            12,
            "'months' must be a whole number of 1 or more",
        ),
        (
            "[series]",
            '[factors]\nOLD = { relative = ["small", "market"], months = 60 }\n[series]',
            12,
            "the factor 'OLD' must be a series, a sum, a weighted mean or a splice of series",
        ),
        ("[series]", "[serie]", 11, "did you mean 'series'?"),
        (
            '"A market"',
            '"A market"\nvintage = "x"',
            2,
            "there is no 'vintage' here; did you mean 'vintages'?",
        ),
        ('"A market"', '"A market"\nname = "x"', 2, "there is no 'name' here"),
        ("[sleeves]", "[[sleeves]]", 6, "'sleeves' must be a table, not a list"),
        (
            "MOODYS_BAA = 1.0, MOODYS_AAA = -1.0",
            'relative = ["small", "market"], months = 2.5',
            12,
            "'months' must be a whole number, not a number",
        ),
        (
            "MOODYS_BAA = 1.0, MOODYS_AAA = -1.0",
            'relative = ["small", "market"]',
            12,
            "'spread' lacks months",
        ),
        ("MOODYS_BAA = 1.0, MOODYS_AAA = -1.0", 'splice = ["AAA", 5]', 12, "'splice' must be a list of text"),
        ("MOODYS_BAA = 1.0", "MOODYS_BAA = true", 12, "'MOODYS_BAA' is neither a series with a number"),
    ],
)
def test_a_wrong_market_file_is_refused_with_its_line(
    old: str, new: str, line: int, said: str, tmp_path: Path
) -> None:
    assert LINES.count(old) == 1, old
    path = _file(tmp_path, LINES.replace(old, new))
    with pytest.raises(DataError) as caught:
        read_definition(path)
    assert str(caught.value).startswith(f"{path}, line {line}: "), str(caught.value)
    assert said in str(caught.value)


LONG = """\
title = "A market"
frequency = "monthly"
benchmark = "large"

[sleeves.large]
returns = "6_Portfolios_2x3"
weights = ["6_Portfolios_2x3.firms"]
columns = ["BIG LoBM"]

[sleeves.cash]
RF = 1.0

[series.share]
share_of = ["BIG LoBM"]
weights = ["6_Portfolios_2x3.firms"]
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        (
            'returns = "6_Portfolios_2x3"',
            'returns = "6_Portfolios_2x4"',
            6,
            "did you mean '6_Portfolios_2x3'?",
        ),
        ("[series.share]", "[series.other]\nweight = 1\n[series.share]", 14, "there is no series 'weight'"),
        ('columns = ["BIG LoBM"]', 'columns = ["BIG LoBN"]', 8, "has no column 'BIG LoBN'"),
        ('columns = ["BIG LoBM"]', "columns = []", 8, "'columns' must be a list of 1 or more"),
        ("RF = 1.0", "RFX = 1.0", 11, "did you mean"),
        ('share_of = ["BIG LoBM"]', 'share_of = ["SMALL"]', 14, "has no column 'SMALL'"),
    ],
)
def test_of_a_table_the_line_of_the_wrong_key_is_said(
    old: str, new: str, line: int, said: str, tmp_path: Path
) -> None:
    assert LONG.count(old) == 1, old
    path = _file(tmp_path, LONG.replace(old, new))
    with pytest.raises(DataError) as caught:
        read_definition(path)
    assert str(caught.value).startswith(f"{path}, line {line}: "), str(caught.value)
    assert said in str(caught.value)


def test_a_mark_of_the_encoding_before_the_text_is_no_part_of_it(tmp_path: Path) -> None:
    assert read_definition(_file(tmp_path, "\ufeff" + LINES)).title == "A market"
    with pytest.raises(DataError, match="line 1: 'title' must be text"):
        read_definition(_file(tmp_path, "\ufeff" + LINES.replace('"A market"', "5")))
    (tmp_path / "mine.toml").write_bytes(LINES.encode("utf-16"))
    with pytest.raises(DataError, match="mine.toml is not UTF-8 text; save it as UTF-8"):
        read_definition(tmp_path / "mine.toml")


def test_what_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 4"):
        read_definition(_file(tmp_path, LINES.replace('"FED_TARGET"', "FED_TARGET")))


def test_a_market_is_found_by_name_by_file_and_by_folder(tmp_path: Path) -> None:
    assert {"embedded", "etf", "french_daily", "french_monthly", "japan"} <= set(names_of("market"))
    path = _file(tmp_path, LINES)
    assert load_market(path).name == "mine"
    folder = tmp_path / "own"
    folder.mkdir()
    _file(folder, LINES, "market.toml")
    assert load_market(folder).name == "own"
    for name, said in (("french_month", "french_monthly"), ("no/such.toml", "no market file")):
        with pytest.raises(UsageError, match=said):
            read_definition(name)


def test_a_market_that_is_not_stored_says_the_one_command() -> None:
    for name in ("french_monthly", "french_daily"):
        with pytest.raises(RotationError, match="get them with: rotation data fetch"):
            load_market(name)


def _imported(
    tmp_path: Path, id: str, rows: dict[str, float], kind: str = "total-return", unit: str = "level"
) -> None:
    path = tmp_path / f"{id}.csv"
    path.write_text("date,x\n" + "".join(f"{day},{value!r}\n" for day, value in rows.items()))
    rule = "the next business day" if kind == "rate" else None
    import_file(path, Description(id, kind, unit, known_at=rule))


DAYS = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"]
DAILY = """\
title = "Levels"
frequency = "daily"
benchmark = "large"
[sleeves]
small = "S"
large = "L"
cash = "R"
"""


def test_levels_become_returns_and_a_rate_accrues_what_was_in_force(tmp_path: Path) -> None:
    small, large = [100.0, 110.0, 99.0, 99.0, 100.0, 101.0, 102.0], [50.0, 51.0, 52.0, 53.0, 54.0, 55.0, 56.0]
    _imported(tmp_path, "S", dict(zip(DAYS, small, strict=True)))
    rows = dict(zip(DAYS, large, strict=True))
    del rows["2024-01-03"]  # one exchange was closed: that day is part of the next bar of both
    _imported(tmp_path, "L", rows)
    _imported(tmp_path, "R", {"2023-12-01": 3.65, "2024-01-05": 7.30}, "rate", "percent")
    bars = load_market(_file(tmp_path, DAILY)).bars
    assert [str(day) for day in bars.dates] == [*DAYS[1:2], *DAYS[3:]]
    np.testing.assert_allclose(bars.column("small"), [0.1, 99 / 110 - 1, 100 / 99 - 1, 0.01, 102 / 101 - 1])
    np.testing.assert_allclose(
        bars.column("large"), [51 / 50 - 1, 53 / 51 - 1, 54 / 53 - 1, 55 / 54 - 1, 56 / 55 - 1]
    )
    days = np.array([1, 2, 1, 3, 1]) / 365.2425
    np.testing.assert_allclose(bars.column("cash"), np.array([3.65, 3.65, 3.65, 7.3, 7.3]) / 100 * days)


def test_prices_are_said_to_be_without_dividends_and_cannot_be_mixed(tmp_path: Path) -> None:
    rows = dict(zip(DAYS, range(50, 57), strict=True))
    _imported(tmp_path, "S", rows, "price")
    _imported(tmp_path, "L", rows)
    _imported(tmp_path, "R", {"2023-12-01": 3.65, "2024-01-05": 7.30}, "rate", "percent")
    path = _file(tmp_path, DAILY)
    with pytest.raises(DataError, match="line 5: small lacks dividends"):
        load_market(path)
    _imported(tmp_path, "L2", rows, "price")
    data = load_market(_file(tmp_path, DAILY.replace('"L"', '"L2"')))
    assert "without dividends" in data.proxy


def test_sleeves_without_a_common_bar_are_refused(tmp_path: Path) -> None:
    _imported(tmp_path, "S", dict(zip(DAYS[:3], (1.0, 2.0, 3.0), strict=True)))
    _imported(tmp_path, "L", dict(zip(DAYS[4:], (1.0, 2.0, 3.0), strict=True)))
    _imported(tmp_path, "R", {"2023-12-01": 3.65, "2024-01-05": 7.30}, "rate", "percent")
    with pytest.raises(DataError, match="no bar in common: S ends on 2024-01-03, L begins on 2024-01-05"):
        load_market(_file(tmp_path, DAILY))


def test_a_pinned_vintage_is_the_one_that_is_used(tmp_path: Path) -> None:
    rows = dict(zip(DAYS, (100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0), strict=True))
    for id in ("S", "L"):
        _imported(tmp_path, id, rows)
    _imported(tmp_path, "R", {"2023-12-01": 3.65, "2024-01-05": 7.30}, "rate", "percent")
    old = Store().find("S").vintage
    _imported(tmp_path, "S", {**rows, "2024-01-02": 202.0})
    new = load_market(_file(tmp_path, DAILY))
    pinned = load_market(_file(tmp_path, DAILY + f'[vintages]\nS = "{old}"\n'))
    assert new.bars.column("small")[0] == pytest.approx(1.02)
    assert pinned.bars.column("small")[0] == pytest.approx(0.01)
    assert old in pinned.sources["S"].origin


def test_the_thirds_by_size_can_be_chosen_instead_of_the_halves(tmp_path: Path, library: Library) -> None:
    """As the comment in the shipped file says, word for word."""
    shipped_text = file_of("market", "french_monthly").read_text(encoding="utf-8")
    chosen = [
        line[4:] for line in shipped_text.splitlines() if line.startswith("#   ") and "Formed_on_ME" in line
    ]
    assert len(chosen) == 3
    sleeves = "\n".join(chosen)
    path = _file(
        tmp_path,
        f'title = "Thirds"\nfrequency = "monthly"\nbenchmark = "large"\n[sleeves]\n{sleeves}\n'
        'cash = "F-F_Research_Data_Factors[RF]"\n',
    )
    outcomes = fetch(to_fetch(["Portfolios_Formed_on_ME", "F-F_Research_Data_Factors"]))
    assert [outcome.status for outcome in outcomes] == ["new", "new"], library.asked
    store = Store()
    table = store.read(store.find("Portfolios_Formed_on_ME"))
    bars = load_market(path).bars
    np.testing.assert_allclose(bars.column("mid"), table.values[:, 1] / 100.0)
    assert bars.sleeves == ("small", "mid", "large", "cash")


def _stored(tmp_path: Path, id: str, days: np.ndarray, values: np.ndarray) -> None:
    rows = "\n".join(f"{day},{value}" for day, value in zip(days, values, strict=True))
    file = _file(tmp_path, f"date,{id}\n{rows}\n", f"{id}.csv")
    import_file(file, Description(id, "total-return", "level"))


def test_a_daily_level_has_the_bars_of_months_by_its_last_values(tmp_path: Path) -> None:
    days = np.arange(np.datetime64("2001-03-05"), np.datetime64("2004-07-15"))
    days = days[np.is_busday(days)]
    values = 100.0 + np.arange(len(days)) ** 1.1
    _stored(tmp_path, "DAILY", days, values)
    market = load_market(_file(tmp_path, LINES.replace("cash =", 'daily = "DAILY"\ncash =')))
    slow = {
        str(day)[:7]: value for day, value in zip(days, values, strict=True)
    }  # the last of a month stands
    months = [str(day)[:7] for day in market.bars.dates]
    assert (months[0], months[-1]) == ("2001-04", "2004-06")  # March has no month before, July is not over
    for month, before, found in zip(months[1:], months, market.bars.column("daily")[1:], strict=False):
        assert found == pytest.approx(slow[month] / slow[before] - 1.0, rel=1e-12)


def test_a_sleeve_may_be_one_series_after_another(tmp_path: Path) -> None:
    months = np.arange(np.datetime64("1950-01"), np.datetime64("2018-12")).astype("datetime64[D]")
    late = np.cumprod(1.0 + np.where(np.arange(len(months)) % 2, 0.03, -0.01))
    _stored(tmp_path, "LATE", months, late)
    market = load_market(
        _file(tmp_path, LINES.replace("cash =", 'long = { splice = ["MKT_RF", "LATE"] }\ncash ='))
    )
    column = market.bars.column("long")
    embedded = load_market("embedded").bars
    place = int(np.searchsorted(market.bars.dates, np.datetime64("1950-02-01")))  # the first return of LATE
    own = embedded.column("market") - embedded.column("cash")
    assert str(market.bars.dates[0])[:7] in ("1926-07", "1926-08")
    offset = len(embedded.dates) - len(market.bars.dates)
    np.testing.assert_allclose(column[:place], own[offset : offset + place], rtol=1e-12)
    assert column[place : place + 2] == pytest.approx([0.03, -0.01], rel=1e-12)


def test_the_policy_may_be_a_role(tmp_path: Path) -> None:
    role = LINES.replace('policy = "FED_TARGET"', 'policy = "target"') + 'target = "FED_TARGET"\n'
    market = load_market(_file(tmp_path, role))
    assert (market.policy, market.roles["target"]) == ("FED_TARGET", "FED_TARGET")
    made = role.replace('target = "FED_TARGET"', "target = { FED_TARGET = 2.0 }")
    doubled = load_market(_file(tmp_path, made))
    assert doubled.policy == "policy"
    np.testing.assert_array_equal(
        doubled.observations["policy"].values, 2.0 * market.observations["FED_TARGET"].values
    )


def test_a_key_that_is_nearly_extends_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('extend = "french_monthly"\n')
    with pytest.raises(DataError, match=r"line 1: there is no 'extend' here; did you mean 'extends'\?"):
        read_definition(tmp_path / "mine.toml")
