"""`read_record`: the bytes of files, or of parts of files."""

from __future__ import annotations

from typing import Any, Literal

from dali_voc.ops._arguments import check_word
from dali_voc.ops._cache import CacheNodes
from dali_voc.ops._call import call

__all__ = ["read_record"]


def read_record(
    path: Any,
    *,
    record: Any = None,
    map: Any = 0,
    about: str = "",
    cache: CacheNodes | None = None,
    what: Literal["image", "label"] = "image",
    picture: Any = None,
    tells_kept: bool = False,
) -> Any:
    """Read files, or parts of files, into memory. CPU.

    Nothing is mapped: a mapped file that somebody truncates kills the process (SIGBUS). Whole files
    are opened and closed each time. Of files that are read in parts, the 16 used last stay open;
    one that has been replaced or written to since is opened anew.

    Args:
        path: the files' paths, 1D uint8; zeros behind a path are no part of it.
        record: which part, int64 [2], [3] or [4] per sample: offset and size in bytes (-1: to the
            end), CRC-32 of these bytes, and the file's modification time in nanoseconds. The last
            two are checked where they are given and not -1. None: the whole file.
        map: `dali_voc.labels.NO_LABEL` where there is no file, int32 per sample: nothing is read
            then, and the result is empty.
        about: what errors begin with, after the file's name: "its image".
        cache: where bytes are kept and, if they are there, taken from; or where other operators
            keep what they have decoded: that is not read again, and the header of a picture of its
            size, in PPM, stands for it.
        what: which of a sample's two places in the cache.
        picture: numbers, int64 per sample: neighbours in the batch that have the same number have
            the same file, which is read once.
        tells_kept: return two nodes.

    Returns:
        The bytes, 1D uint8; with `tells_kept` also int32, 1 where a header stands for the picture.

    Raises:
        ValueError: `what` is neither.
        RuntimeError: from the pipeline, with one sentence naming the file: it cannot be read, is
            empty, ends before the part does, becomes shorter while it is read, or a check fails.
            A lack of file handles names no file.
    """
    check_word("what", what, ("image", "label"))
    optional: dict[str, Any] = {"record": record, "picture": picture}
    if cache:
        optional |= cache.arguments()
        optional |= {"is_label": what == "label", "keeps_bytes": cache.keep == "encoded"}
    return call("read_record", path, map=map, about=about, tells_kept=tells_kept, **optional)
