"""Data sets from a server or a file to their folder."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import shutil
import tarfile
import tempfile
from pathlib import Path

import pytest
from flaky_server import Answer, serve

from dali_voc import DownloadError
from dali_voc.downloading import (
    ARCHIVES,
    BY_HAND,
    Archive,
    Checksum,
    Downloaded,
    Patience,
    choose_archive,
    data_set_name,
    download,
)
from dali_voc.downloading._address import shown
from dali_voc.downloading._choose import archive_name

QUICK = Patience(tries=2, timeout=1.0, first_wait=0.0)


def tar_of(folder: Path, inside: str, *, without: str = "", mode: str = "w:") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as tar:  # type: ignore[call-overload]
        tar.add(
            folder,
            arcname=inside,
            filter=lambda m: None if without and without in m.name else m,
        )
    return file.getvalue()


@pytest.fixture(scope="module")
def voc_tar(voc: Path) -> bytes:
    return tar_of(voc, "VOCdevkit/VOC2012")


def known(url: str, data: bytes) -> Archive:
    digits = hashlib.md5(data).hexdigest()
    return Archive(url=url, size=len(data), checksum=Checksum(algorithm="md5", digits=digits))


def fetch(root: Path, archive: Archive, name: str = "voc2012", *, keep: bool = False) -> Downloaded:
    return download(name, root, archive=archive, keep=keep, patience=QUICK)


def failure(root: Path, archive: Archive, name: str = "voc2012") -> str:
    with pytest.raises(DownloadError) as error:
        fetch(root, archive, name)
    assert "\n" not in str(error.value)
    return str(error.value)


def assert_same(found: Path, expected: Path) -> None:
    """All files of a folder, byte by byte."""
    names = [
        {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
        for root in (found, expected)
    ]
    assert names[0] == names[1]
    assert all((found / n).read_bytes() == (expected / n).read_bytes() for n in names[0])


def listed(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))[:5]


def test_from_a_server_that_cuts(voc: Path, voc_tar: bytes, tmp_path: Path) -> None:
    answer = Answer(data=voc_tar)
    with serve(Answer(data=voc_tar, cut=len(voc_tar) // 3), answer) as server:
        done = fetch(tmp_path / "new/root", known(f"{server.url}/x/VOC.tar", voc_tar))
    root = tmp_path / "new/root/VOCdevkit/VOC2012"
    assert done == Downloaded(dataset="voc2012", root=root, pairs=21, was_there=False)
    assert_same(root, voc)
    assert os.listdir(tmp_path / "new/root") == ["VOCdevkit"]
    assert os.listdir(root.parent) == ["VOC2012"]
    again = fetch(tmp_path / "new/root", Archive(url="http://127.0.0.1:9/never-asked"))
    assert again == Downloaded(dataset="voc2012", root=root, pairs=21, was_there=True)


@pytest.mark.parametrize("inside", ["VOC2012", "TrainVal/VOCdevkit/VOC2011", ".", "my data"])
@pytest.mark.parametrize("mode", ["w:", "w:gz"])
def test_from_a_file_in_any_folder_of_it(
    voc: Path, tmp_path: Path, inside: str, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "my archive.tar"
    path.write_bytes(tar_of(voc, inside, mode=mode))
    done = fetch(tmp_path / "root", choose_archive("voc2011", url=str(path)), "voc2011")
    assert_same(done.root, voc)
    assert done.root == tmp_path / "root/VOCdevkit/VOC2011"
    assert path.exists()
    assert "its checksum is not known" in caplog.text


@pytest.mark.parametrize("below", ["", "VOCdevkit", "VOCdevkit/VOC2012"])
def test_the_root_may_be_any_of_three_folders(
    voc: Path, voc_tar: bytes, tmp_path: Path, below: str
) -> None:
    (tmp_path / "a.tar").write_bytes(voc_tar)
    done = fetch(tmp_path / "root" / below, choose_archive("voc2012", url=f"{tmp_path}/a.tar"))
    assert done.root == tmp_path / "root/VOCdevkit/VOC2012"


def test_keep(voc_tar: bytes, tmp_path: Path) -> None:
    with serve(Answer(data=voc_tar)) as server:
        fetch(tmp_path, known(f"{server.url}/VOC.tar", voc_tar), keep=True)
    assert (tmp_path / "VOC.tar").read_bytes() == voc_tar
    assert sorted(os.listdir(tmp_path)) == ["VOC.tar", "VOCdevkit"]


def test_good_archive_wrong_checksum(voc_tar: bytes, tmp_path: Path) -> None:
    wrong = Checksum(algorithm="sha256", digits="0" * 64)
    with serve(Answer(data=voc_tar)) as server:
        text = failure(tmp_path, Archive(url=f"{server.url}/VOC.tar", checksum=wrong))
    digits = hashlib.sha256(voc_tar).hexdigest()
    assert text == f"{server.url}/VOC.tar: found sha256 {digits}, expected {'0' * 64}"
    assert os.listdir(tmp_path) == []


def test_malicious_archive(tmp_path: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("good"))
        tar.addfile(tarfile.TarInfo("../../evil"))
    with serve(Answer(data=file.getvalue())) as server:
        text = failure(tmp_path / "a/b", Archive(url=f"{server.url}/x.tar"))
    assert "found the name '../../evil'" in text
    assert listed(tmp_path) == ["a", "a/b"]


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        ("SegmentationClass/made_000003", "made_000003.png: no such file, expected the label of"),
        ("JPEGImages/made_000015", "made_000015.jpg: no such file, expected the image of"),
        ("SegmentationClass", "found 0 folders with JPEGImages, SegmentationClass"),
        (".txt", "found 0 folders with JPEGImages, SegmentationClass, ImageSets/Segmentation, exp"),
    ],
)
def test_archives_that_lack_something(
    voc: Path, tmp_path: Path, without: str, expected: str
) -> None:
    data = tar_of(voc, "VOCdevkit/VOC2012", without=without)
    with serve(Answer(data=data)) as server:
        text = failure(tmp_path, Archive(url=f"{server.url}/x.tar"))
    assert text.startswith(f"{tmp_path}/x.tar: ")
    assert expected in text
    assert ".unpacking" not in text
    assert listed(tmp_path) == []


def test_a_part_of_the_data_is_there(voc: Path, voc_tar: bytes, tmp_path: Path) -> None:
    """Somebody else's half-done work is neither taken for whole nor overwritten."""
    root = shutil.copytree(voc, tmp_path / "VOCdevkit/VOC2012")
    (root / "JPEGImages/made_000003.jpg").unlink()
    text = failure(tmp_path, Archive(url="http://127.0.0.1:9/never-asked"))
    assert text.startswith(f"{root}: found something else or a part of the data (")
    assert "made_000003.jpg" in text
    shutil.rmtree(root)
    root.mkdir()
    (tmp_path / "a.tar").write_bytes(voc_tar)
    fetch(tmp_path, choose_archive("voc2012", url=f"{tmp_path}/a.tar"))  # an empty one is nothing
    assert_same(root, voc)


def test_what_a_killed_run_left_is_cleared(voc: Path, voc_tar: bytes, tmp_path: Path) -> None:
    left = tmp_path / "VOCdevkit/.VOC2012.unpacking/VOCdevkit/VOC2012/JPEGImages"
    left.mkdir(parents=True)
    (left / "half.jpg").write_bytes(b"half")
    (tmp_path / "VOC.tar").write_bytes(voc_tar)  # whole, and not unpacked yet
    fetch(tmp_path, known("http://127.0.0.1:9/VOC.tar", voc_tar))
    assert_same(tmp_path / "VOCdevkit/VOC2012", voc)
    assert os.listdir(tmp_path) == ["VOCdevkit"]
    assert os.listdir(tmp_path / "VOCdevkit") == ["VOC2012"]


def test_interrupted_while_unpacking(voc: Path, voc_tar: bytes, tmp_path: Path) -> None:
    def interrupt(step: str, done: int, total: int | None) -> None:
        if step == "unpacking" and done > len(voc_tar) // 4:
            raise KeyboardInterrupt

    with serve(Answer(data=voc_tar)) as server:
        archive = known(f"{server.url}/VOC.tar", voc_tar)
        with pytest.raises(KeyboardInterrupt):
            download("voc2012", tmp_path, archive=archive, progress=interrupt)
    assert os.listdir(tmp_path) == ["VOC.tar"]
    fetch(tmp_path, archive)  # without the server
    assert_same(tmp_path / "VOCdevkit/VOC2012", voc)


def test_vocdevkit_on_another_disk(
    voc: Path, voc_tar: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room is looked for on each; a folder is renamed within one disk only."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second disk here")
    with tempfile.TemporaryDirectory(dir=shm) as other:
        (tmp_path / "VOCdevkit").symlink_to(other)
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=len(voc_tar)))
        with serve(Answer(data=voc_tar)) as server:
            fetch(tmp_path, known(f"{server.url}/VOC.tar", voc_tar))
        assert_same(Path(other) / "VOC2012", voc)


def test_no_room(voc_tar: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beforehand: the archive and its content."""
    needed = 2 * len(voc_tar)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=needed - 1))
    with serve(Answer(data=voc_tar)) as server:
        text = failure(tmp_path, known(f"{server.url}/VOC.tar", voc_tar))
    assert text.startswith(f"{tmp_path}: found ")
    assert " of free space, expected at least " in text
    assert not list(tmp_path.glob("*.part"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=needed))
    with serve(Answer(data=voc_tar)) as server:
        fetch(tmp_path, known(f"{server.url}/VOC.tar", voc_tar))


def test_two_at_once(voc_tar: bytes, tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    text = failure(tmp_path, Archive(url="http://127.0.0.1:9/x.tar"))
    os.close(handle)
    assert text == f"{tmp_path}: another download is at work here, expected one at a time"


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        ("file", "{}/file: found a file, expected a folder to write into"),
        ("file/below", "{}/file: found a file, expected a folder to write into"),
        ("/sys/x", r"/sys/x: cannot be written to \((Operation|Permission|Read-only).*\)"),
    ],
)
def test_roots_that_cannot_be(tmp_path: Path, root: str, reason: str) -> None:
    (tmp_path / "file").write_text("")
    text = failure(tmp_path / root, Archive(url="http://127.0.0.1:9/x.tar"))
    assert re.fullmatch(reason.format(re.escape(str(tmp_path))), text)


def test_the_catalogue() -> None:
    """Checksums are of the right form, and archives of one folder have different names."""
    assert set(ARCHIVES) == {*(f"voc{year}" for year in range(2007, 2013)), "voc2012_aug"}
    names = {archive_name(archive, name) for name, archive in ARCHIVES.items()}
    assert len(names) == len(ARCHIVES)
    assert all(a.checksum and len(a.checksum.digits) == 32 for a in ARCHIVES.values())


@pytest.mark.parametrize(
    ("text", "expected"), [("VOC2012", "voc2012"), ("sbd", "voc2012_aug"), ("voc", "voc2012")]
)
def test_names(text: str, expected: str) -> None:
    assert data_set_name(text) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("voc2021", "; did you mean 'voc2012'?"),
        ("citiscapes", "; did you mean 'cityscapes'?"),
        ("xyz", "known here; expected one of voc2007"),
    ],
)
def test_unknown_names(text: str, hint: str) -> None:
    with pytest.raises(DownloadError) as error:
        data_set_name(text)
    assert hint in str(error.value)


def test_mirrors_are_checked_as_the_original_is() -> None:
    original = ARCHIVES["voc2012"]
    for mirror in "https://m.org/voc/", "https://m.org/voc/VOCtrainval_11-May-2012.tar":
        chosen = choose_archive("voc2012", mirror=mirror)
        assert chosen.url == "https://m.org/voc/VOCtrainval_11-May-2012.tar"
        assert (chosen.size, chosen.checksum) == (original.size, original.checksum)
    assert choose_archive("voc2012", url="https://m.org/x.tar").checksum is None


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://x/y.tar", "http://", "http://[", "http://a b/c", "http://x:y/z", "http://x:0/z"),
        *("http://me:s[cret@x/y", "http://me:se/cret@x/y", "http://me:5/cret@x/y"),
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    for option in "url", "mirror":
        with pytest.raises(DownloadError, match=f"^--{option}: found '.*', expected ") as error:
            choose_archive("voc2012", **{option: url})
        assert "cret" not in str(error.value)
    with pytest.raises(DownloadError, match="found both"):
        choose_archive("voc2012", url="http://x/a", mirror="http://x/a")


@pytest.mark.parametrize(
    ("url", "expected"),
    {
        "http://x/a.tar": "http://x/a.tar",
        "http://x:80/a.tar": "http://x:80/a.tar",
        "http://x/a@b.tar": "http://x/a@b.tar",
        "http://x/a.tar?key=secret#y": "http://x/a.tar?…",
        "http://x/a.tar#secret": "http://x/a.tar",
        "https://me:secret@x/a": "https://me:***@x/a",
        "https://secret@x/a": "https://***@x/a",
        "https://me:@x/a": "https://me:***@x/a",
        "https://me:se/cr?e#t@x/a": "https://me:***@x/a",
        "https://me:secr@secret@x/a": "https://me:***@x/a",
        "me:secret@x:3128": "me:***@x:3128",
        "x:3128": "x:3128",
        "file:///a/b@c": "file:///a/b@c",
        "": "",
    }.items(),
)
def test_secrets_of_addresses_are_not_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


def test_names_of_archives_stay_in_the_folder() -> None:
    for url, expected in {
        "http://x/a.tar?token=1/2": "a.tar",
        "http://x/": "voc2012.tar",
        "http://x/..": "voc2012.tar",
        "http://x/a/..%2F..%2Fetc%2Fpasswd": "passwd",
        "http://x/.hidden%00\\n": "hidden__n",
        "http://x/" + "a" * 300: "a" * 200,
    }.items():
        assert archive_name(Archive(url=url), "voc2012") == expected


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand_knows_when_it_is_there(name: str, tmp_path: Path) -> None:
    by_hand = BY_HAND[name]
    root = tmp_path / by_hand.folder
    assert not by_hand.is_there(tmp_path)
    for path in by_hand.layout:
        (root / path).mkdir(parents=True)
    assert by_hand.is_there(tmp_path)
    assert by_hand.is_there(root)


def test_an_archive_of_another_address_that_was_kept(
    voc: Path, voc_tar: bytes, tmp_path: Path
) -> None:
    with serve(*[Answer(data=voc_tar)] * 3) as server:
        first, second = (Archive(url=f"{server.url}/{place}/voc.tar") for place in "ab")
        root = fetch(tmp_path, first, keep=True).root
        shutil.rmtree(root.parent)
        assert "nothing says that it is that of" in failure(tmp_path, second)
        assert not root.exists()
        # the same address is the same archive, and is not asked again
        assert_same(fetch(tmp_path, first).root, voc)
        assert len(server.asked) == 1
        assert os.listdir(tmp_path) == ["VOCdevkit"]
        shutil.rmtree(root.parent)
        assert_same(fetch(tmp_path, second).root, voc)


@pytest.mark.parametrize("there", [True, False])
def test_the_folder_of_the_data_may_be_a_link(
    there: bool, voc: Path, voc_tar: bytes, tmp_path: Path
) -> None:
    (tmp_path / "voc.tar").write_bytes(voc_tar)
    (tmp_path / "root/VOCdevkit").mkdir(parents=True)
    if there:
        (tmp_path / "large").mkdir()
    (tmp_path / "root/VOCdevkit/VOC2012").symlink_to(tmp_path / "large")
    archive = choose_archive("voc2012", url=str(tmp_path / "voc.tar"))
    done = fetch(tmp_path / "root", archive)
    assert done.root == tmp_path / "large"
    assert_same(tmp_path / "root/VOCdevkit/VOC2012", voc)
    assert fetch(tmp_path / "root", archive).was_there


def test_a_local_archive_may_have_any_name(voc: Path, voc_tar: bytes, tmp_path: Path) -> None:
    for k, name in enumerate((b"x\xff.tar", b"a b%20#?.tar", "ü.tar".encode())):
        path = tmp_path / os.fsdecode(name)
        path.write_bytes(voc_tar)
        done = fetch(tmp_path / f"root{k}", choose_archive("voc2012", url=str(path)))
        assert_same(done.root, voc)


def test_a_link_in_a_circle(voc_tar: bytes, tmp_path: Path) -> None:
    (tmp_path / "voc.tar").write_bytes(voc_tar)
    (tmp_path / "VOCdevkit").mkdir()
    (tmp_path / "VOCdevkit/VOC2012").symlink_to("VOC2012")
    archive = choose_archive("voc2012", url=str(tmp_path / "voc.tar"))
    assert "VOC2012: a link that leads to itself, expected a folder" in failure(tmp_path, archive)
