"""Loads the compiled operators into DALI, and only into the DALI they were built for."""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
import threading
from pathlib import Path

# Imported first: DALI itself must be in the process before a plugin is.
from nvidia.dali import plugin_manager

from dali_voc.errors import PluginError

__all__ = ["BUILT_FOR", "library_path", "load_plugin", "open_library"]

_LIBRARY = "libdali_voc_ops.so"
BUILT_FOR = "built_for_dali.txt"


def _folder() -> Path:
    """Return where the library lies: here, or, run from a source tree, where pip installed it."""
    here = Path(__file__).parent
    if (here / _LIBRARY).is_file():
        return here
    try:
        installed = importlib.metadata.distribution("dali-voc").locate_file("dali_voc/ops")
    except importlib.metadata.PackageNotFoundError:
        installed = here
    if not Path(str(installed), _LIBRARY).is_file():
        raise PluginError(
            f"{here / _LIBRARY}: no such file, expected the compiled operators; "
            "run 'pip install -c constraints.txt .' in the source tree"
        )
    return Path(str(installed))


def _check_version(folder: Path) -> None:
    try:
        built_for = (folder / BUILT_FOR).read_text().strip()
    except FileNotFoundError as e:
        raise PluginError(
            f"{e.filename}: no such file, expected the version of DALI that the operators were "
            "built for; reinstall dali-voc"
        ) from None
    try:
        installed = importlib.metadata.version("nvidia-dali-cuda120")
    except importlib.metadata.PackageNotFoundError:
        raise PluginError(
            "found no package nvidia-dali-cuda120, expected DALI for CUDA 12; "
            f"run 'pip install nvidia-dali-cuda120=={built_for}'"
        ) from None
    if installed != built_for:
        raise PluginError(
            f"{folder / _LIBRARY} was built for DALI {built_for}, but DALI {installed} is "
            f"installed; reinstall dali-voc, or 'pip install nvidia-dali-cuda120=={built_for}'"
        )


def library_path() -> Path:
    """Return where the compiled operators lie.

    Raises:
        PluginError: they lie nowhere.
    """
    return _folder() / _LIBRARY


# DALI takes note of an operator before its function can be called: a second thread would go on
# without it
_lock = threading.Lock()


def load_plugin() -> None:
    """Make `nvidia.dali.fn.dali_voc` available. Later calls do nothing.

    Raises:
        PluginError: the library is missing or cannot be loaded, or the installed DALI is another
            than it was built for.
    """
    with _lock:
        _load_once()


@functools.cache
def open_library() -> ctypes.CDLL:
    """Return the compiled operators' library, for its functions in C; errors as `load_plugin`."""
    load_plugin()
    return ctypes.CDLL(str(library_path()))


@functools.cache
def _load_once() -> None:
    folder = _folder()
    _check_version(folder)
    library = folder / _LIBRARY
    try:
        plugin_manager.load_library(str(library))
    except RuntimeError as e:
        text = " ".join(str(e).split()).removeprefix(f"Failed to load library {library}: ")
        reason = text.removeprefix(f"{library}: ")
        advice = "reinstall dali-voc"
        if "libjpeg" in reason:
            advice = "run 'apt-get install libjpeg62-turbo' (Ubuntu: libjpeg-turbo8)"
        raise PluginError(f"{library} cannot be loaded: {reason}; {advice}") from None
