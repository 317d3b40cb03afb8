"""What tarfile lets through of damaged headers."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["only_tar_errors"]


@contextmanager
def only_tar_errors() -> Iterator[None]:
    """Let what headers can lead to besides errors of tarfile's own become one.

    Raises:
        tarfile.ReadError: of whatever else was raised for damage.
    """
    try:
        yield
    except RecursionError:
        raise tarfile.ReadError("too many headers of one member") from None
    except (OverflowError, ValueError) as e:
        raise tarfile.ReadError(str(e)) from None
