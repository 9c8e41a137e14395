"""HTTP as every remote source uses it: time-outs, retries with backoff, whole answers of bounded size."""

from __future__ import annotations

import os
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3 import Retry
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    InvalidHeader,
    MaxRetryError,
    ProtocolError,
    ReadTimeoutError,
)

from backtest.errors import DataError
from backtest.files import LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRIES = Retry(total=3, backoff_factor=0.5, backoff_jitter=0.25, retry_after_max=120)
"""How often a fault that may pass is tried again; urllib3 computes the pauses and reads Retry-After."""

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_SAID = {
    404: "there is nothing of that name (404)",
    429: "it was asked too often (429); try again later",
}


def timeout_seconds() -> float:
    """Return how long to wait for a sign of life: ``ROTATION_TIMEOUT`` seconds, else 30."""
    given = os.environ.get("ROTATION_TIMEOUT", "30")
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= 3600.0:
        raise DataError(f"ROTATION_TIMEOUT is '{given}'; it takes seconds, such as 30")
    return seconds


def _site(host: str | None) -> str:
    """Return whose host it is, the last two labels of its name; of a number the whole."""
    labels = (host or "").rsplit(".", 2)
    return host or "" if labels[-1].isdigit() else ".".join(labels[-2:])


class Session(requests.Session):
    """A session whose ``get`` gives whole, successful answers of a bounded size, or one plain sentence.

    Parameters
    ----------
    what
        What is fetched, for the sentences.
    timeout
        Seconds to wait for a connection and between two pieces of an answer; an answer as a whole may
        take twenty times as long.
    retries
        What urllib3 does about faults that may pass.
    limit
        The most bytes an answer may have.
    """

    def __init__(
        self, what: str, *, timeout: float | None = None, retries: Retry = RETRIES, limit: int = LIMIT
    ) -> None:
        super().__init__()
        self._what = what
        self._timeout = timeout_seconds() if timeout is None else timeout
        self._retries = retries
        self._limit = limit

    def get(self, url: Any, **options: Any) -> requests.Response:  # type: ignore[override] # no params
        """Return a successful answer, its content already read.

        Raises
        ------
        DataError
            When there is none after the retries, or when it is larger than it may be.
        """
        options.update(timeout=self._timeout, stream=True)
        retries = self._retries
        while True:
            error: Exception | None = None
            response: requests.Response | None = None
            try:
                response = super().get(url, **options)
                if response.status_code not in _AGAIN:
                    return self._whole(response)
            except (requests.exceptions.RequestException, HTTPError) as caught:
                error = caught
            reason = self._reason(error, response)
            if response is not None:
                response.close()
            answer = None if error else getattr(response, "raw", None)
            try:
                retries = retries.increment("GET", str(url), response=answer, error=error)
            except (MaxRetryError, HTTPError, requests.exceptions.RequestException):
                raise DataError(f"{self._what} could not be fetched: {reason}") from None
            try:
                retries.sleep(answer)
            except InvalidHeader:
                retries.sleep()

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where an answer points to; requests calls it.

        Raises
        ------
        DataError
            When that is another site, or leaves TLS: what is stored must come from where its record says.
        """
        target = super().get_redirect_target(resp)
        if target is not None:
            here, there = urlsplit(resp.url), urlsplit(urljoin(resp.url, target))
            if _site(there.hostname) != _site(here.hostname) or there.scheme not in ("https", here.scheme):
                raise DataError(
                    f"{self._what} was refused: {here.hostname} sends on to "
                    f"{there.scheme}://{there.hostname}, which is another site, or not encrypted"
                )
        return target

    def _whole(self, response: requests.Response) -> requests.Response:
        """Read the body; urllib3 raises where it is shorter than the answer's own Content-Length."""
        if response.status_code != requests.codes.ok:
            raise DataError(f"{self._what} could not be fetched: {self._reason(None, response)}")
        declared = response.headers.get("Content-Length", "0")
        until = time.monotonic() + 20.0 * self._timeout
        content = BytesIO()
        if not declared.isdigit() or int(declared) <= self._limit:
            # read1 returns what has come; read and stream would wait until a whole piece is there.
            while piece := response.raw.read1(2**16, decode_content=True):
                content.write(piece)
                if content.tell() > self._limit:
                    break
                if time.monotonic() > until:
                    raise ReadTimeoutError(None, None, "the answer came too slowly")  # type: ignore[arg-type]
        response.close()
        if content.tell() > self._limit or (declared.isdigit() and int(declared) > self._limit):
            raise DataError(
                f"{self._what} was refused: the answer is larger than {self._limit / 2**20:,.0f} MB, "
                "which no series is"
            )
        content.seek(0)
        response.raw = content
        return response

    def _reason(  # noqa: PLR0911 - a table of cases
        self, error: Exception | None, response: requests.Response | None
    ) -> str:
        if error is None and response is not None:
            status = response.status_code
            return _SAID.get(status, f"the server answered {status} {response.reason or ''}".rstrip())
        if isinstance(error, (requests.exceptions.Timeout, ReadTimeoutError)):
            return f"no answer within {self._timeout:g} seconds"
        if isinstance(error, (requests.exceptions.ChunkedEncodingError, ProtocolError)):
            return "the answer was cut off in the middle"
        if isinstance(error, (requests.exceptions.ContentDecodingError, DecodeError)):
            return "the answer could not be decompressed"
        if isinstance(error, requests.exceptions.ConnectionError):
            causes = [*_causes(error)]
            if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
                return "the connection was refused"
            hung_up = any(isinstance(cause, _HUNG_UP) for cause in causes)
            return "the server hung up" if hung_up else "there is no connection to the server"
        return str(error) or type(error).__name__


_HUNG_UP = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what it came of: requests and urllib3 carry that among their arguments too."""
    yield error
    for each in (*error.args, getattr(error, "reason", None), error.__cause__):
        if isinstance(each, BaseException):
            yield from _causes(each)
