"""What docs/security.md promises: each sentence names tests that exist, and those that stand nowhere else are here."""

from __future__ import annotations

import ast
import http.server
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import backtest
from backtest import run
from backtest.cli.universe import universe
from backtest.errors import DataError
from backtest.files import whole_file
from backtest.folders import as_one_name
from backtest.market.http import Session
from backtest.reporting.folder import default_place
from backtest.tuning.tune import default_folder, tune
from tests.conftest import REPOSITORY
from tests.universe.made import saved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backtest import MarketData

TEXT = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
PACKAGE = Path(backtest.__file__).parent
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def test_every_sentence_names_tests_and_they_exist() -> None:
    bullets = re.findall(r"^- (.+?)(?=^- |^\S|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert len(bullets) > 20
    for bullet in bullets:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", bullet)
        assert named, f"names no test: {bullet}"
        for file, test in named:
            place = REPOSITORY / file
            assert place.is_file(), file
            assert re.search(rf"^def {test}\b", place.read_text(encoding="utf-8"), re.MULTILINE), test


def calls(module: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield str(path.relative_to(PACKAGE)), ast.parse(path.read_text(encoding="utf-8"))


RUNS = re.compile(
    r"eval|exec|os\.(system|popen|exec\w*|spawn\w*)|.*pickle\.loads?|marshal\.loads?|.*yaml\.load|shelve\.open"
)


def test_nothing_that_is_read_can_run() -> None:
    found = {(file, name) for file, tree in modules() for name, _ in calls(tree) if RUNS.fullmatch(name)}
    ours = {
        ("scripting/loading.py", "exec"),
        ("compiling.py", "exec"),
        ("tuning/executors.py", "pickle.loads"),
    }  # a script; the formulas of our own measures; in a worker, what this program itself has packed for it
    assert found == ours
    loose = [
        (file, name)
        for file, tree in modules()
        for name, call in calls(tree)
        for word in call.keywords
        if word.arg in ("allow_pickle", "shell")
        and not (isinstance(word.value, ast.Constant) and not word.value.value)
    ]
    assert loose == []


def test_nothing_switches_the_check_of_certificates_off() -> None:
    for file, tree in modules():
        text = ast.unparse(tree)
        assert not re.search(r"CERT_NONE|_create_unverified_context|check_hostname|disable_warnings", text), (
            file
        )
        for name, call in calls(tree):
            assert "verify" not in {word.arg for word in call.keywords}, (file, name)
        stores = [
            node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "verify"
        ]
        assert not any(isinstance(node.ctx, ast.Store) for node in stores), file


HOSTS = {"data.bis.org", "mba.tuck.dartmouth.edu"}
"""What the package asks itself; FRED's, ALFRED's and Yahoo's addresses are those of their libraries."""


def test_only_the_hosts_of_sources_are_named() -> None:
    named = {
        (file.split("/")[0], host)
        for file, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for host in re.findall(r"\bhttps?://([\w.-]+\.\w+)", node.value)
    }
    assert {host for room, host in named if room == "market"} == HOSTS
    # The name of SVG, which nobody asks; and where the explorer serves its page.
    assert {host for _, host in named} - HOSTS <= {"www.w3.org", "127.0.0.1"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that somebody has given to themselves, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    place = tmp_path_factory.mktemp("tls") / "own.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    own = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run(
        [openssl, *own, "-keyout", place, "-out", place.with_suffix(".crt")], check=True, capture_output=True
    )
    place.write_bytes(place.read_bytes() + place.with_suffix(".crt").read_bytes())
    return place


def test_a_server_that_cannot_show_who_it_is_is_refused(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    try:
        from urllib3 import Retry

        with pytest.raises(DataError, match="AAA could not be fetched"):
            Session("AAA", retries=Retry(total=0)).get(f"https://localhost:{server.server_address[1]}/AAA")
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []


def test_a_run_opens_no_connection(
    embedded: MarketData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def connect(_: socket.socket, address: object) -> None:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    run("rate_cut", embedded).report(tmp_path / "run")
    tune("rate_cut", embedded, grid={"hold": "12,24"}, placebo=2, out=tmp_path / "sweep")
    assert asked == []


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    precious, place = tmp_path / "precious", tmp_path / "table.csv"
    precious.write_text("years of work")
    place.symlink_to(precious)
    with whole_file(place, "the table", "") as file:
        file.write(b"new")
    assert precious.read_text() == "years of work"
    assert not place.is_symlink()
    assert place.read_bytes() == b"new"


@pytest.mark.parametrize(
    "name", ["../../evil", "..", ".", "", "/etc/evil", "a/b", "a\\b", "nul\0l", EVIL, ".hidden", "x" * 900]
)
@pytest.mark.parametrize("place", [default_place, default_folder])
def test_a_name_becomes_one_folder(
    name: str, place: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = place(name)
    assert len(made.parts) == 3
    assert made.resolve().parent.parent == (tmp_path / "reports").resolve()
    made.mkdir(parents=True)
    assert as_one_name("rate_cut-on-french_world") == "rate_cut-on-french_world"


def test_a_zip_is_unpacked_in_its_place(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"date": pd.bdate_range("2020-01-01", periods=50), "company": "A", "price": 1.0, "shares": 2.0}
    )
    folder = tmp_path / "deep" / "here"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "t.zip", "w") as archive:
        for name in ("../../evil.csv", "/evil2.csv", "..\\..\\evil3.csv"):
            archive.writestr(name, table.to_csv(index=False))
    before = set(tmp_path.rglob("*"))
    universe("rotation universe", None, ["classify", str(folder / "t.zip"), "--json"])
    assert set(tmp_path.rglob("*")) == before
    assert not Path("/evil2.csv").exists()


NAMES = (
    "'); DROP TABLE raw; --",
    '"; DROP TABLE source; --',
    "' OR 1=1 --",
    "$1",
    "{x}",
    "%s",
    "\\'; --",
    "Robert'); DROP VIEW typed;--",
)


def test_names_are_no_queries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dates = pd.bdate_range("2020-01-01", periods=70)

    def told(companies: tuple[str, ...], columns: dict[str, str], name: str) -> dict[str, object]:
        made = pd.MultiIndex.from_product([dates, range(len(companies))], names=["date", "company"]).to_frame(
            index=False
        )
        made = made.assign(price=10.0 + made["company"], shares=1e6, industry="Tools")
        made["company"] = made["company"].map(dict(enumerate(companies)))
        path = saved(made.rename(columns=columns), tmp_path, name)
        mapping = tmp_path / "mapping.toml"
        lines = [f"{ours} = {json.dumps(theirs)}" for ours, theirs in columns.items()]
        mapping.write_text("\n".join(["[columns]", *lines, ""]))
        assert (
            universe("rotation universe", None, ["classify", str(path), "--mapping", str(mapping), "--json"])
            == 0
        )
        said: dict[str, object] = json.loads(capsys.readouterr().out)
        return said

    plain = tuple(f"C{number}" for number in range(len(NAMES)))
    expected = told(plain, {"company": "company", "price": "price"}, "plain.csv")
    hostile = {"company": 'x"; DROP TABLE source; --', "price": "'); DROP VIEW typed; --"}
    assert told(NAMES, hostile, "it's '; DROP.csv") == expected


class _Elements(HTMLParser):
    """What elements and attributes a page really has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag, *(name for name, _ in attrs)]

    def handle_data(self, data: str) -> None:
        self.text += data


def refuse_what_runs(page: str, scripts: int) -> None:
    elements = _Elements()
    elements.feed(page)
    assert elements.found.count("script") == scripts
    assert "img" not in elements.found
    assert [each for each in elements.found if each.startswith("on")] == []
    assert "alert(1)" in elements.text


def test_hostile_names_are_text_on_the_other_pages(embedded: MarketData, tmp_path: Path) -> None:
    from dataclasses import replace

    from backtest.reporting.html import render
    from backtest.reporting.sweep_page import sweep_page
    from backtest.scripting.loading import load_strategy

    strategy = replace(load_strategy("rate_cut"), name=EVIL, about=EVIL)
    sweep = tune(
        strategy, replace(embedded, name=EVIL), grid={"hold": "12,24"}, placebo=2, out=tmp_path / "s"
    )
    refuse_what_runs(render(sweep_page(sweep)), scripts=1)

    dates = pd.bdate_range("2020-01-01", periods=70)
    made = pd.MultiIndex.from_product([dates, range(6)], names=["date", "company"]).to_frame(index=False)
    made = made.assign(price=10.0 + made["company"], shares=1e6, industry=EVIL, name=EVIL)
    made.loc[made["company"] == 3, "price"] = -1.0
    made["company"] = EVIL + made["company"].astype(str)
    folder = tmp_path / EVIL.replace("/", "")
    folder.mkdir()
    path = saved(made, folder, f"{EVIL.replace('/', '')}.csv")
    assert (
        universe("rotation universe", None, ["build", str(path), "--out", str(tmp_path / "built"), "--json"])
        == 0
    )
    refuse_what_runs((tmp_path / "built" / "index.html").read_text(), scripts=1)
