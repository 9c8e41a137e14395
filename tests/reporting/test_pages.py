"""The pages as a reader opens them: in a browser, on a phone, in the dark, on paper, and with a hostile name."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest

from backtest import MarketData, compare, run
from backtest.errors import UsageError
from backtest.reporting.folder import write_report
from backtest.reporting.gallery import write_gallery
from backtest.reporting.html import unbroken
from tests.reporting.browser import chromium, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

HOSTILE = '''\
"""<script>alert("thesis")</script> & "quotes" <img src=x onerror=alert(1)>"""

from backtest import Market, Months, main, param, rotate, strategy


@strategy
def hostile(market: Market, hold: Months = param(24, low=1, high=60, help="<b>hold</b>")):
    cuts = market.policy.first_cuts(quiet=12, at_least=0.25)
    return rotate(cuts.within(0, hold), into="small", otherwise="large")


hostile = type(hostile)(**{**vars(hostile), "name": "<script>alert('name')</script>"})
'''


def said(folder: Path) -> str:
    """Return a page without the marks around what no line breaks."""
    page = (folder / "index.html").read_text()
    return re.sub(r'<span class="unbroken">(.*?)</span>', r"\1", page)


@pytest.fixture(scope="module")
def report(embedded: MarketData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(run("rate_cut", embedded), tmp_path_factory.mktemp("run") / "report")


@pytest.fixture(scope="module")
def comparison(embedded: MarketData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = [run(name, embedded) for name in ("rate_cut", "buy_and_hold", "valuation_discount")]
    return compare(*runs).report(tmp_path_factory.mktemp("compare") / "page")


@pytest.fixture(scope="module")
def hostile(embedded: MarketData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("<i>hostile")
    (folder / "hostile.py").write_text(HOSTILE)
    result = run(str(folder / "hostile.py"), embedded)
    assert result.strategy.name == "<script>alert('name')</script>"
    write_report(result, folder / "report")
    compare(result, run("rate_cut", embedded)).report(folder / "compare")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("kind", "figures"), [("report", 6), ("comparison", 4)])
def test_a_page_opens_offline_without_complaint_and_without_sideways_scrolling(
    browser: Browser, request: pytest.FixtureRequest, kind: str, figures: int, width: int, scheme: str
) -> None:
    file = request.getfixturevalue(kind) / "index.html"
    with opened(browser, file, width, scheme) as seen:
        assert seen.complaints == []
        assert [url for url in seen.asked if not url.startswith(("file:", "data:"))] == []
        assert seen.overflow <= 0
        shown = seen.page.locator("figure.chart").all()
        assert len(shown) == figures
        for figure in shown:
            box = figure.bounding_box()
            assert box is not None
            assert box["width"] > 300
            assert box["height"] > 150
            assert figure.locator(".curve, .boxes, .dots").count() > 1
        assert min(float(size) for size in seen.page.evaluate(LETTERS)) > 11
        assert seen.page.evaluate(BEYOND) == []


LETTERS = """
[...document.querySelectorAll('figure span, figure p')].filter(e => e.textContent.trim()).map(
  e => parseFloat(getComputedStyle(e).fontSize))
"""
"""The sizes of the figures' letters on the screen, in pixels."""

BEYOND = """
[...document.querySelectorAll('figure span, figure p')].filter(e => {
  const box = e.getBoundingClientRect(), left = 0, right = document.documentElement.clientWidth;
  return box.width && !e.closest('.scroll') && (box.left < left || box.right > right);
}).map(e => e.textContent)
"""
"""The letters of figures of which a part lies beyond an edge of the page, but for what can be scrolled to."""


def test_ink_and_paper_change_places_in_the_dark(browser: Browser, report: Path) -> None:
    seen_colours = {}
    for scheme in ("light", "dark"):
        with opened(browser, report / "index.html", scheme=scheme) as seen:
            seen_colours[scheme] = seen.page.evaluate(
                "[getComputedStyle(document.body).backgroundColor, "
                "getComputedStyle(document.querySelector('#drawdown .curve:last-of-type')).stroke]"
            )
    assert seen_colours["light"] == ["rgb(255, 255, 255)", "rgb(17, 17, 17)"]
    assert seen_colours["dark"] == ["rgb(22, 24, 26)", "rgb(244, 244, 244)"]


def test_it_prints_on_a_few_pages(browser: Browser, report: Path) -> None:
    with opened(browser, report / "index.html", scheme="dark") as seen:
        paper = seen.page.pdf(prefer_css_page_size=True)
        assert paper.startswith(b"%PDF")
        assert 4 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 10
        seen.page.emulate_media(media="print", color_scheme="dark")
        ground = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)"


class _Elements(HTMLParser):
    """Collects every element and attribute that a page really has."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("page", ["report/index.html", "compare/index.html"])
def test_what_a_stranger_wrote_is_only_text(hostile: Path, page: str) -> None:
    elements = _Elements()
    elements.feed((hostile / page).read_text())
    assert elements.tags.count("script") == 1  # the page's own
    assert "img" not in elements.tags
    assert [name for name in elements.names if name.startswith("on")] == []
    assert "<script>alert('name')</script>" in elements.text
    assert '<script>alert("thesis")</script>' in elements.text


@pytest.mark.parametrize("page", ["report/index.html", "compare/index.html"])
def test_nothing_a_stranger_wrote_runs(browser: Browser, hostile: Path, page: str) -> None:
    with opened(browser, hostile / page) as seen:
        seen.page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
        seen.page.reload()
        assert seen.complaints == []
        assert seen.overflow <= 0
        assert seen.page.title().startswith(("<script>", "2 runs"))


def test_the_page_says_window_costs_tries_and_verdict_before_any_measure_and_all_terms_after(
    report: Path,
) -> None:
    text = re.sub(r"<[^>]+>|&#\d+;", " ", said(report))
    order = ["large caps otherwise", "Cannot be told: Alpha", "422 monthly bars; 10 bp a side; 1 combination tried",
             "Proxy: small and large", "Sharpe ratio", "What it saw",
             "on what was known before it", "10 bp of traded", "FED_TARGET 2026-10-09"]  # fmt: skip
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    alpha = json.loads((report / "sheet.json").read_text())["intervals"]["measures"]["alpha"]
    low, high = (f"{alpha[end]:+.2%}".replace("-", "\u2212") for end in ("low", "high"))
    assert f"95% interval {low} to {high}" in text


def test_the_page_speaks_of_the_end_of_the_data_not_of_now(report: Path) -> None:
    page = (report / "index.html").read_text()
    assert "<span>held on 2018-11-30</span>" in page
    assert "now" not in re.sub(r"(?s)<svg.*?</svg>|<style>.*?</style>|known", " ", page)


@pytest.mark.parametrize("width", [320, 360, 390, 430, 700])
def test_no_line_ends_within_the_name_of_an_option_and_a_copy_is_the_text(
    browser: Browser, report: Path, embedded: MarketData, width: int
) -> None:
    with opened(browser, report / "index.html", width) as seen:
        options = seen.page.locator("dl.terms .unbroken").all()
        assert "--market" in [option.inner_text() for option in options]
        for option in options:
            assert option.evaluate("e => e.getClientRects().length") == 1
        copied = " ".join(seen.page.locator("dl.terms").inner_text().split())
        assert " ".join(embedded.more.split()) in copied
        assert seen.overflow <= 0


def test_what_is_kept_unbroken_is_escaped() -> None:
    assert str(unbroken('<b>--market "x" & --</b>')) == (
        '&lt;b&gt;<span class="unbroken">--market</span> &#34;x&#34; &amp; --&lt;/b&gt;'
    )
    assert "<span" not in unbroken("a--b, 2018--2019, ---, --" + "x" * 60)


def test_no_date_is_broken() -> None:
    kept = '<span class="unbroken">1990-07-31</span> to <span class="unbroken">2018-11</span>.'
    assert str(unbroken("1990-07-31 to 2018-11.")) == kept
    assert "<span" not in unbroken("2018-2019, 12-12-2018, 1990-07-311, a1990-07-31")


def test_no_table_is_wider_than_a_screen(browser: Browser, embedded: MarketData, tmp_path: Path) -> None:
    # Long names above narrow columns, and the growth of ninety years, which has the longest numbers.
    trend = run("small_momentum", embedded, months=12)
    write_report(trend, tmp_path / "report")
    longest = run("valuation_discount", embedded)
    other = run("valuation_discount", embedded, measure="level", wide=70, closed=30)
    compare(longest, other, trend, trend).report(tmp_path / "compare")
    for page in ("report", "compare"):
        with opened(browser, tmp_path / page / "index.html", 1100) as seen:
            assert seen.page.evaluate(WIDER) == []


def test_long_tables_are_folded_on_the_screen_and_whole_in_print(
    browser: Browser, embedded: MarketData, tmp_path: Path
) -> None:
    result = run("trend", embedded)
    write_report(result, tmp_path / "report")
    with opened(browser, tmp_path / "report" / "index.html", 1400) as seen:
        assert seen.page.evaluate("document.documentElement.scrollHeight") < 12_000
        hidden = seen.page.locator("details tbody tr").all()
        assert seen.page.locator("summary").all_inner_texts() == [
            f"{len(set(result.returns.index.year)) - 15} more rows",
            f"{1 + int(result.metrics['switches']) - 10} more rows",
        ]
        assert not hidden[-1].is_visible()
        seen.page.locator("summary").last.click()
        assert hidden[-1].is_visible()
        seen.page.reload()
        seen.page.emulate_media(media="print")
        box = seen.page.locator("details tbody tr").last.bounding_box()
        assert box is not None
        assert box["height"] > 5


def test_on_a_phone_the_columns_that_matter_are_seen_at_once(
    browser: Browser, report: Path, comparison: Path
) -> None:
    with opened(browser, comparison / "index.html", 390) as seen:
        assert seen.page.evaluate(WIDER) == []
    with opened(browser, report / "index.html", 390) as seen:
        for head in ("95% interval", "less market, 95%", "less", "Gain", "sha256"):
            box = seen.page.get_by_role("columnheader", name=head, exact=True).first.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= 390 - 8, head


WIDER = """
[...document.querySelectorAll('.box')].filter(b => b.scrollWidth > b.clientWidth).map(b => b.innerText)
"""
"""The tables of which a part lies beyond the right edge."""


def test_the_regimes_say_how_they_are_defined_and_what_they_cover(
    embedded: MarketData, tmp_path: Path
) -> None:
    result = run("buy_and_hold", embedded)
    page = said(write_report(result, tmp_path / "report"))
    known_from = embedded.observations["FED_TARGET"].known_at[0]
    rated = int((result.returns.index.to_numpy().astype("datetime64[D]") >= known_from).sum())
    assert 0 < rated < len(result.returns)
    assert (
        f"only the {rated:,} of {len(result.returns):,} months for which the rate, from {known_from} on"
        in page
    )
    target = embedded.observations["FED_TARGET"]
    first_cut = target.known_at[1:][np.diff(target.values) < 0.0][0]
    assert (
        f"The blue shading of the figures, the cuts, starts on {first_cut}: cuts before {known_from}" in page
    )
    assert "Wide: the discount known at the fill before the bar is above its median" in page
    no_cut = run("buy_and_hold", embedded, end="1960-12-30")
    page = said(write_report(no_cut, tmp_path / "early"))
    assert "Nothing is shaded blue in the figures: no cut is known in these years." in page


def test_a_page_is_small(report: Path, comparison: Path) -> None:
    for page in (report, comparison):
        assert (page / "index.html").stat().st_size < 1_500_000
        html = (page / "index.html").read_text()
        ids = re.findall(r'\bid="([^"]+)"', html)
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("extra", ["sub/thesis.txt", "notes.txt", ""])
def test_only_a_gallery_is_replaced(extra: str, embedded: MarketData, tmp_path: Path) -> None:
    place = tmp_path / "precious"
    (place / "sub").mkdir(parents=True) if "/" in extra else place.mkdir()
    (place / "index.html").write_text("<title>mine</title>")
    if extra:
        (place / extra).write_text("years of work")
    with pytest.raises(UsageError, match="precious is no gallery"):
        write_gallery(embedded, place)
    assert (place / "index.html").read_text() == "<title>mine</title>"


def test_a_gallery_that_cannot_be_written_says_where(embedded: MarketData, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file is not a folder; name another one with --out"):
        write_gallery(embedded, tmp_path / "file" / "g")


def test_the_gallery_is_complete_small_and_the_same_again(
    embedded: MarketData, tmp_path: Path, browser: Browser
) -> None:
    left_out = write_gallery(embedded, tmp_path / "gallery")
    first = {p.name: p.read_bytes() for p in (tmp_path / "gallery").iterdir()}
    assert "rate_cut.html" in first
    assert "volatility" in left_out
    assert sum(map(len, first.values())) < 2_000_000
    pages = [name for name in first if name.endswith(".html") and name != "index.html"]
    assert {name.replace(".html", ".png") for name in pages} < set(first)
    saw = {name.removesuffix("-saw.png") for name in first if name.endswith("-saw.png")}
    assert saw == {name.removesuffix(".html") for name in pages} - {"balanced", "buy_and_hold", "january"}
    assert {name.replace(".html", "-starts.png") for name in pages} < set(first)
    assert (
        b"led by 0.57% a year over the whole, and trailed by 1.82% a year since 2009" in first["january.html"]
    )
    assert first["credit.html"].index(b"credit-saw.png") < first["credit.html"].index(b"credit.png")
    write_gallery(embedded, tmp_path / "gallery")
    assert {p.name: p.read_bytes() for p in (tmp_path / "gallery").iterdir()} == first
    with opened(browser, tmp_path / "gallery" / "index.html", 390) as seen:
        assert seen.complaints == []
        assert seen.overflow <= 0
        assert seen.page.locator("tbody tr").count() == len(pages)
        seen.page.get_by_role("link", name="rate_cut", exact=True).click()
        assert seen.page.evaluate("document.querySelector('img').naturalWidth") > 500
        assert seen.overflow <= 0
        assert seen.complaints == []
