"""Reads files as the loader would, and says how fast that was and what came from the page cache."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from dali_voc.config import Config
from dali_voc.datasets import find_index
from dali_voc.probing._mounts import file_system
from dali_voc.probing._pieces import Piece, pieces_of_folder, pieces_of_split
from dali_voc.probing._report import Report

__all__ = ["drop", "probe", "read_all"]

_BLOCK = 1 << 20
_MANY = 100  # files, of which two rates can be had
_TIMES = 8  # as many threads, to see whether more help
Cached = Literal["no", "yes", "unknown"]


def probe(request: Mapping[str, Any], report: Report) -> None:
    """Report `pairs` of the split, `files`, `bytes`, `seconds`, `cached`, `unknown`, `system`.

    Of many files every other pair is read by more threads: `more_threads`, and what came of it,
    `more_bytes` in `more_seconds`. The request names `config` and `split`, or `folder`; `threads`,
    `seconds` to read for at most, and `most`, the number of files. `cached` files came from the
    page cache, `unknown` perhaps. Further `unreadable`, how many cannot be opened, and `why`, of
    the first of them.
    """
    if request["config"] is not None:
        report(stage="listing the data")
        config = Config.model_validate(request["config"])
        must_exist = config.loader.raises
        index = find_index(config.dataset, request["split"], must_exist=must_exist)
        report(pairs=len(index))
        pieces = pieces_of_split(index, most=request["most"] // 2)
    else:
        report(stage="listing the folder")
        pieces = pieces_of_folder(request["folder"], most=request["most"])
    report(stage="reading files")
    cached: list[Cached] = []
    readable: list[Piece] = []
    errors: list[OSError] = []
    for piece in pieces:
        try:
            cached.append(drop(piece))
            readable.append(piece)
        except OSError as e:
            errors.append(e)
    if errors:
        where = os.fsdecode(errors[0].filename)
        report(unreadable=len(errors), why=f"{where}: {errors[0].strerror}")
    if not readable:
        report(files=0, stage=None)
        return
    threads, seconds = request["threads"], request["seconds"]
    # a file that takes long to open takes as long beside others
    others: list[Piece] = []
    if len(readable) >= _MANY:
        others = [piece for i, piece in enumerate(readable) if i // 2 % 2]
        cached = [one for i, one in enumerate(cached) if not i // 2 % 2]
        readable = [piece for i, piece in enumerate(readable) if not i // 2 % 2]
    done = read_all(readable, threads=threads, seconds=seconds)
    if others:
        more = read_all(others, threads=threads * _TIMES, seconds=seconds)
        report(more_threads=threads * _TIMES, more_bytes=more.size, more_seconds=more.seconds)
    seen = cached[: done.files]
    report(
        files=done.files,
        bytes=done.size,
        seconds=done.seconds,
        cached=seen.count("yes"),
        unknown=seen.count("unknown"),
        system=file_system(readable[0].path),
        stage=None,
    )


def drop(piece: Piece) -> Cached:
    """Put a piece out of the page cache, and return whether it is still there.

    The kernel keeps pages that somebody else has mapped or that are not written yet, and file
    systems in memory keep all of them.

    Raises:
        OSError: the file cannot be opened.
    """
    handle = os.open(piece.path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        size = min(piece.size or _BLOCK, os.fstat(handle).st_size - piece.offset)
        os.posix_fadvise(handle, piece.offset, piece.size or 0, os.POSIX_FADV_DONTNEED)
        # "do not wait": fails at once where the page would have to be read
        os.preadv(handle, [bytearray(1)], piece.offset + max(0, size // 2), os.RWF_NOWAIT)
    except BlockingIOError:
        return "no"
    except OSError:
        return "unknown"
    finally:
        os.close(handle)
    return "yes"


@dataclass(frozen=True, kw_only=True)
class Done:
    """What was read, and in which time.

    Attributes:
        files: pieces, the first ones.
        size: bytes.
        seconds: from the beginning to the end.
    """

    files: int
    size: int
    seconds: float


def read_all(pieces: Sequence[Piece], *, threads: int, seconds: float) -> Done:
    """Read pieces in order with some threads, but begin none after a time."""
    begin = time.perf_counter()
    numbers = itertools.count()  # its next() is one step to other threads

    def work() -> tuple[int, int]:
        files = size = 0
        while time.perf_counter() < begin + seconds and (i := next(numbers)) < len(pieces):
            size += _read(pieces[i])
            files += 1
        return files, size

    with ThreadPoolExecutor(threads) as pool:
        found = [future.result() for future in [pool.submit(work) for _ in range(threads)]]
    return Done(
        files=sum(files for files, _ in found),
        size=sum(size for _, size in found),
        seconds=time.perf_counter() - begin,
    )


def _read(piece: Piece) -> int:
    handle = os.open(piece.path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        got = 0
        while piece.size is None or got < piece.size:
            want = _BLOCK if piece.size is None else min(_BLOCK, piece.size - got)
            part = len(os.pread(handle, want, piece.offset + got))
            if part == 0:
                break
            got += part
        return got
    except OSError as e:
        raise OSError(e.errno, e.strerror, os.fsdecode(piece.path)) from None
    finally:
        os.close(handle)
