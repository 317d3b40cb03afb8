"""`decode_png` and `decode_png_label`: PNG files decoded on a GPU, an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dali_voc._wheels import library_in
from dali_voc.errors import PluginError, SampleError
from dali_voc.labels import LabelDtype, LabelTables
from dali_voc.ops._arguments import as_class, as_label_type, check_word
from dali_voc.ops._call import call
from dali_voc.ops._colors import describe_unknown

__all__ = ["check_png", "decode_png", "decode_png_label", "nvcomp_path"]

_PACKAGE, _LIBRARY = "nvidia.libnvcomp", "lib64/libnvcomp.so.5"

# as in csrc/gpu/png_batch.h
_NOT_INFLATED, _WRONG_SIZE, _UNKNOWN_FILTER = 1, 2, 3
_IS_COLOR = 1 << 24


def nvcomp_path() -> Path:
    """Return nvCOMP's library, a wheel that DALI depends on.

    Raises:
        PluginError: it is not there.
    """
    if path := library_in(_PACKAGE, _LIBRARY):
        return path
    raise PluginError(
        f"{_PACKAGE} has no {_LIBRARY}, expected nvCOMP 5 beside DALI; "
        "run 'pip install nvidia-libnvcomp-cu12==5.3.0.16'"
    )


def _decode(
    encoded: Any, path: Any, *, start: Any, shape: Any, **arguments: Any
) -> tuple[Any, Any]:
    if (start is None) != (shape is None):
        raise ValueError("a window has both start and shape, or neither")
    library, window = str(nvcomp_path()), {"start": start, "shape": shape}
    pictures, reports = call(
        "decode_png", encoded, path, device="mixed", nvcomp=library, **window, **arguments
    )
    return pictures, reports


def decode_png(encoded: Any, path: Any, *, start: Any = None, shape: Any = None) -> tuple[Any, Any]:
    """Decode windows of PNG photographs on a GPU. From CPU to GPU.

    Colours are those of `decode_crop`. Files are checked on the CPU as far as that goes without
    inflating them: all chunks with their checksums, sizes and order. nvCOMP inflates them on the
    GPU, and to nvCOMP a file whose checksums are right but whose deflate stream is not what an
    encoder makes is undefined behaviour: do not give it files of a stranger's making.

    Args:
        encoded: the files' bytes, 1D uint8: gray, palette, RGB and RGBA of up to 8 bits per
            channel, not interlaced.
        path: the files' names for error messages, 1D uint8.
        start: first row and column of the window, int32 [2], per sample; None: the whole picture.
        shape: height and width of the window, likewise.

    Returns:
        RGB, uint8 [height, width, 3], and what was found in each sample, int32 [4], for
        `check_png`; a sample in which something was found is all zeros.

    Raises:
        RuntimeError: from the pipeline, with one sentence naming the file, where it is seen to be
            damaged or of another kind before it is inflated.
        ValueError: only one of `start` and `shape` is given.
    """
    return _decode(encoded, path, start=start, shape=shape)


def decode_png_label(
    encoded: Any,
    path: Any,
    *,
    tables: LabelTables,
    unknown: int,
    palette: Literal["color", "index"] = "color",
    start: Any = None,
    shape: Any = None,
    dtype: LabelDtype = "uint8",
) -> tuple[Any, Any]:
    """Decode windows of PNG labels to class indices on a GPU. From CPU to GPU.

    Args:
        encoded: the files' bytes, 1D uint8: palette and gray of 1, 2, 4, 8 bits, RGB and RGBA of 8
            bits, not interlaced. See `decode_png` on damaged files.
        path: the files' names for error messages, 1D uint8.
        tables: what colours and values mean.
        unknown: the class of colours and values that are not in the tables; they are counted, in
            the window.
        palette: map palette files by colour or by index.
        start: first row and column of the window, int32 [2], per sample; None: the whole picture.
        shape: height and width of the window, likewise.
        dtype: of the map.

    Returns:
        Class indices [height, width], and what was found, as `decode_png` does.

    Raises:
        RuntimeError: as `decode_png`.
        ValueError: only one of `start` and `shape` is given, `unknown` does not fit `dtype`, or
            `palette` or `dtype` is none that there is.
    """
    type_ = as_label_type(dtype)
    check_word("palette", palette, ("color", "index"))
    return _decode(
        encoded,
        path,
        start=start,
        shape=shape,
        label=True,
        colors=list(tables.colors),
        color_classes=list(tables.color_classes),
        values=list(tables.values),
        value_classes=list(tables.value_classes),
        palette_by_color=palette == "color",
        unknown=as_class("unknown", unknown, dtype=dtype),
        dtype=type_,
    )


def _reason(what: int, number: int, pixels: int, smallest: int) -> str:
    if what == _NOT_INFLATED:
        return f"damaged PNG: its data does not decompress (nvCOMP's status {number})"
    if what == _WRONG_SIZE:
        return f"damaged PNG: its data has {number} bytes, too few for its width and height"
    if what == _UNKNOWN_FILTER:
        return f"damaged PNG: unknown row filter in row {number}"
    color = smallest >> 16 & 255, smallest >> 8 & 255, smallest & 255
    kind, name = ("colour", color) if smallest & _IS_COLOR else ("value", smallest)
    return describe_unknown(pixels, kind, name)


def check_png(reports: npt.ArrayLike, names: Sequence[str]) -> None:
    """Raise if a batch had files that turned out to be damaged, or labels without a class.

    Meant for after the batch, when its reports have come to the host.

    Args:
        reports: what `decode_png` or `decode_png_label` found, [n, 4].
        names: of the samples' files.

    Raises:
        SampleError: names the first such file, what is wrong with it, and how many more there are.
    """
    found = np.asarray(reports).astype(np.uint32).reshape(-1, 4)
    if len(found) != len(names):
        raise ValueError(f"reports of {len(found)} samples but {len(names)} names")
    bad = np.flatnonzero(found[:, [0, 2]].any(axis=1))
    if len(bad) == 0:
        return
    what, number, pixels, smallest = (int(value) for value in found[bad[0]])
    more = f"; {len(bad) - 1} more of the batch are bad" if len(bad) > 1 else ""
    raise SampleError(names[bad[0]], _reason(what, number, pixels, smallest) + more)
