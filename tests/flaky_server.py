"""A web server that misbehaves as told: an `Answer` for each request, the last for the rest."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How to answer one request."""

    data: bytes = b""
    status: int | None = None  # an error, with no body
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = '"1"'
    ranges: bool = True
    cut: int | None = None  # bytes of the body after which the connection ends
    reset: bool = False  # ... with RST
    stall: bool = False  # ... only when the server stops
    declared: int | None = None  # a length that is a lie
    chunked: bool = False
    hide_total: bool = False  # Content-Range ends with /*
    shifted: int = 0  # a range that begins elsewhere than it was asked for


@dataclass(kw_only=True)
class Server:
    """A running server.

    What it was asked is in `asked`: path, Range, If-Range; and in `signed`: Authorization.
    """

    url: str
    answers: list[Answer]
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    signed: list[str | None] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serve(*answers: Answer) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            i = min(len(server.asked), len(server.answers) - 1)
            if_range = self.headers["If-Range"]
            server.asked.append((self.path, self.headers["Range"], if_range))
            server.signed.append(self.headers["Authorization"])
            _answer(self, server.answers[i], server.stopped)

        def log_message(self, *_: object) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.daemon_threads = True
    server = Server(url=f"http://127.0.0.1:{web.server_port}", answers=list(answers))
    thread = threading.Thread(target=web.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        web.shutdown()
        thread.join()
        web.server_close()


def _answer(to: BaseHTTPRequestHandler, answer: Answer, stopped: threading.Event) -> None:
    start = _start(to, answer)
    if answer.status is not None:
        _refuse(to, answer.status, answer.headers)
        return
    if start >= len(answer.data) > 0:
        _refuse(to, 416, {"Content-Range": f"bytes */{len(answer.data)}"})
        return
    body = answer.data[max(start + answer.shifted, 0) :]
    to.send_response(206 if start else 200)
    if start:
        last = len(answer.data) - 1
        total = "*" if answer.hide_total else last + 1
        to.send_header("Content-Range", f"bytes {start + answer.shifted}-{last}/{total}")
    for name, value in answer.headers.items():
        to.send_header(name, value)
    if answer.etag:
        to.send_header("ETag", answer.etag)
    if answer.chunked:
        to.send_header("Transfer-Encoding", "chunked")
    else:
        to.send_header("Content-Length", str(answer.declared or len(body)))
    to.end_headers()
    _send_body(to, answer, body)
    if answer.stall:
        stopped.wait(30)
    if answer.reset:
        linger = struct.pack("ii", 1, 0)
        to.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        to.connection.close()


def _refuse(to: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
    to.send_response(status)
    for name, value in headers.items():
        to.send_header(name, value)
    to.send_header("Content-Length", "0")
    to.end_headers()


def _send_body(to: BaseHTTPRequestHandler, answer: Answer, body: bytes) -> None:
    piece = body if answer.cut is None else body[: answer.cut]
    if answer.chunked:
        if piece:  # an empty one would mean the end
            to.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if answer.cut is None:
            to.wfile.write(b"0\r\n\r\n")
    else:
        to.wfile.write(piece)
    to.wfile.flush()


def _start(to: BaseHTTPRequestHandler, answer: Answer) -> int:
    asked = to.headers["Range"]
    if asked is None or not answer.ranges:
        return 0
    if_range = to.headers["If-Range"]
    if if_range is not None and if_range != answer.etag:
        return 0
    return int(asked.removeprefix("bytes=").removesuffix("-"))
