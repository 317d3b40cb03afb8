"""One request for a file, or for the rest of it, and what the server's answer means."""

from __future__ import annotations

import http.client
import re
import ssl
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dali_voc.downloading._address import open_address, proxy_of, shown
from dali_voc.errors import DownloadError

__all__ = ["BrokenTransferError", "Reply", "RestartError", "ask"]

_CHUNK = 1 << 18
_WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}
_RANGE_NOT_SATISFIABLE = 416


class BrokenTransferError(Exception):
    """The transfer broke in a way that may pass; `wait` is what the server asks for, seconds."""

    def __init__(self, reason: str, *, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class RestartError(Exception):
    """What is there cannot be gone on with: begin anew."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The beginning of an answer.

    Attributes:
        start: place in the file where `body` begins, bytes.
        total: size of the whole file as the server says, bytes, or None where it does not.
        etag: the server's name for this version of the file, or None.
        modified: the server's date of this version, or None.
        body: where the bytes come from.
    """

    start: int
    total: int | None
    etag: str | None
    modified: str | None
    body: http.client.HTTPResponse

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes until the connection ends, at the end or not.

        Raises:
            BrokenTransferError: the connection broke, or nothing came for too long.
        """
        left = _CHUNK if self.total is None else self.total - self.start
        while left > 0:
            try:
                # what has come, not what would fill the buffer: a cut loses nothing
                chunk = self.body.read1(min(_CHUNK, left))
            except (OSError, http.client.HTTPException) as e:
                raise BrokenTransferError(_text(e)) from None
            if not chunk:
                return
            left -= 0 if self.total is None else len(chunk)
            yield chunk


@contextmanager
def ask(url: str, *, offset: int, if_range: str | None, timeout: float) -> Iterator[Reply]:
    """Ask for a file from `offset` on.

    Args:
        url: http or https address; may name user and password.
        offset: bytes that are there.
        if_range: ETag or date of the version that these are of.
        timeout: seconds without a byte after which the connection counts as broken.

    Raises:
        BrokenTransferError: another try may help.
        RestartError: the server has nothing behind `offset`.
        DownloadError: another try will not help.
    """
    headers = {"User-Agent": "dali-voc", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if if_range:
            headers["If-Range"] = if_range
    try:
        response = open_address(url, headers=headers, timeout=timeout)
    except urllib.error.HTTPError as e:
        with e:
            raise _refused(url, e) from None
    except (ssl.SSLCertVerificationError, http.client.InvalidURL, ValueError) as e:
        raise DownloadError(f"{shown(url)}: {e}") from None
    except (OSError, http.client.HTTPException) as e:
        reason = getattr(e, "reason", e)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise DownloadError(f"{shown(url)}: {reason}") from None
        proxy = proxy_of(url)
        through = f" (through the proxy {proxy}, of the environment)" if proxy else ""
        raise BrokenTransferError(f"{_text(reason)}{through}") from None
    with response:
        start, total = _span(url, response)
        yield Reply(
            start=start,
            total=total,
            etag=response.headers["ETag"],
            modified=response.headers["Last-Modified"],
            body=response,
        )


def _span(url: str, response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Return where the body begins, and the size of the whole file if it is said."""
    length = response.headers["Content-Length"] or ""
    coming = int(length) if length.isdecimal() else None
    if response.status == http.client.OK:
        return 0, coming
    if response.status != http.client.PARTIAL_CONTENT:
        raise DownloadError(f"{shown(url)}: found status {response.status}, expected 200 or 206")
    said = response.headers["Content-Range"] or ""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", said, re.IGNORECASE)
    if found is None:
        raise RestartError("the server does not say which part it sends")
    start = int(found[1])
    if found[2] != "*":
        return start, int(found[2])
    return start, None if coming is None else start + coming


def _refused(url: str, error: urllib.error.HTTPError) -> Exception:
    if error.code == _RANGE_NOT_SATISFIABLE:
        return RestartError("the server has no more bytes")
    said = f"{error.code} {http.client.responses.get(error.code, '')}".strip()
    if error.code in _WORTH_ANOTHER_TRY:
        after = error.headers["Retry-After"] or ""
        return BrokenTransferError(
            f"the server answers {said}", wait=float(after) if after.isdecimal() else 0.0
        )
    if 300 <= error.code < 400:
        return DownloadError(
            f"{shown(url)}: the server answers {said}, and redirects in a loop or wrongly"
        )
    return DownloadError(f"{shown(url)}: the server answers {said}, expected the file")


def _text(error: object) -> str:
    """Return what went wrong, in words where the error has only a number or a class."""
    if isinstance(error, TimeoutError):
        return "nothing came for too long"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the server ends the connection without an answer"
    if isinstance(error, http.client.BadStatusLine):
        return "the server answers something that is not HTTP; is the address one of https?"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
