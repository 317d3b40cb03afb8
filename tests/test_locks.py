"""`locked_folder`: one process at a time, where the file system has locks."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path

import pytest

from dali_voc._folder_lock import locked_folder
from dali_voc.errors import DatasetError

BUSY = DatasetError("somebody is here")


def test_one_at_a_time(tmp_path: Path) -> None:
    with (
        locked_folder(tmp_path, busy=BUSY),
        pytest.raises(DatasetError, match="somebody is here"),
        locked_folder(tmp_path, busy=BUSY),
    ):
        pytest.fail("two at once")
    with locked_folder(tmp_path, busy=BUSY):
        pass


def test_errors_of_the_block_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError, match="of a socket"), locked_folder(tmp_path, busy=BUSY):
        raise BlockingIOError("of a socket")
    with locked_folder(tmp_path, busy=BUSY):  # and it is let go
        pass


@pytest.mark.parametrize(
    "code", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EIO, errno.EBADF]
)
def test_without_locks_it_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: int,
) -> None:
    def flock(_handle: int, _how: int) -> None:
        raise OSError(code, "no locks here")

    monkeypatch.setattr(fcntl, "flock", flock)
    with locked_folder(tmp_path, busy=BUSY):
        (tmp_path / "written").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["written"]
    assert f"{tmp_path}: its file system has no locks (no locks here)" in caplog.text


def test_where_folders_cannot_be_locked_a_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on NFS; the folder may get another name in between."""
    really = fcntl.flock

    def flock(handle: int, how: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EBADF, "not open for writing")
        really(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    folder = tmp_path / "before"
    folder.mkdir()
    with locked_folder(folder, busy=BUSY):
        with pytest.raises(DatasetError, match="somebody"), locked_folder(folder, busy=BUSY):
            pytest.fail("two at once")
        folder.rename(tmp_path / "after")
    assert list((tmp_path / "after").iterdir()) == []
    with locked_folder(tmp_path / "after", busy=BUSY):
        pass


def test_other_errors_are_raised(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked_folder(tmp_path / "gone", busy=BUSY):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError), locked_folder(tmp_path / "file", busy=BUSY):
        pass
