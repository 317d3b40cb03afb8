"""Archives that mean harm, or are damaged: one sentence, and nothing outside the folder."""

from __future__ import annotations

import bz2
import copy
import gzip
import io
import lzma
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dali_voc.downloading._archive import ArchiveError, open_archive, unpack

FILES = {"a/x.jpg": b"x" * 3000, "a/b/y.png": b"y" * 700, "list.txt": b""}
Member = tuple[tarfile.TarInfo, bytes]


def info(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0
) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, link, size
    return made


def tar(*members: Member) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as out:
        for member, data in members:
            out.addfile(member, io.BytesIO(data) if data else None)
    return file.getvalue()


def good(files: dict[str, bytes] = FILES) -> list[Member]:
    return [(info(name, size=len(data)), data) for name, data in files.items()]


def unpack_bytes(data: bytes, tmp_path: Path) -> Path:
    archive, folder = tmp_path / "a.tar", tmp_path / "in/folder"
    archive.write_bytes(data)
    folder.mkdir(parents=True)
    unpack(archive, folder, progress=lambda done: None)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    "compress", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["", "gz", "bz2", "xz"]
)
def test_good_archives(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    random_bytes = random.Random(0).randbytes(2_500_000)  # more than a chunk, and no bomb
    files = {**FILES, "./big": random_bytes, "ü" * 100: b"long", "n" * 255: b"longest"}
    members = [(info("a", tarfile.DIRTYPE), b""), *good(files), (info("a/", tarfile.DIRTYPE), b"")]
    folder = unpack_bytes(compress(tar(*members)), tmp_path)
    assert contents(folder) == {name.removeprefix("./"): data for name, data in files.items()}


def test_what_is_written_is_plain(tmp_path: Path) -> None:
    """No owner, no set-user-id bit, no execute bit of the archive's."""
    member = info("a", size=1)
    member.mode, member.uid = 0o6777, 12345
    path = unpack_bytes(tar((member, b"a")), tmp_path) / "a"
    assert path.stat().st_mode & 0o7111 == 0
    assert path.stat().st_uid != 12345


TOO_LONG = "n" * 256
HARM: dict[str, tuple[list[Member], str]] = {
    "up": ([(info("../evil", size=1), b"e")], "found the name '../evil'"),
    "up inside": ([(info("a/../../evil", size=1), b"e")], "found the name 'a/../../evil'"),
    "folder up": ([(info("../evil", tarfile.DIRTYPE), b"")], "found the name '../evil'"),
    "absolute": ([(info("/HERE/evil", size=1), b"e")], "found the name '/HERE/evil'"),
    "symlink out": ([(info("a", tarfile.SYMTYPE, "/etc"), b"")], "found a link, 'a'"),
    "symlink in": ([*good(), (info("s", tarfile.SYMTYPE, "a"), b"")], "found a link, 's'"),
    "through a symlink": (
        [(info("a", tarfile.SYMTYPE, ".."), b""), (info("a/evil", size=1), b"e")],
        "found a link, 'a'",
    ),
    "hard link out": ([(info("h", tarfile.LNKTYPE, "/etc/passwd"), b"")], "found a link, 'h'"),
    "hard link in": ([*good(), (info("h", tarfile.LNKTYPE, "list.txt"), b"")], "found a link"),
    "character device": ([(info("null", tarfile.CHRTYPE), b"")], "found a device or the like"),
    "block device": ([(info("sda", tarfile.BLKTYPE), b"")], "found a device or the like, 'sda'"),
    "pipe": ([(info("pipe", tarfile.FIFOTYPE), b"")], "found a device or the like, 'pipe'"),
    "twice": ([*good(), (info("a/x.jpg", size=1), b"e")], "found 'a/x.jpg' twice"),
    "twice, written otherwise": ([*good(), (info("./a//x.jpg", size=1), b"e")], "twice"),
    "file for a folder": ([*good(), (info("a", size=1), b"e")], "found 'a' where it has something"),
    "folder for a file": (
        [*good(), (info("list.txt/b", size=1), b"e")],
        "found 'list.txt/b' where it has something else",
    ),
    "name too long": ([(info(TOO_LONG, size=1), b"e")], "found a name of 256 characters"),
    "path too long": ([(info("n/" * 600 + "n", size=1), b"e")], "found a name of 1,201 characters"),
}


@pytest.mark.parametrize("harm", HARM)
def test_harm(tmp_path: Path, harm: str) -> None:
    members, expected = copy.deepcopy(HARM[harm])
    for member, _ in members:
        member.name = member.name.replace("/HERE", str(tmp_path))
    expected = expected.replace("/HERE", str(tmp_path))
    with pytest.raises(ArchiveError) as error:
        unpack_bytes(tar(*members), tmp_path)
    text = str(error.value)
    assert text.startswith(f"{tmp_path}/a.tar: ")
    assert expected in text
    assert "\n" not in text
    everything = {p.relative_to(tmp_path) for p in tmp_path.rglob("*")}
    assert not any(path.name == "evil" for path in everything)
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


def test_a_bomb(tmp_path: Path) -> None:
    """100 MB of zeros in 100 kB; refused before they are written."""
    zeros = b"\0" * 100_000_000
    bomb = gzip.compress(tar((info("zeros", size=len(zeros)), zeros)), compresslevel=1)
    with pytest.raises(ArchiveError, match="expected no archive that blows up"):
        unpack_bytes(bomb, tmp_path)
    assert contents(tmp_path / "in") == {}


@pytest.mark.parametrize("before", [[], good(), [(info("d", tarfile.DIRTYPE, size=1 << 32), b"")]])
def test_a_bomb_of_headers(tmp_path: Path, before: list[Member]) -> None:
    """A header of 50 MB, which tarfile would read into memory at once."""
    member = info("a", size=0)
    member.pax_headers = {"comment": "c" * 50_000_000}
    with pytest.raises(ArchiveError, match="found more than 1,048,576 bytes about one file"):
        unpack_bytes(gzip.compress(tar(*before, (member, b"")), compresslevel=1), tmp_path)


def test_a_bomb_of_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dali_voc.downloading._archive._MOST_MEMBERS", 100)
    members: list[Member] = [(info(f"d{i}", tarfile.DIRTYPE), b"") for i in range(101)]
    with pytest.raises(ArchiveError, match="found more than 100 files"):
        unpack_bytes(tar(*members), tmp_path)


def test_a_size_that_is_a_lie(tmp_path: Path) -> None:
    """8 GB in a plain tar of 10 kB."""
    data = bytearray(tar(*good({"a": b"a"})))
    data[124:136] = b"77777777777\0"
    data[148:156] = b"%06o\0 " % sum(data[:148], 8 * 32 + sum(data[156:512]))
    with pytest.raises(ArchiveError, match="cannot be read as a tar archive"):
        unpack_bytes(bytes(data), tmp_path)


def test_a_file_with_holes(tmp_path: Path) -> None:
    member = info("a", size=512)
    member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.map": "0,512,1000000000,0"}
    member.pax_headers["GNU.sparse.size"] = "1000000000"
    with pytest.raises(ArchiveError, match="found a file with holes"):
        unpack_bytes(tar((member, b"x" * 512)), tmp_path)


@pytest.mark.parametrize("data", [b"", b"<html>404</html>" * 100, b"\x1f\x8bnonsense", b"BZh9nope"])
def test_no_archive(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ArchiveError, match=r"a\.tar: cannot be read as a tar archive"):
        unpack_bytes(data, tmp_path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), compress=st.sampled_from([bytes, gzip.compress, lzma.compress]))
def test_archives_that_end_early(
    tmp_path: Path, data: st.DataObject, compress: Callable[[bytes], bytes]
) -> None:
    """Wherever they are cut, at the end of a file too: never taken for whole."""
    whole = tar(*good())
    used = whole.rstrip(b"\0")
    used = whole[: -(-len(used) // 512) * 512]  # without the blocks that mark the end
    packed = compress(used)
    keep = data.draw(st.integers(0, len(packed)))
    archive = tmp_path / "a.tar"
    archive.write_bytes(packed[:keep])
    with pytest.raises(ArchiveError, match="cannot be read as a tar archive"):
        read_all(archive)


def read_all(archive: Path) -> None:
    with open_archive(archive) as files:
        for _, content in files:
            content.read()


def test_damage_in_the_middle(tmp_path: Path) -> None:
    """tarfile takes a damaged header for the end, and would leave out the rest."""
    data = bytearray(tar(*good()))
    second = data.index(b"a/b/y.png")
    data[second + 200] ^= 1
    with pytest.raises(ArchiveError, match="cannot be read as a tar archive"):
        unpack_bytes(bytes(data), tmp_path)
