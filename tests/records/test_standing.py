"""What to hold now: on which facts, and that the moves it names do turn the answer."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from backtest import MarketData, load_strategy, run
from backtest.errors import RotationError, UsageError
from backtest.market.importing import Description, import_file
from backtest.records.document import plain
from backtest.records.standing import EARLIER, Standing, signal
from backtest.reporting.standing import standing_lines as lines
from backtest.scripting.loading import strategy_names

if TYPE_CHECKING:
    from pathlib import Path

ON_EMBEDDED = sorted({*strategy_names()} - {"concentration", "recovery", "volatility"})


def rotation(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from backtest.cli import entry; entry()", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def with_news(market: MarketData, day: str, value: float) -> MarketData:
    """Return the market with another value of the target known on a day."""
    target, known = market.observations["FED_TARGET"], np.datetime64(day)
    kept = target.known_at < known
    news = replace(
        target,
        dates=np.r_[target.dates[kept], known],
        values=np.r_[target.values[kept], value],
        known_at=np.r_[target.known_at[kept], known],
    )
    return replace(market, observations={**market.observations, "FED_TARGET": news})


def test_the_window_of_2019_as_it_stood(embedded: MarketData) -> None:
    standing = signal("rate_cut", embedded, as_of="2020-02-14")
    assert standing.hold == {"small": 1.0}
    assert str(standing.since) == "2019-08-30"
    assert str(standing.fill) == "2020-02-28"
    (fact,) = standing.because
    assert (fact.fact, fact.value, str(fact.known_at)) == (
        "the last first cut of FED_TARGET, to",
        2.25,
        "2019-07-31",
    )
    # The window is September 2019 to August 2021: over with the fill at the end of that month.
    assert standing.without_news.date == "2021-08-31"
    assert standing.without_news.hold == {"large": 1.0}
    assert standing.flips_if == [
        "the end of the window after the first cut of FED_TARGET, on 2021-08-31 if no other comes before"
    ]


def test_a_window_to_come_is_what_changes_the_answer(embedded: MarketData) -> None:
    standing = signal("rate_cut", embedded, as_of="2019-09-30", delay=6)
    assert standing.hold == {"large": 1.0}
    assert standing.without_news.date == "2020-02-28"
    assert standing.flips_if == [
        "the beginning of the window after the first cut of FED_TARGET of 2019-07-31, on 2020-02-28 without any news"
    ]
    # None to come: the next first cut, which the strategy follows six months later.
    later = signal("rate_cut", embedded, as_of="2018-06-29", delay=6)
    assert later.hold == {"large": 1.0}
    assert later.flips_if == [
        "a cut of FED_TARGET by at least 0.25 percentage points after 12 months without one, 6 months after it"
    ]


OVERLAPPING = """
from backtest import Market, choose, strategy

@strategy
def overlapping(market: Market):
    return choose(
        (market.index("small").above(0.0), "small"),
        (market.index("large").above(1e9), "large"),
        (market.index("market").above(0.0), "small"),
        otherwise="cash",
    )
"""


def test_a_limit_that_decides_is_among_the_facts(embedded: MarketData) -> None:
    # Cheap still, but held for the 60 months that are the limit.
    standing = signal("valuation_discount", embedded, as_of="1992-11-15")
    assert standing.hold == {"large": 1.0}
    fact = standing.because[-1]
    assert fact.fact == "how long the last stretch lasted (at most 60 months at a stretch)"
    assert (fact.value, fact.unit, str(fact.known_at)) == (60.0, "months", "1987-11-30")
    before = signal("valuation_discount", embedded, as_of="1992-10-15")
    assert before.hold == {"small": 1.0}
    assert not any("stretch" in fact.fact for fact in before.because)


def test_what_was_held_before_is_what_the_trades_of_a_run_bought(embedded: MarketData) -> None:
    now = signal("rate_cut", embedded, as_of="2015-06-30")
    trades = run("rate_cut", embedded, end="2015-06-30").trades
    changes = [(str(day.date()), hold) for day, hold in zip(trades["date"], trades["hold"], strict=True)]
    assert now.since == changes[-1][0]
    expected = changes[-2 : -2 - EARLIER : -1]
    assert [(each.date, *each.hold) for each in now.held_before] == expected
    assert len(expected) == EARLIER
    # The first of all is the first holding, which nothing preceded.
    first = signal("rate_cut", embedded, as_of="1983-10-15")
    assert first.held_before == ()


def test_a_case_that_an_earlier_one_overrides_changes_nothing(embedded: MarketData, tmp_path: Path) -> None:
    file = tmp_path / "overlapping.py"
    file.write_text(OVERLAPPING)
    standing = signal(str(file), embedded, as_of="2010-06-30")
    assert standing.hold == {"small": 1.0}
    # Without the first case the third still holds small, and the second lies behind the first.
    assert standing.flips_if == []
    assert any("small" in fact.fact for fact in standing.because)


def test_news_of_the_day_counts_for_the_next_fill_and_later_news_does_not(embedded: MarketData) -> None:
    before = signal("rate_cut", embedded, as_of="2019-07-30")
    after = signal("rate_cut", embedded, as_of="2019-07-31")
    assert (before.hold, str(before.fill)) == ({"large": 1.0}, "2019-07-31")
    assert (after.hold, str(after.fill)) == ({"small": 1.0}, "2019-08-30")
    assert after.since == after.fill


@pytest.mark.parametrize(("value", "hold"), [(2.5, "large"), (2.0, "small")])
def test_the_move_it_names_turns_the_stance_and_another_does_not(
    embedded: MarketData, value: float, hold: str
) -> None:
    standing = signal("easing", embedded, as_of="2019-08-15")
    assert standing.hold == {"small": 1.0}
    assert standing.flips_if == ["a rise of FED_TARGET by at least 0.25 percentage points"]
    moved = with_news(embedded, "2019-08-20", value)
    assert signal("easing", moved, as_of="2019-08-20").hold == {hold: 1.0}


def test_a_threshold_flips_at_the_value_it_names(embedded: MarketData) -> None:
    standing = signal("credit", embedded, as_of="2007-06-15", measure="level", wide_level=1.2)
    assert standing.hold == {"small": 1.0}
    assert standing.flips_if == ["credit_spread at or above 1.2%"]
    (fact,) = standing.because
    assert (fact.value, str(fact.known_at)) == (pytest.approx(0.92), "2007-06-01")
    assert fact.unit == "percent"
    assert str(standing.next_news[0].date)[:7] == "2007-07"
    spread = embedded.observations["credit_spread"]
    for value, hold in ((1.19, "small"), (1.21, "large")):
        changed = replace(
            spread, values=np.where(spread.dates == np.datetime64("2007-06-01"), value, spread.values)
        )
        news = replace(embedded, observations={**embedded.observations, "credit_spread": changed})
        assert signal("credit", news, as_of="2007-07-15", measure="level").hold == {hold: 1.0}


@pytest.mark.parametrize("name", ON_EMBEDDED)
@pytest.mark.parametrize("day", ["2003-05-30", "2016-01-15", "2026-11-21"])
def test_it_holds_what_a_run_holds_and_no_fact_is_later_than_the_day(
    name: str, day: str, embedded: MarketData
) -> None:
    standing = signal(name, embedded, as_of=day)
    last = day
    assert all(fact.known_at <= last for fact in standing.because)
    assert all(release.date > last for release in standing.next_news)
    assert sum(standing.hold.values()) == pytest.approx(1.0)
    if name not in ("buy_and_hold", "balanced"):
        assert standing.flips_if
    text = json.dumps(plain(standing), allow_nan=False)
    assert {"strategy", "market", "as_of", "hold", "since", "because", "flips_if"} <= set(json.loads(text))
    assert "hold" in dict(lines(standing))
    if day == "2016-01-15":
        assert standing.hold == at_the_fill(standing, embedded)


def at_the_fill(standing: Standing, market: MarketData) -> dict[str, float]:
    """Return what the strategy decides at the same fill with the whole of the data before it."""
    from backtest.decisions import filled

    decision = load_strategy(standing.strategy).ruling(market, standing.parameters).decision
    weights = filled(decision, market.bars.sleeves)[
        np.searchsorted(market.bars.dates, np.datetime64(standing.fill))
    ]
    return {s: w for s, w in zip(market.bars.sleeves, weights.tolist(), strict=True) if w}


def test_data_that_are_too_old_are_called_so(embedded: MarketData) -> None:
    standing = signal("small_momentum", embedded, as_of="2026-11-21")
    assert standing.out_of_date == [
        "large is known up to 2018-11-30, 8 years before 2026-11-21; its next value was due on 2018-12-31",
        "small is known up to 2018-11-30, 8 years before 2026-11-21; its next value was due on 2018-12-31",
    ]
    assert [heading for heading, _ in lines(standing)[:3]] == ["out of date", "out of date", "strategy"]
    month = signal("small_momentum", embedded, as_of="2019-01-02")
    assert "large is known up to 2018-11-30, 33 days before 2019-01-02" in month.out_of_date[0]
    assert not signal("small_momentum", embedded, as_of="2018-11-30").out_of_date


def test_what_is_stamped_with_month_ends_is_due_at_the_next_month_end(embedded: MarketData) -> None:
    # The discount of the embedded market is made of its sleeves: a value at each month's last business day.
    standing = signal("valuation_discount", embedded, as_of="2018-11-30")
    due = {release.series: str(release.date) for release in standing.next_news}
    assert due["discount"] == "2018-12-31"
    (late,) = [
        said for said in signal("valuation_discount", embedded).out_of_date if said.startswith("discount")
    ]
    assert late.startswith("discount is known up to 2018-11-30, ")
    assert late.endswith("its next value was due on 2018-12-31")


def test_what_is_stamped_with_the_first_of_the_month_is_due_as_long_after_it(embedded: MarketData) -> None:
    spread = signal("credit", embedded, as_of="2007-06-15", measure="level")
    assert [str(release.date) for release in spread.next_news] == ["2007-07-02"]


def test_a_day_that_has_not_come_is_refused_and_today_is_not(embedded: MarketData, tmp_path: Path) -> None:
    today = dt.datetime.now(dt.UTC).astimezone().date()
    assert signal("rate_cut", embedded, as_of=today).as_of == str(today)
    tomorrow = today + dt.timedelta(days=1)
    with pytest.raises(UsageError, match=f"the day {tomorrow} has not come yet; name today, {today}"):
        signal("rate_cut", embedded, as_of=tomorrow)
    said = rotation(tmp_path, "signal", "rate_cut", "--as-of", "2130-01-01")
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1)


def test_what_cannot_be_said_is_refused(embedded: MarketData) -> None:
    with pytest.raises(
        UsageError, match="the day 1900-01-01 lies before the data, which begin on 1926-07-30"
    ):
        signal("rate_cut", embedded, as_of="1900-01-01")
    with pytest.raises(RotationError, match="rate_cut holds nothing yet on 1983-01-01"):
        signal("rate_cut", embedded, as_of="1983-01-01")


def test_the_commands_around_scripts(tmp_path: Path) -> None:
    said = rotation(tmp_path, "signal", "rate_cut", "--as-of", "2020-02-14", "--hold", "12", "--json")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["since"] == "2019-08-30"
    plain = rotation(tmp_path, "signal", "rate_cut", "--as-of", "2020-02-14")
    assert "small, since 2019-08-30 (next fill 2020-02-28)" in " ".join(plain.stdout.split())
    new = rotation(tmp_path, "new", "my_idea")
    assert (new.returncode, [p.name for p in tmp_path.iterdir()]) == (0, ["my_idea.py"])
    ran = rotation(tmp_path, "run", "my_idea.py", "--json", "--robustness", "--out", "here")
    assert ran.returncode == 0, ran.stderr
    trials = json.loads(ran.stdout)["robustness"]["trials"]
    assert [(t["cost_bps"], t["delay_fill"]) for t in trials] == [
        (cost, delay) for delay in (0, 1, 2) for cost in (0.0, 10.0, 25.0, 50.0)
    ]
    again = rotation(tmp_path, "new", "my_idea")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == "rotation: my_idea.py exists already; choose another name\n"
    shadow = rotation(tmp_path, "new", "rate_cut")
    assert (shadow.returncode, shadow.stdout, shadow.stderr.count("\n")) == (2, "", 1)
    assert "choose another name, such as my_rate_cut" in shadow.stderr
    assert not (tmp_path / "rate_cut.py").exists()
    wrong = rotation(tmp_path, "new", "my-idea")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    listed = rotation(tmp_path, "list", "--json")
    assert [each["strategy"] for each in json.loads(listed.stdout)] == strategy_names()


def test_between_two_days_of_decision_it_holds_what_it_decided_last(embedded: MarketData) -> None:
    # Who decides by quarters waits for the end of one.
    at_once = signal("small_momentum", embedded, as_of="2016-11-15")
    quarterly = signal("small_momentum", embedded, as_of="2016-11-15", decide="quarter-end")
    for standing in (at_once, quarterly):
        run_of = run("small_momentum", embedded, decide=standing.decide)
        held = run_of.weights.loc["2016-12-30"]
        assert standing.hold == {sleeve: weight for sleeve, weight in held.items() if weight}
    assert plain(quarterly)["decide"] == "quarter-end"
    assert int(quarterly.since[5:7]) % 3 == 0
    with pytest.raises(UsageError, match="no decision calendar 'monthly'"):
        signal("small_momentum", embedded, decide="monthly")


def test_a_series_of_ones_own_is_due_by_the_rule_that_it_was_brought_with(
    embedded: MarketData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The 14th of a month after one whose last business day is the 30th, or the 31st, or the 29th.
    monkeypatch.setenv("ROTATION_DATA", str(tmp_path / "store"))
    days = ["2015-05-29", "2015-06-30", "2015-07-31", "2015-08-31", "2015-09-30"]
    file = tmp_path / "own.csv"
    file.write_text("date,OWN\n" + "".join(f"{day},{i + 1}\n" for i, day in enumerate(days)))
    import_file(file, Description("OWN", kind="other", unit="level", known_at="the 14th of the next month"))
    script = tmp_path / "mine.py"
    script.write_text(
        OVERLAPPING.split("@", maxsplit=1)[0]
        + """from backtest import rotate

@strategy
def mine(market: Market):
    return rotate(market.level("OWN") > 2, into="small", otherwise="large")
"""
    )
    on_the_day_before = signal(str(script), embedded, as_of="2015-11-13")
    assert [(each.series, each.date) for each in on_the_day_before.next_news] == [("OWN", "2015-11-14")]
    assert on_the_day_before.out_of_date == []
    (late,) = signal(str(script), embedded, as_of="2015-11-14").out_of_date
    assert late.endswith("its next value was due on 2015-11-14")
