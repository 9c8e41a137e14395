"""The terminal: a number is never cut, however narrow the window."""

from __future__ import annotations

from collections import Counter

import pytest

from backtest import MarketData, run, study
from backtest.measures import listed
from backtest.records.robustness import robustness
from backtest.reporting import blocks as b
from backtest.reporting.page import brief
from backtest.reporting.study_pages import claims_brief, study_page
from backtest.reporting.terminal import show, text, words_of


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> object:
    def text(blocks: list[b.Block], width: int) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        show(blocks)
        said = capsys.readouterr().out
        assert "\u2026" not in said
        assert max(map(len, said.splitlines())) <= width
        return str(said)

    return text


def test_a_long_name_leaves_the_labels_whole(shown) -> None:  # type: ignore[no-untyped-def]
    heads = ["", "small_caps_after_the_first_cut_while_cheap"]
    said = shown([b.table(heads, [("return a year", "10.00%")], brief=True)], 40)
    assert "return a year" in said
    assert "small_caps_after_the_fi" in said


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_every_number_is_shown_whole(shown, embedded: MarketData, width: int) -> None:  # type: ignore[no-untyped-def]
    result = run("rate_cut", embedded)
    said = shown(brief(result, robustness(result)), width)
    words = said.split()
    for metrics in (result.metrics, *result.benchmarks.values()):
        assert all(m.text(metrics[m.key]) in words for m in listed([metrics]))
    headings = [line for line in said.splitlines() if "rate_cut" in line and "\u2503" in line]
    assert len(headings) == 1


def test_what_is_not_brief_is_for_pages(shown) -> None:  # type: ignore[no-untyped-def]
    blocks = [b.Text("for a page"), b.Text(("see ", b.Link("that", "that.html")), brief=True)]
    assert shown(blocks, 80) == "see that\n"


def test_what_is_to_be_said_first_is_kept_where_little_has_room() -> None:
    doubt = "A doubt that needs some room. " * 12
    rows = [(f"row {i}", "1.00") for i in range(30)]
    blocks = [
        b.Text(doubt, "warning", brief=True),
        b.Conclusion(("A verdict.",), brief=True),
        b.Text("The rest of it. " * 20, brief=True),
        b.table(["", "run"], rows, brief=True),
    ]
    said = text(blocks, most=16)
    assert " ".join(said.split()).startswith(doubt.strip())
    assert "A verdict." in said
    assert "row 0" in said
    assert "The rest of it" not in said
    assert len(said.splitlines()) <= 16


def test_words_leave_out_what_only_a_page_can_show() -> None:
    said = (b.Key("#000000"), "small", b.Badge(" yes", "yes"), b.Code(" x"))
    assert words_of(b.Cell(said, "best")) == "small yes x"


@pytest.mark.parametrize("width", [50, 60, 80, 200])
def test_no_number_of_a_study_is_cut(shown, embedded: MarketData, width: int) -> None:  # type: ignore[no-untyped-def]
    # Its second table has two columns of one name.
    studied = study("first-to-turn", embedded)
    assert studied.finding is not None
    words = Counter(
        (shown(study_page(studied).blocks, width) + shown(claims_brief([studied]), width)).split()
    )
    for table in studied.finding.tables:
        for row in table.rows:
            needed = Counter(word for each in row[1:] for word in each.split())
            assert all(words[word] >= n for word, n in needed.items())
