"""A real HTTP server on 127.0.0.1 that answers as FRED and the French library do, or as badly as asked."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Fault = Callable[[BaseHTTPRequestHandler], None]


def zipped(name: str, content: bytes) -> bytes:
    """Return a zip of one file, as the library serves it."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return sink.getvalue()


def from_folder(folder: Path) -> Callable[[str], bytes | None]:
    """Return where the bodies come from: a folder laid out as the shared data are."""

    def body(name: str) -> bytes | None:
        fred, french = folder / "fred" / f"{name}.csv", folder / "french"
        if fred.is_file():
            return fred.read_bytes()
        if (french / name).is_file():
            return (french / name).read_bytes()
        plain = french / f"{name.removesuffix('_CSV.zip')}.csv"
        if name.endswith("_CSV.zip") and plain.is_file():
            return zipped(plain.name, plain.read_bytes())
        return from_world(folder / "world", name)

    return body


def from_world(world: Path, name: str) -> bytes | None:
    """Return an international file as its server gives it."""
    stem = name.removesuffix("_CSV.zip")
    plain, archive = world / "french" / f"{stem}.csv", world / "bis" / name
    if name.endswith("_CSV.zip") and plain.is_file():
        return zipped(plain.name, _whole(plain.read_text(), stem).encode())
    packed = world / "french" / f"{stem}.zip"
    if name.endswith("_CSV.zip") and packed.is_file():
        with zipfile.ZipFile(packed) as inside:
            text = inside.read(inside.namelist()[0]).decode()
        return zipped(f"{stem}.csv", _whole(text, stem).encode())
    if (world / "french" / name).is_file():
        return (world / "french" / name).read_bytes()
    return archive.read_bytes() if archive.is_file() else None


def _whole(text: str, stem: str) -> str:
    """Return a file with what the library writes around its first table, where only that was kept of it."""
    if not text.startswith(("Date,", "DATE,")):
        return text if "Copyright" in text else f"{text.rstrip()}\n\n\nCopyright 2025 Kenneth R. French\n"
    of = "Daily" if stem.endswith("_Daily") else "Monthly"
    title = f"  Average Value Weighted Returns -- {of}\n" if "Portfolios" in stem else ""
    table = text[len("Date") :].rstrip()
    return f"This file was created using the 202510 Bloomberg database.\n\n\n{title}{table}\n\n\nCopyright 2025 Kenneth R. French\n"


class Library:
    """The server's state: what it serves, what it does wrong, and what it was asked."""

    def __init__(self, body: Callable[[str], bytes | None]) -> None:
        self.body = body
        self.faults: dict[str, list[Fault]] = {}
        self.asked: list[str] = []
        self.stop = threading.Event()
        self.address = ""

    @property
    def environment(self) -> dict[str, str]:
        """What makes the command line use this server."""
        names = {"FRED": "fred", "FRENCH": "ftp", "BIS": "bulk"}
        return {f"ROTATION_{name}_URL": f"{self.address}/{path}" for name, path in names.items()}

    def fails(self, name: str, *faults: Fault) -> None:
        """Do these in turn for a series or a file, the last of them for ever after."""
        self.faults[name] = list(faults)


def answer(content: bytes, status: int = 200, **headers: str) -> Fault:
    """Return a whole answer."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(content)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return act


def cut(content: bytes) -> Fault:
    """Promise all of it, send half of it, and hang up."""
    half = content[: len(content) // 2]
    return answer(half, Content_Length=str(len(content)))


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def serving(body: Callable[[str], bytes | None]) -> Iterator[Library]:
    """Serve until the end of the block."""
    library = Library(body)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:  # the name that http.server calls
            name = self.path.partition("?id=")[2] or self.path.rpartition("/")[2]
            library.asked.append(name)
            faults = library.faults.get(name)
            if faults:
                act = faults.pop(0) if len(faults) > 1 else faults[0]
            else:
                content = library.body(name)
                act = answer(b"not here", 404) if content is None else answer(content)
            with contextlib.suppress(OSError, ValueError):
                act(self)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    library.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield library
    finally:
        library.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()
