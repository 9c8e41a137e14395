"""Every way in which a server can fail, against the real download code and a real server."""

from __future__ import annotations

import io
import socket
import time
import zipfile
from typing import TYPE_CHECKING

import pytest
import requests
from urllib3 import Retry

from backtest.errors import DataError
from backtest.market import http
from backtest.market.catalogue import entry
from backtest.market.fetch import fetch, to_fetch
from backtest.market.store import Store
from backtest.market.text import unzipped
from tests.market.made import COPYRIGHT, FILES
from tests.market.server import answer, cut, hang_up, zipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from backtest.market.fetch import Outcome
    from tests.market.server import Fault, Library

AAA = FILES["AAA"]
SIX = FILES["6_Portfolios_2x3_CSV.zip"]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the retries, shorten the pauses."""
    monkeypatch.setattr(
        http.Session.__init__, "__kwdefaults__", {**http.Session.__init__.__kwdefaults__, "retries": QUICK}
    )


QUICK = Retry(total=2, backoff_factor=0.01, retry_after_max=120)


def _one(*names: str) -> Outcome:
    (outcome,) = fetch(to_fetch(names))
    return outcome


def _six_text() -> str:
    with zipfile.ZipFile(io.BytesIO(SIX)) as archive:
        return archive.read(archive.namelist()[0]).decode()


def _bomb(handler: BaseHTTPRequestHandler) -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("6_Portfolios_2x3.csv", b"0" * (http.LIMIT + 10))
    answer(sink.getvalue())(handler)


def _endless(handler: BaseHTTPRequestHandler) -> None:
    """Two gigabytes without saying so, in chunks."""
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    piece = b"observation_date,AAA\n" + b"1919-01-01,5.35\n" * 65536
    for _ in range(2**31 // len(piece)):
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))


def _silent(library: Library) -> Fault:
    return lambda _: (library.stop.wait(30), None)[1]


HTML = b"<!DOCTYPE html>\n<html><body>Scheduled maintenance</body></html>"
FRED_FAULTS: dict[str, tuple[Fault, str]] = {
    "404": (answer(b"", 404), "there is nothing of that name (404)"),
    "403": (answer(b"", 403), "the server answered 403"),
    "429": (answer(b"", 429), "asked too often (429)"),
    "500": (answer(b"oops", 500), "the server answered 500"),
    "cut in the middle": (cut(AAA), "cut off in the middle"),
    "hangs up": (hang_up, "the server hung up"),
    "too long a length": (answer(AAA, Content_Length=str(len(AAA) + 9)), "cut off in the middle"),
    "too short a length": (answer(AAA, Content_Length=str(len(AAA) - 9)), "its last line is not complete"),
    "an error page": (answer(HTML), "it is an HTML page"),
    "empty": (answer(b""), "it is empty"),
    "a header and nothing": (answer(b"observation_date,AAA\n"), "has no line of data"),
    "another series": (answer(AAA.replace(b"AAA", b"BBB", 1)), "has no column 'AAA'"),
    "no text": (answer(b"\x89PNG\r\n\xff\xfe\n"), "not UTF-8 text"),
    "another site": (
        answer(b"", 302, Location="http://localhost:9/AAA"),
        "sends on to http://localhost, which",
    ),
    "a file": (answer(b"", 301, Location="file:///etc/passwd"), "which is another site"),
    "another number": (answer(b"", 302, Location="//10.0.0.1/AAA"), "http://10.0.0.1, which is another site"),
    "two gigabytes": (answer(b"", Content_Length=str(2**31)), "larger than 200 MB"),
    "not gzip": (answer(AAA, Content_Encoding="gzip"), "could not be decompressed"),
    "a rate of 1000%": (
        answer(AAA.rstrip(b"\n") + b"\n2010-07-01,1000.0\n"),
        "1000 on 2010-07-01 is no possible",
    ),
    "a date twice": (answer(AAA.rstrip(b"\n") + b"\n2010-06-01,5.0\n"), "2010-06-01 stands twice"),
    "a date out of order": (answer(AAA.rstrip(b"\n") + b"\n2010-05-02,5.0\n"), "2010-05-02 comes after"),
    "a date to come": (answer(AAA.rstrip(b"\n") + b"\n2210-05-01,5.0\n"), "is to come"),
    "a field too many": (answer(AAA.rstrip(b"\n") + b"\n2010-07-01,5,0\n"), "has 3 fields"),
    "a spreadsheet's date": (answer(AAA.rstrip(b"\n") + b"\n01/07/2010,5.0\n"), "'01/07/2010' for a date"),
    "a comma for a point": (answer(AAA.rstrip(b"\n") + b'\n2010-07-01,"5,1"\n'), "'5,1' for a number"),
}


@pytest.mark.parametrize("fault", FRED_FAULTS)
def test_a_fault_of_fred_is_one_sentence_and_stores_nothing(fault: str, library: Library) -> None:
    act, said = FRED_FAULTS[fault]
    library.fails("AAA", act)
    outcome = _one("AAA")
    assert (outcome.status, said in outcome.said) == ("failed", True), outcome.said
    assert outcome.said.endswith("nothing of AAA is stored")
    assert "\n" not in outcome.said
    assert Store().ids() == []


def test_a_server_may_send_on_to_a_place_of_its_own(library: Library) -> None:
    library.fails("AAA", answer(b"", 302, Location="/elsewhere/BAA"))
    library.fails("BAA", answer(AAA))
    assert _one("AAA").status == "new"


def test_leaving_tls_is_refused() -> None:
    answered = requests.Response()
    answered.url, answered.status_code = "https://data.example.org/a", 302
    session = http.Session("AAA")
    answered.headers["location"] = "https://www.example.org/b"
    assert session.get_redirect_target(answered) == "https://www.example.org/b"
    answered.headers["location"] = "http://data.example.org/a"
    with pytest.raises(DataError, match="sends on to http://data.example.org"):
        session.get_redirect_target(answered)


@pytest.mark.parametrize("fault", ["404", "500", "an error page", "empty", "cut in the middle"])
def test_after_a_fault_what_was_stored_before_is_still_there_and_said(fault: str, library: Library) -> None:
    assert _one("AAA").status == "new"
    before = Store().find("AAA")
    library.fails("AAA", FRED_FAULTS[fault][0])
    (outcome,) = fetch([entry("AAA")], force=True)
    assert "the store still has AAA to 2010-06-01" in outcome.said
    assert Store().find("AAA") == before
    Store().read(before)


FRENCH_FAULTS: dict[str, tuple[Callable[[], Fault], str]] = {
    "404": (lambda: answer(b"", 404), "(404)"),
    "an error page": (lambda: answer(HTML), "it is an HTML page"),
    "empty": (lambda: answer(b""), "it is empty"),
    "no zip": (lambda: answer(b"Date,Mkt\n192607,1.0\n"), "it is not a zip file"),
    "cut in the middle": (lambda: cut(SIX), "cut off in the middle"),
    "a zip cut short": (lambda: answer(SIX[: len(SIX) // 2]), "the zip is damaged or cut off"),
    "a damaged zip": (lambda: answer(SIX[:5000] + b"\0" * 50 + SIX[5050:]), "the zip is damaged or cut off"),
    "a zip bomb": (lambda: _bomb, "unpacks to more than 200 MB"),
    "an absolute path": (lambda: answer(zipped("/etc/passwd", b"x")), "a path out of its folder"),
    "a path upwards": (lambda: answer(zipped("../../x.csv", b"x")), "a path out of its folder"),
    "ended early": (
        lambda: answer(zipped("x.csv", _six_text().replace(COPYRIGHT, "").encode())),
        "the file ended early",
    ),
    "a mangled header": (
        lambda: answer(zipped("x.csv", _six_text().replace("ME1 BM2", "1-ME").encode())),
        "no column 'ME1 BM2'",
    ),
    "a line too short": (
        lambda: answer(
            zipped("x.csv", _six_text().replace("\r\n198201,", "\r\n198201\r\n198202,", 1).encode())
        ),
        "was refused",
    ),
    "text among the numbers": (
        lambda: answer(zipped("x.csv", _six_text().replace("\r\n198201,", "\r\n198201, n/k", 1).encode())),
        "something else than numbers",
    ),
    "a table missing": (
        lambda: answer(zipped("x.csv", _six_text().replace("Value Weighted Returns", "V", 1).encode())),
        "has no monthly table",
    ),
}


@pytest.mark.parametrize("fault", FRENCH_FAULTS)
def test_a_fault_of_the_french_library_is_one_sentence_and_stores_nothing(
    fault: str, library: Library
) -> None:
    act, said = FRENCH_FAULTS[fault]
    library.fails("6_Portfolios_2x3_CSV.zip", act())
    (outcome,) = fetch([entry("6_Portfolios_2x3")])
    assert (outcome.status, said in outcome.said) == ("failed", True), outcome.said
    assert Store().ids() == []


def test_a_return_of_minus_100_percent_is_refused(library: Library) -> None:
    text = _six_text()
    line = next(row for row in text.split("\r\n") if row.startswith("198201,"))
    gone = text.replace(line, "198201, -100.0000" + line[16:], 1)
    library.fails("6_Portfolios_2x3_CSV.zip", answer(zipped("x.csv", gone.encode())))
    (outcome,) = fetch([entry("6_Portfolios_2x3")])
    assert "-100 on 1982-01-01 in SMALL LoBM is no possible percent a month" in outcome.said


def test_missing_value_codes_are_no_values(library: Library) -> None:
    text = _six_text()
    line = next(row for row in text.split("\r\n") if row.startswith("198201,"))
    holes = text.replace(line, "198201, -99.99, -999" + line[line.index(",", 24) :], 1)
    library.fails("6_Portfolios_2x3_CSV.zip", answer(zipped("x.csv", holes.encode())))
    (outcome,) = fetch([entry("6_Portfolios_2x3")])
    assert outcome.status == "new"
    assert outcome.said == "SMALL LoBM has no value for 1982-01; ME1 BM2 has no value for 1982-01"


def test_an_answer_that_takes_too_long_is_given_up(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATION_TIMEOUT", "0.2")
    library.fails("AAA", _silent(library))
    assert "no answer within 0.2 seconds" in _one("AAA").said
    assert library.asked == ["AAA"] * 3


def test_an_answer_that_drips_is_given_up(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATION_TIMEOUT", "0.05")

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not library.stop.wait(0.02):
            handler.wfile.write(b"#")
            handler.wfile.flush()

    library.fails("AAA", drip)
    assert "no answer within 0.05 seconds" in _one("AAA").said


def test_an_endless_answer_is_not_read_to_its_end(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(http.Session.__init__.__kwdefaults__, "limit", 2**22)
    library.fails("AAA", _endless)
    assert "larger than 4 MB" in _one("AAA").said


def test_a_refused_connection_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setenv("ROTATION_FRED_URL", f"http://127.0.0.1:{port}/fred")
    assert "the connection was refused" in _one("AAA").said


def test_a_fault_that_passes_is_tried_again(library: Library) -> None:
    library.fails("AAA", answer(b"", 500), cut(AAA), answer(AAA))
    assert _one("AAA").status == "new"
    assert library.asked == ["AAA"] * 3


def test_retry_after_is_kept_to(library: Library) -> None:
    library.fails("AAA", answer(b"", 429, Retry_After="1"), answer(AAA))
    start = time.monotonic()
    assert _one("AAA").status == "new"
    assert time.monotonic() - start >= 1.0


def test_what_will_not_pass_is_not_tried_again(library: Library) -> None:
    library.fails("AAA", answer(b"", 404))
    assert _one("AAA").status == "failed"
    assert library.asked == ["AAA"]


def test_a_file_that_ends_before_the_stored_one_is_refused(library: Library) -> None:
    assert _one("AAA").status == "new"
    library.fails("AAA", answer(AAA[: AAA.rindex(b"2010-06")]))
    (outcome,) = fetch([entry("AAA")], force=True)
    assert "it ends on 2010-05-01, but the stored one on 2010-06-01" in outcome.said


def test_unzipping_never_holds_more_than_its_limit() -> None:
    with pytest.raises(Exception, match="unpacks to more than 0 MB"):
        unzipped(zipped("x.csv", b"0" * 1000), "x", limit=999)
    assert unzipped(zipped("x.csv", b"0" * 1000), "x", limit=1000) == b"0" * 1000
