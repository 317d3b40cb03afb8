"""JPEG files that can be entered near a window, by restart markers."""

from __future__ import annotations

import ctypes
import functools

from dali_voc.ops._plugin import open_library

__all__ = ["RESTART_INTERVAL", "add_jpeg_restarts"]

# MCUs, which are 8 or 16 pixels wide. More often, and a file grows by more than half a percent;
# less often, and windows of 512 pixels take longer (tried with 4 to 128).
RESTART_INTERVAL = 16


def add_jpeg_restarts(file: bytes) -> bytes:
    """Rewrite a JPEG file without loss, with a restart marker every 16 MCUs.

    Coefficients, and with them pixels, stay the same, and so do Exif, colour profiles and comments;
    progressive files become sequential. Decoders may then skip what lies before a window (ITU-T
    T.81, B.2.4.4 and E.1.4), as `dali_voc` does. `jpegtran -copy all -optimize
    -restart 16B` does nearly the same.

    Args:
        file: the file's bytes.

    Returns:
        The new bytes; or `file`, where it has as many markers, is damaged as far as libjpeg
        notices or not complete, has more behind the picture's data (such as another picture, or a
        comment), has more than 134 million pixels, or is not JPEG of one or three channels of 8
        bits.
    """
    library = _library()
    size = ctypes.c_size_t()
    rewritten = library.dali_voc_add_jpeg_restarts(
        file, len(file), RESTART_INTERVAL, ctypes.byref(size)
    )
    if not rewritten:
        return file
    try:
        return ctypes.string_at(rewritten, size.value)
    finally:
        library.dali_voc_free(rewritten)


@functools.cache
def _library() -> ctypes.CDLL:
    library = open_library()
    library.dali_voc_add_jpeg_restarts.restype = ctypes.c_void_p
    library.dali_voc_add_jpeg_restarts.argtypes = (
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.POINTER(ctypes.c_size_t),
    )
    library.dali_voc_free.restype = None
    library.dali_voc_free.argtypes = (ctypes.c_void_p,)
    return library
