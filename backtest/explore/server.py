"""The server of an explorer: on 127.0.0.1 alone, behind a token, and gone when its pages are."""

from __future__ import annotations

import contextlib
import hmac
import http
import json
import secrets
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import msgspec

from backtest.errors import RotationError, UsageError
from backtest.explore.answers import Answers
from backtest.explore.parts import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.explore.sitting import Sitting

PORT = 8787
"""The port that is asked for first."""

_PORTS = 100  # how many are tried, one after another
_LARGEST = 64 << 10  # bytes of a question
_MOST_SITTINGS = 50
_BEAT = 1.0  # seconds between two looks at the scripts, and at whether the page is still there


class Explorer(ThreadingHTTPServer):
    """Serves sittings, each to the page that began it.

    Parameters
    ----------
    make
        Gives a new sitting.
    port
        The port, or where it is taken the next one that is free.

    Raises
    ------
    UsageError
        When none of the next hundred is free.
    """

    daemon_threads = True

    def __init__(self, make: Callable[[], Sitting], port: int = PORT) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.make, self.token = make, secrets.token_urlsafe(16)
        self.sittings: dict[str, Answers] = {}
        self._open, self._lock = 0, threading.Lock()
        self._left: float | None = None
        self._bind(port)

    def _bind(self, port: int) -> None:
        for each in range(port, min(port + _PORTS, 65536)):
            self.server_address = ("127.0.0.1", each)
            with contextlib.suppress(OSError):
                self.server_bind()
                self.server_activate()
                return
        self.server_close()
        raise UsageError(f"no port from {port} to {port + _PORTS - 1} is free; name another one with --port")

    # Without this a port that another program listens on could be taken as well, on some systems.
    allow_reuse_address = False

    @property
    def address(self) -> str:
        """The address of a new sitting."""
        return f"http://127.0.0.1:{self.server_address[1]}/{self.token}/"

    @property
    def idle(self) -> float:
        """For how many seconds no page has been open, since the last one was; 0 before the first."""
        with self._lock:
            return 0.0 if self._open or self._left is None else time.monotonic() - self._left

    @property
    def tried(self) -> int:
        """How many positions were tried, in all sittings."""
        return sum(len(each.sitting.tries) for each in self.sittings.values())

    def begin(self) -> str:
        """Begin a sitting and return its name.

        Raises
        ------
        UsageError
            When there are too many.
        """
        with self._lock:
            if len(self.sittings) >= _MOST_SITTINGS:
                raise UsageError(f"{_MOST_SITTINGS} sittings are open; start rotation explore anew")
            name = secrets.token_urlsafe(8)
            self.sittings[name] = Answers(self.make())
        return name

    @contextlib.contextmanager
    def looked_at(self) -> Any:
        """Know that a page is open meanwhile."""
        with self._lock:
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1
                self._left = time.monotonic()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a page go that hung up; nobody is there to be told."""


class _Handler(BaseHTTPRequestHandler):
    """Answers a request, if it comes from the page itself."""

    server: Explorer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "rotation", ""

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""

    def setup(self) -> None:
        """Send small answers at once: a page waits for each of them."""
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        """Answer with a page, or with the stream that tells it of changed scripts."""
        known = self._known()
        if known is None:
            return
        sitting, door = known
        if sitting is None and door == "":
            with self._said():
                self._send(303, b"", Location=f"/{self.server.token}/{self.server.begin()}/")
        elif sitting is not None and door == "":
            nonce = secrets.token_urlsafe(16)
            allowed = (
                f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; "
                "connect-src 'self'; img-src data: blob:; base-uri 'none'; form-action 'none'; "
                "frame-ancestors 'none'"
            )
            content = page(sitting.sitting, nonce).encode()
            self._send(200, content, "text/html; charset=utf-8", Content_Security_Policy=allowed)
        elif sitting is not None and door == "news":
            self._tell_news(sitting)
        else:
            self._refuse(404)

    def do_POST(self) -> None:
        """Answer a move, or what else a page asks for."""
        known = self._known()
        if known is None:
            return
        sitting, door = known
        origin = self.headers.get("Origin")
        if origin is not None and origin != f"http://{self.headers.get('Host')}":
            self._refuse(403)
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _LARGEST:
            self._refuse(413)
            return
        body = self.rfile.read(int(length))
        if sitting is None or door not in sitting.doors:
            self._refuse(404)
            return
        with self._said():
            began = time.perf_counter()
            answer = sitting.doors[door](body)
            if isinstance(answer, bytes):
                self._send(200, answer, "image/png")
            else:
                took = f"total;dur={1e3 * (time.perf_counter() - began):.2f}"
                content = json.dumps(answer).encode()
                self._send(200, content, "application/json", Server_Timing=took)

    @contextlib.contextmanager
    def _said(self) -> Any:
        """Answer with a sentence whatever goes wrong."""
        try:
            yield
        except RotationError as error:
            said = str(error)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            said = f"the page asked for what cannot be read ({error}); reload it"
        except (ConnectionError, TimeoutError):
            self.close_connection = True
            return
        except OSError as error:
            said = f"{error.filename or 'a file'}: {error.strerror or error}"
        except Exception as error:  # noqa: BLE001 - this is the last place that can say it in words
            said = f"this is our fault, not yours ({type(error).__name__}: {error}); please report it"
        else:
            return
        self._send(200, json.dumps({"error": said}).encode(), "application/json")

    def _known(self) -> tuple[Answers | None, str] | None:
        """Return the sitting and the door that a request names; None, and refused, where it may not ask."""
        port = self.server.server_address[1]
        if self.headers.get("Host") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            self._refuse(403)
            return None
        _, token, name, *rest = [*self.path.partition("?")[0].split("/"), "", ""][:4]
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            self._refuse(404)
            return None
        sitting = self.server.sittings.get(name)
        if sitting is None and name:
            self._refuse(404)
            return None
        return sitting, rest[0] if rest else ""

    def _tell_news(self, sitting: Answers) -> None:
        """Tell a page of scripts that change, for as long as it is open."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        with self.server.looked_at(), contextlib.suppress(OSError):
            while True:
                news = sitting.sitting.changed()
                said = ":\n\n" if news is None else f"data: {json.dumps(news)}\n\n"
                self.wfile.write(said.encode())
                time.sleep(_BEAT)

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self._send(status, f"{status} {http.HTTPStatus(status).phrase}\n".encode(), "text/plain")

    def _send(self, status: int, content: bytes, kind: str = "text/plain", **headers: str) -> None:
        self.send_response(status)
        fixed = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {**fixed, **named}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
