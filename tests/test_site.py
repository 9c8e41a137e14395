"""The documentation as a site: built strictly, whole, and without a word to another host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import backtest
from tests.conftest import REPOSITORY
from tests.reporting.browser import chromium, opened

DOCS = REPOSITORY / "docs"


class Page(HTMLParser):
    """The references of a page, and what may be referred to in it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.references: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src", "action", "poster", "data") and value:
                self.references.add(value)
            if name == "srcset" and value:
                self.references.update(part.split()[0] for part in value.split(","))
            if name == "id" and value:
                self.anchors.add(value)


def test_every_public_name_has_its_place_in_the_reference() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\.\. auto\w+:: (\w+)$", text, re.MULTILINE)) == sorted(backtest.__all__)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for package in ("sphinx", "furo", "myst_nb"):
        pytest.importorskip(package, reason="the site needs the extra docs: make docs")
    folder = tmp_path_factory.mktemp("site")
    options = ["--fail-on-warning", "--keep-going", "--quiet", "-d", str(folder / "doctrees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(DOCS), str(folder / "site")],
        capture_output=True,
        text=True,
        env={**os.environ, "IPYTHONDIR": str(folder), "JUPYTER_PLATFORM_DIRS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {file: Page(file) for file in site.rglob("*.html")}


def test_no_page_refers_to_another_host(site: Path, pages: dict[Path, Page]) -> None:
    assert len(pages) > 20
    elsewhere = {
        (file.name, reference)
        for file, page in pages.items()
        for reference in page.references
        if urlsplit(reference).netloc or urlsplit(reference).scheme not in ("", "data")
    }
    texts = [*site.rglob("*.css"), *pages]
    called = [
        (file.name, found)
        for file in texts
        for found in re.findall(
            r"""(?:url\(\s*["']?|@import\s*["'])((?:https?:)?//[^"')]+)""", file.read_text(encoding="utf-8")
        )
    ]
    assert (elsewhere, called) == (set(), [])


def test_no_link_is_broken(site: Path, pages: dict[Path, Page]) -> None:
    broken = []
    for file, page in pages.items():
        for reference in page.references:
            parts = urlsplit(reference)
            if parts.scheme:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            there = target.is_file() and target.is_relative_to(site.resolve())
            anchored = not parts.fragment or target not in pages or parts.fragment in pages[target].anchors
            if not (there and anchored):
                broken.append((file.name, reference))
    assert broken == []


def test_the_gallery_is_in_it(site: Path) -> None:
    for kept in (REPOSITORY / "reports" / "gallery").iterdir():
        assert (site / "gallery" / kept.name).read_bytes() == kept.read_bytes()


def test_it_can_be_searched_from_a_disk(site: Path) -> None:
    with chromium() as browser, opened(browser, site / "index.html") as seen:
        box = seen.page.locator("input[name=q]").first
        box.fill("placebo")
        box.press("Enter")
        # The results come in one by one.
        seen.page.locator("#search-results li", has_text="Tuning").first.wait_for()
        assert [url for url in seen.asked if not url.startswith(("file:", "data:"))] == []
        assert seen.complaints == []


def test_every_page_fits_a_phone(site: Path) -> None:
    with chromium() as browser:
        for file in (*site.glob("*.html"), *site.glob("notebooks/*.html")):
            with opened(browser, file, width=390) as seen:
                assert (file.name, seen.overflow) == (file.name, 0)
