"""The server: on this machine alone, to its own page alone; and whatever it is asked, it answers in a sentence."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from backtest import MarketData, load_strategy
from backtest.errors import UsageError
from backtest.explore import server as module
from backtest.explore.server import Explorer
from backtest.explore.sitting import Sitting
from backtest.terms import Terms

START = {"values": [{}], "terms": {}, "linear": False, "applied": 0}


@contextmanager
def serving(make: Callable[[], Sitting], port: int = 8900) -> Iterator[Explorer]:
    with Explorer(make, port) as explorer:
        thread = threading.Thread(target=explorer.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield explorer
        finally:
            explorer.shutdown()
            thread.join()


def sitting_of(market: MarketData, *names: str, hidden: str | None = None) -> Sitting:
    strategies = [load_strategy(name) for name in names]
    return Sitting(names, strategies, market, Terms(), [{} for _ in names], hidden)


def words(html: str) -> str:
    """Return what a page says, without how it looks."""
    return re.sub(r"<[^<>]*>", "", html)


class Client:
    """Asks as a page does."""

    def __init__(self, explorer: Explorer) -> None:
        self.port = explorer.server_address[1]
        self.root = f"/{explorer.token}/"
        _, headers, _ = self.ask("GET", self.root)
        self.place = headers["Location"]

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def post(self, door: str, asked: Any) -> dict[str, Any]:
        status, _, content = self.ask("POST", self.place + door, json.dumps(asked).encode())
        assert status == 200
        return dict(json.loads(content))


@pytest.fixture
def explorer(embedded: MarketData) -> Iterator[Explorer]:
    with serving(lambda: sitting_of(embedded, "rate_cut")) as running:
        yield running


def test_it_listens_on_this_machine_alone(explorer: Explorer) -> None:
    assert explorer.socket.getsockname()[0] == "127.0.0.1"
    assert explorer.address.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 404),
        ("GET", "/wrong/", {}, 404),
        ("GET", "{root}nobody/", {}, 404),
        ("GET", "{place}secret", {}, 404),
        ("GET", "{place}../../etc/passwd", {}, 404),
        ("GET", "{root}", {"Host": "evil.example"}, 403),
        ("GET", "{root}", {"Host": "127.0.0.1"}, 403),
        ("POST", "{place}move", {"Origin": "https://evil.example"}, 403),
        ("POST", "{place}move", {"Origin": "null"}, 403),
        ("POST", "{place}nothing", {}, 404),
        ("POST", "{root}", {}, 404),
        ("POST", "/wrong/move", {}, 404),
        ("PUT", "{place}move", {}, 501),
        ("OPTIONS", "{place}move", {}, 501),
    ],
)
def test_whoever_is_not_its_page_is_refused(
    explorer: Explorer, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    client = Client(explorer)
    asked = path.format(root=client.root, place=client.place)
    assert client.ask(method, asked, json.dumps(START).encode(), **headers)[0] == status
    assert explorer.tried == 0


def test_a_question_that_is_too_long_is_refused(explorer: Explorer) -> None:
    client = Client(explorer)
    assert client.ask("POST", client.place + "move", b" " * 70_000)[0] == 413
    assert client.ask("POST", client.place + "move", None, Transfer_Encoding="chunked")[0] == 413


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({**START, "values": [{"hold": 99}]}, "hold must lie in 1 to 60 months, not 99"),
        ({**START, "terms": {"start": "2030-01-01"}}, "lies outside the data"),
        ({**START, "terms": {"start": "2010-01-29", "end": "1999-01-29"}}, "must lie before the end"),
        ({**START, "terms": {"benchmark": "smal"}}, "there is no benchmark 'smal'"),
        ({"values": 3}, "the page asked for what cannot be read"),
        ([], "the page asked for what cannot be read"),
        ({**START, "values": []}, "reload the page"),
    ],
)
def test_a_wrong_question_gets_a_sentence_and_the_next_is_answered(
    explorer: Explorer, asked: Any, said: str
) -> None:
    client = Client(explorer)
    assert said in client.post("move", asked)["error"]
    _, _, answer = client.ask("POST", client.place + "move", b'{"values": [{"\xe1": 1}]}')
    assert b"the page asked for what cannot be read" in answer
    assert "figure" in client.post("move", START)
    assert explorer.tried == 1


def test_a_fault_of_ours_is_said_and_the_server_goes_on(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(explorer)
    with monkeypatch.context() as patch:
        patch.setattr(Sitting, "shown", lambda *_: 1 / 0)
        assert "this is our fault" in client.post("move", START)["error"]
    assert "figure" in client.post("move", START)


def test_only_what_changed_travels_and_a_page_that_missed_it_gets_all(explorer: Explorer) -> None:
    client = Client(explorer)
    first = client.post("move", START)
    moved = {**START, "values": [{"hold": 18}], "applied": first["answer"]}
    second = client.post("move", moved)
    assert "figure" not in second
    # The rate that it saw is the same; growth, value, falls and holdings are not.
    assert sorted(second["plots"]) == ["0", "1", "2", "4"]
    third = client.post("move", moved)  # which has not drawn the second
    assert "figure" in third
    assert client.post("move", {**moved, "applied": third["answer"]})["plots"] == {}


def test_two_pages_do_not_see_each_other(explorer: Explorer) -> None:
    one, other = Client(explorer), Client(explorer)
    assert one.place != other.place
    for hold in (12, 18, 24):
        one.post("move", {**START, "values": [{"hold": hold}]})
    assert "1 position tried" in other.post("move", START)["parts"]["tried"]
    assert "3 positions tried" in one.post("move", START)["parts"]["tried"]
    assert explorer.tried == 4


def test_what_follows_a_moment_later_is_left_out_when_the_hand_has_moved_on(explorer: Explorer) -> None:
    client = Client(explorer)
    client.post("move", START)
    assert "verdict" in client.post("settle", START)["parts"]
    client.post("move", {**START, "values": [{"hold": 18}]})
    assert client.post("settle", START) == {}


def test_all_points_of_a_plane_are_counted_once(explorer: Explorer) -> None:
    client = Client(explorer)
    client.post("move", START)
    asked = {"wanted": START, "which": 0, "across": "delay", "up": "hold", "objective": "sharpe"}
    for _ in range(2):
        found = client.post("plane", asked)["parts"]
        assert "1,500 positions tried" in found["tried"]
    assert "did you mean" in client.post("plane", {**asked, "up": "holt"})["error"]
    assert "reload" in client.post("plane", {**asked, "which": 7})["error"]


def test_what_is_hidden_is_in_no_answer_until_it_is_shown_once(embedded: MarketData) -> None:
    with serving(lambda: sitting_of(embedded, "rate_cut", hidden="1999-12-31")) as running:
        client = Client(running)
        for what in ("start", "end"):
            said = client.post("move", {**START, "terms": {what: "2001-01-31"}})["error"]
            assert said == f"the {what} 2001-01-31 lies in what is hidden, all that came after 1999-12-31"
        for terms in ({}, {"end": "1999-12-31"}):
            moved = client.post("move", {**START, "terms": terms})
            settled = client.post("settle", {**START, "terms": terms})
            said = json.dumps([moved, settled])
            # Dates, and the years below the figure.
            assert max(re.findall(r"\b(?:19|20)\d\d(?=-\d\d|<)", said)) == "1999"
            assert "1983-09-30 to 1999-12-31" in words(said)
        shown = client.post("reveal", START)["parts"]["revealed"]
        assert "1999-12-31 to 2018-11-30" in words(shown)
        assert "Shown once, after 1 tried" in words(shown)
        assert client.post("reveal", START)["error"] == "nothing is hidden in this sitting"
        assert "is hidden no more" in client.post("move", START)["parts"]["tried"]
        assert "2018" in json.dumps(client.post("settle", START))


def test_a_taken_port_finds_the_next_and_none_is_said(
    explorer: Explorer, embedded: MarketData, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = explorer.server_address[1]
    with serving(lambda: sitting_of(embedded, "rate_cut"), taken) as other:
        assert other.server_address[1] > taken
    monkeypatch.setattr(module, "_PORTS", 1)
    with pytest.raises(UsageError) as error:
        Explorer(lambda: sitting_of(embedded, "rate_cut"), taken)
    assert str(error.value) == f"no port from {taken} to {taken} is free; name another one with --port"


def test_it_knows_whether_a_page_is_open(explorer: Explorer) -> None:
    client = Client(explorer)
    assert explorer.idle == 0.0  # nobody has come yet
    with socket.create_connection(("127.0.0.1", client.port)) as page:
        page.sendall(f"GET {client.place}news HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n\r\n".encode())
        assert b"text/event-stream" in page.recv(4096)
        page.recv(4096)
        assert explorer.idle == 0.0
    for _ in range(200):
        if explorer.idle > 0.0:
            break
        threading.Event().wait(0.05)
    assert explorer.idle > 0.0


HOSTILE = "</script><img src=x onerror=alert(1)>\"'&<b>"


def test_a_strategys_words_are_escaped_wherever_they_stand(embedded: MarketData, tmp_path: Path) -> None:
    script = tmp_path / "hostile.py"
    script.write_text(
        f'''"""{HOSTILE.replace('"', "'")}"""
from backtest import Choice, Market, Months, param, rotate, strategy

@strategy
def hostile(
    market: Market,
    months: Months = param(12, low=1, high=24, help={HOSTILE!r}),
    word: Choice = param({HOSTILE!r}, choices=({HOSTILE!r}, "plain"), help={HOSTILE!r}),
):
    """{HOSTILE.replace('"', "'")}"""
    return rotate(market.relative("small", "large", months=months) > 0, into="small", otherwise="large")
'''
    )
    strategy = load_strategy(str(script))
    sitting = Sitting([str(script)], [strategy], embedded, Terms(), [{}])
    with serving(lambda: sitting) as running:
        client = Client(running)
        _, headers, content = client.ask("GET", client.place)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'nonce-" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
        text = content.decode()
        assert text.count("</script>") == 1
        said = text + "".join(
            html for door in ("move", "settle") for html in client.post(door, START)["parts"].values()
        )
        assert "<img" not in said
        assert "onerror" in said


def test_the_tokens_stay_out_of_other_sites_and_of_the_cache(explorer: Explorer) -> None:
    client = Client(explorer)
    for answer in (client.ask("GET", client.place), client.ask("POST", client.place + "move", b"{}")):
        assert answer[1]["Referrer-Policy"] == "no-referrer"
        assert answer[1]["Cache-Control"] == "no-store"
    assert len(explorer.token) >= 20
