"""Fetching a file from servers that break, lie and change their mind."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from flaky_server import Answer, serve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dali_voc import DownloadError
from dali_voc.downloading import Archive, Checksum, Patience, parse_checksum
from dali_voc.downloading._part import Part, hash_of_url
from dali_voc.downloading._transfer import fetch

DATA = random.Random(0).randbytes(300_000)
OTHER = random.Random(1).randbytes(300_000)
QUICK = Patience(tries=4, timeout=0.3, first_wait=0.0)


def md5(data: bytes) -> Checksum:
    return Checksum(algorithm="md5", digits=hashlib.md5(data).hexdigest())


def get(
    url: str,
    path: Path,
    *,
    size: int | None = None,
    checksum: Checksum | None = None,
    patience: Patience = QUICK,
) -> list[tuple[str, int, int | None]]:
    """Fetch, and return what `progress` was told."""
    told: list[tuple[str, int, int | None]] = []
    fetch(
        Archive(url=f"{url}/a.tar", size=size, checksum=checksum),
        path,
        patience=patience,
        progress=lambda *how_far: told.append(how_far),
        check_space=lambda coming, total: None,
    )
    return told


def failure(url: str, path: Path, **more: object) -> str:
    with pytest.raises(DownloadError) as error:
        get(url, path, **more)  # type: ignore[arg-type]
    assert not path.exists()
    text = str(error.value)
    assert "\n" not in text
    return text


def assert_whole(path: Path, data: bytes = DATA) -> None:
    assert path.read_bytes() == data
    # where no checksum says what it is, its address is noted
    origin = path.with_name(f".{path.name}.from")
    assert set(path.parent.iterdir()) - {origin} == {path}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.tar"


def test_a_good_server(path: Path) -> None:
    with serve(Answer(data=DATA)) as server:
        told = get(server.url, path, size=len(DATA), checksum=md5(DATA))
    assert_whole(path)
    assert server.asked == [("/a.tar", None, None)]
    assert told[0] == ("downloading", 0, len(DATA))
    assert ("downloading", len(DATA), len(DATA)) in told
    assert told[-1] == ("checking", len(DATA), len(DATA))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cuts=st.lists(st.integers(0, len(DATA) - 1), max_size=3),
    how=st.builds(
        Answer,
        data=st.just(DATA),
        etag=st.sampled_from(['"1"', 'W/"1"', None]),
        ranges=st.booleans(),
        chunked=st.booleans(),
    ),
    reset=st.booleans(),
)
def test_cuts_anywhere(path: Path, cuts: list[int], how: Answer, reset: bool) -> None:
    """Whatever the server breaks off or cannot do, the bytes are right in the end."""
    path.unlink(missing_ok=True)
    with serve(*(replace(how, cut=cut, reset=reset) for cut in cuts), how) as server:
        get(server.url, path, size=len(DATA), checksum=md5(DATA))
    assert_whole(path)


def test_goes_on_where_it_stopped(path: Path) -> None:
    answer = Answer(data=DATA)
    with serve(replace(answer, cut=1000), replace(answer, cut=0), answer) as server:
        get(server.url, path)
    assert_whole(path)
    assert [asked[1:] for asked in server.asked] == [
        (None, None),
        ("bytes=1000-", '"1"'),
        ("bytes=1000-", '"1"'),
    ]


def test_a_later_run_goes_on(path: Path) -> None:
    with serve(Answer(data=DATA, cut=5000), Answer(status=503), Answer(data=DATA)) as server:
        text = failure(server.url, path, patience=replace(QUICK, tries=2))
        assert text == (
            f"{server.url}/a.tar: the server answers 503 Service Unavailable, at the last of 2 "
            "tries; 5,000 bytes are kept, and the same command goes on from there"
        )
        assert path.with_name("a.tar.part").read_bytes() == DATA[:5000]
        get(server.url, path)
    assert_whole(path)
    assert server.asked[-1][1] == "bytes=5000-"


@pytest.mark.parametrize("ranges", [True, False])
def test_the_file_changed_in_between(path: Path, ranges: bool) -> None:
    """By ETag alone: no checksum could tell."""
    changed = Answer(data=OTHER, etag='"2"', ranges=ranges)
    with serve(Answer(data=DATA, cut=70_000), changed) as server:
        get(server.url, path)
    assert_whole(path, OTHER)


def test_the_file_changed_and_the_server_ignores_if_range(path: Path) -> None:
    """A weak ETag may not be sent in If-Range; that it differs shows in the answer."""
    changed = Answer(data=OTHER, etag='W/"2"')
    with serve(Answer(data=DATA, etag='W/"1"', cut=70_000), changed) as server:
        get(server.url, path)
    assert_whole(path, OTHER)
    assert [asked[1] for asked in server.asked] == [None, "bytes=70000-", None]


def test_a_change_that_only_the_checksum_shows(path: Path) -> None:
    """Half of an older file and half of the new: begins anew, once."""
    new = Answer(data=OTHER, etag=None)
    with serve(Answer(data=DATA, etag=None, cut=70_000), new) as server:
        with pytest.raises(DownloadError):
            get(server.url, path, checksum=md5(OTHER), patience=replace(QUICK, tries=1))
        get(server.url, path, checksum=md5(OTHER))
    assert_whole(path, OTHER)
    assert [asked[1] for asked in server.asked] == [None, "bytes=70000-", None]


def test_a_change_in_between_that_only_the_checksum_shows(path: Path) -> None:
    """Within one run, too; and where the file is wrong in itself, it ends."""
    new = Answer(data=OTHER, etag=None)
    with serve(Answer(data=DATA, etag=None, cut=70_000), new) as server:
        get(server.url, path, checksum=md5(OTHER))
    assert_whole(path, OTHER)
    assert [asked[1] for asked in server.asked] == [None, "bytes=70000-", None]
    path.unlink()
    broken = [Answer(data=DATA, etag=None, cut=cut) for cut in (70_000, 300_000, 70_000, 300_000)]
    with serve(*broken) as server:
        assert "found md5 " in failure(server.url, path, checksum=md5(OTHER))
    assert [asked[1] for asked in server.asked] == [None, "bytes=70000-"] * 2


@pytest.mark.parametrize("said", [b"\x1b]0;title\x07\x1b[2Jdone\r\n\r\n", b"\x15\x03\x01\x00\x02"])
def test_what_is_no_http(path: Path, said: bytes) -> None:
    """No byte of it reaches the terminal."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in range(QUICK.tries):
                connection, _ = server.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        text = failure(f"http://127.0.0.1:{server.getsockname()[1]}", path)
        thread.join()
    assert "something that is not HTTP; is the address one of https?" in text
    assert all(32 <= ord(character) < 127 for character in text)


def test_nothing_is_resumed_that_nobody_can_check(path: Path) -> None:
    with serve(Answer(data=DATA, etag=None, cut=70_000), Answer(data=OTHER, etag=None)) as server:
        failure(server.url, path, patience=replace(QUICK, tries=1))
        get(server.url, path)
    assert_whole(path, OTHER)


def test_a_mirror_goes_on_where_the_checksum_is_known(path: Path) -> None:
    with serve(Answer(data=DATA, cut=70_000)) as server:
        failure(server.url, path, checksum=md5(DATA), patience=replace(QUICK, tries=1))
    with serve(Answer(data=DATA, etag='"mirror"')) as mirror:
        get(mirror.url, path, checksum=md5(DATA))
    assert_whole(path)
    assert mirror.asked == [("/a.tar", "bytes=70000-", None)]


@pytest.mark.parametrize("shifted", [-100, 100])
def test_a_range_that_was_not_asked_for(path: Path, shifted: int) -> None:
    first = Answer(data=DATA, cut=70_000)
    with serve(first, Answer(data=DATA, shifted=shifted), Answer(data=DATA)) as server:
        get(server.url, path)
    assert_whole(path)


@pytest.mark.parametrize("declared", [len(DATA) - 50_000, len(DATA) + 50_000])
def test_a_wrong_length_is_seen_before_anything_comes(path: Path, declared: int) -> None:
    with serve(Answer(data=DATA, declared=declared)) as server:
        text = failure(server.url, path, size=len(DATA))
    assert text == f"{server.url}/a.tar: found {declared:,} bytes, expected 300,000"
    assert list(path.parent.iterdir()) == []


def test_a_length_too_short_where_only_the_checksum_is_known(path: Path) -> None:
    with serve(Answer(data=DATA, declared=250_000)) as server:
        text = failure(server.url, path, checksum=md5(DATA))
    found = hashlib.md5(DATA[:250_000]).hexdigest()
    assert text == f"{server.url}/a.tar: found md5 {found}, expected {md5(DATA).digits}"
    assert list(path.parent.iterdir()) == []


def test_a_length_too_long_where_nothing_is_known(path: Path) -> None:
    with serve(Answer(data=DATA, declared=350_000, ranges=False)) as server:
        text = failure(server.url, path)
    assert "the connection ended at 300,000 of 350,000 bytes, at the last of 4 tries" in text


@pytest.mark.parametrize("declared", [1, 100_000, len(DATA) - 1])
def test_no_more_is_taken_than_the_server_says(path: Path, declared: int) -> None:
    """Nothing is known but the length, which is a lie: what comes behind it is not the file."""
    with serve(Answer(data=DATA, declared=declared)) as server:
        get(server.url, path)
    assert_whole(path, DATA[:declared])


def test_a_part_that_is_too_long(path: Path) -> None:
    with serve(Answer(data=DATA, cut=70_000), Answer(data=DATA[:60_000])) as server:
        failure(server.url, path, checksum=md5(DATA), patience=replace(QUICK, tries=1))
        get(server.url, path, size=60_000, checksum=md5(DATA[:60_000]))
    assert_whole(path, DATA[:60_000])


def test_a_part_that_is_whole_where_only_the_server_knows_the_size(path: Path) -> None:
    """Killed between the last byte and the final name; the server has nothing behind it."""
    with serve(Answer(data=DATA, cut=70_000), Answer(data=DATA)) as server:
        failure(server.url, path, patience=replace(QUICK, tries=1))
        path.with_name("a.tar.part").write_bytes(DATA)
        get(server.url, path)
    assert_whole(path)
    assert [asked[1] for asked in server.asked] == [None, "bytes=300000-"]


def test_progress_counts_for_patience(path: Path) -> None:
    """A megabyte at a time is slow going, not a failure; next to nothing at a time is one."""
    data = DATA * 14
    for step, good in (1 << 20, True), (1 << 18, False):
        with serve(Answer(data=data, cut=step)) as server:
            if good:
                get(server.url, path, patience=replace(QUICK, tries=2))
                assert_whole(path, data)
                path.unlink()
            else:
                failure(server.url, path, patience=replace(QUICK, tries=2))


def test_more_bytes_than_there_should_be(path: Path) -> None:
    with serve(Answer(data=DATA, chunked=True)) as server:
        text = failure(server.url, path, size=200_000)
    assert text.endswith("found more bytes than the 200,000 expected")
    assert list(path.parent.iterdir()) == []


def test_no_length_at_all(path: Path) -> None:
    with serve(Answer(data=DATA, chunked=True)) as server:
        get(server.url, path)
    assert_whole(path)


@pytest.mark.parametrize("cut", [0, 100, len(DATA) - 1])
def test_a_cut_shows_without_a_length(path: Path, cut: int) -> None:
    answer = Answer(data=DATA, chunked=True)
    with serve(replace(answer, cut=cut), answer) as server:
        get(server.url, path)
    assert_whole(path)
    assert len(server.asked) == 2


@pytest.mark.parametrize("chunked", [True, False])
def test_an_empty_file(path: Path, chunked: bool) -> None:
    """It is what the server has; that it is no archive is for others to say."""
    with serve(Answer(data=b"", chunked=chunked)) as server:
        get(server.url, path)
    assert_whole(path, b"")


def test_a_range_of_a_file_whose_size_is_not_said(path: Path) -> None:
    rest = Answer(data=DATA, hide_total=True)
    with serve(Answer(data=DATA, cut=1000), replace(rest, cut=2000), rest) as server:
        get(server.url, path)
    assert_whole(path)
    assert [asked[1] for asked in server.asked] == [None, "bytes=1000-", "bytes=3000-"]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_answers_that_no_second_try_changes(path: Path, status: int) -> None:
    with serve(Answer(status=status)) as server:
        assert f"{server.url}/a.tar: the server answers {status} " in failure(server.url, path)
    assert len(server.asked) == 1
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_answers_that_pass(path: Path, status: int, caplog: pytest.LogCaptureFixture) -> None:
    busy = Answer(status=status, headers={"Retry-After": "2"})
    with serve(busy, Answer(data=DATA)) as server:
        get(server.url, path, patience=replace(QUICK, longest_wait=0.0))
    assert_whole(path)
    assert f"the server answers {status}" in caplog.text


def test_waits_grow_and_the_server_may_ask_for_more(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    busy = Answer(status=503)
    asks = replace(busy, headers={"Retry-After": "30"})
    much = replace(busy, headers={"Retry-After": "9999"})
    with serve(busy, busy, asks, much, busy) as server:
        failure(server.url, path, patience=Patience(tries=6))
    assert waits == [1, 2, 30, 60, 16]


def test_redirects(path: Path) -> None:
    with (
        serve(Answer(data=DATA, cut=9), Answer(data=DATA)) as target,
        serve(Answer(status=302, headers={"Location": f"{target.url}/there"})) as server,
    ):
        get(server.url, path)
    assert_whole(path)
    assert target.asked[1] == ("/there", "bytes=9-", '"1"')


@pytest.mark.parametrize("to", ["/a.tar", "file:///etc/passwd"])
def test_redirects_that_lead_nowhere(path: Path, to: str) -> None:
    with serve(Answer(status=302, headers={"Location": to})) as server:
        text = failure(server.url, path)
    assert "302 Found" in text
    assert "redirects in a loop or wrongly" in text
    assert list(path.parent.iterdir()) == []


def test_a_server_that_stalls(path: Path) -> None:
    stalls = Answer(data=DATA, cut=1000, stall=True)
    with serve(stalls, stalls, Answer(data=DATA)) as server:
        get(server.url, path)
    assert_whole(path)
    assert [asked[1] for asked in server.asked] == [None, "bytes=1000-", "bytes=2000-"]


def test_nobody_listens(path: Path) -> None:
    with serve(Answer()) as server:
        pass
    text = failure(server.url, path)
    assert text == f"{server.url}/a.tar: Connection refused, at the last of 4 tries"


@pytest.mark.parametrize("scheme", [True, False])
def test_a_proxy_that_is_not_there_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, scheme: bool
) -> None:
    with serve(Answer()) as proxy:
        pass
    address = proxy.url.replace("//", "//me:secret@")
    monkeypatch.setenv("http_proxy", address if scheme else address.partition("//")[2])
    monkeypatch.delenv("no_proxy", raising=False)
    named = proxy.url.replace("//", "//me:***@")
    named = named if scheme else named.partition("//")[2]
    through = f"(through the proxy {named}, of the environment)"
    expected = f"Connection refused {through}, at the last of 4 tries"
    assert failure("http://example.org", path) == f"http://example.org/a.tar: {expected}"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert "proxy" not in failure(proxy.url, path)


def test_a_password_is_for_the_server_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        serve(Answer(data=DATA)) as target,
        serve(
            Answer(data=DATA, cut=9),
            Answer(status=302, headers={"Location": f"{target.url}/there"}),
        ) as server,
    ):
        address = server.url.replace("//", "//me:p%40ss@")
        archive = Archive(url=f"{address}/a.tar?signature=secret")
        told: list[object] = []
        fetch(
            archive,
            path,
            patience=QUICK,
            progress=lambda *how_far: told.extend(
                file.read_text() for file in path.parent.glob("*.json")
            ),
            check_space=lambda coming, total: None,
        )
        refused = serve(Answer(status=404))
        with refused as other, pytest.raises(DownloadError) as error:
            get(other.url.replace("//", "//me:p%40ss@"), path.with_name("b.tar"))
    assert_whole(path)
    assert server.signed == [f"Basic {base64.b64encode(b'me:p@ss').decode()}"] * 2
    assert server.asked[0][0] == "/a.tar?signature=secret"
    assert target.signed == [None]
    said = f"{caplog.text}{error.value}{told}"
    assert "ss@" not in said
    assert "secret" not in said
    assert f"{server.url.replace('//', '//me:***@')}/a.tar?…: the connection ended" in caplog.text


@pytest.mark.parametrize(("user", "token"), [("me:pass", b"me:pass"), ("token", b"token:")])
def test_a_server_may_redirect_to_itself(path: Path, user: str, token: bytes) -> None:
    moved = Answer(status=302, headers={"Location": "/there"})
    with serve(moved, Answer(data=DATA)) as server:
        get(server.url.replace("//", f"//{user}@"), path)
    assert_whole(path)
    assert server.signed == [f"Basic {base64.b64encode(token).decode()}"] * 2


def test_wrong_checksum(path: Path) -> None:
    with serve(Answer(data=DATA)) as server:
        text = failure(server.url, path, checksum=md5(OTHER))
    assert text == (
        f"{server.url}/a.tar: found md5 {md5(DATA).digits}, expected {md5(OTHER).digits}"
    )
    assert list(path.parent.iterdir()) == []


def test_a_whole_part_needs_no_server(path: Path) -> None:
    """Killed between the last byte and the final name."""
    part = Part(path)
    path.with_name("a.tar.part").write_bytes(DATA)
    origin = hash_of_url("http://127.0.0.1:9/a.tar")
    record = {"origin": origin, "total": 300_000, "etag": "1", "modified": None}
    part._record.write_text(json.dumps(record))
    get("http://127.0.0.1:9", path, size=len(DATA), checksum=md5(DATA))
    assert_whole(path)


@pytest.mark.parametrize("record", ["", "{", "[]", '{"url": 1}', "null"])
def test_a_record_that_is_damaged_counts_for_nothing(path: Path, record: str) -> None:
    path.with_name("a.tar.part").write_bytes(OTHER[:1000])
    path.with_name("a.tar.part.json").write_text(record)
    with serve(Answer(data=DATA)) as server:
        get(server.url, path)
    assert_whole(path)
    assert server.asked == [("/a.tar", None, None)]


def test_a_file_that_is_there_is_checked_and_not_fetched(path: Path) -> None:
    path.write_bytes(DATA)
    get("http://127.0.0.1:9", path, size=len(DATA), checksum=md5(DATA))
    assert_whole(path)
    with pytest.raises(DownloadError, match=r"a\.tar: found md5"):
        get("http://127.0.0.1:9", path, checksum=md5(OTHER))


def test_disk_full(path: Path) -> None:
    """A real one: /dev/full takes nothing."""
    part = path.with_name("a.tar.part")
    part.symlink_to("/dev/full")
    whole = Part(path)
    with pytest.raises(DownloadError) as error:
        whole.append(b"x")
    assert str(error.value).startswith(f"{part}: cannot be written (No space left on device); 0 ")


def test_a_space_check_that_fails_leaves_nothing_under_the_final_name(path: Path) -> None:
    def full(coming: int, total: int) -> None:
        raise DownloadError(f"{coming} of {total}")

    with serve(Answer(data=DATA, cut=1000), Answer(data=DATA)) as server:
        failure(server.url, path, patience=replace(QUICK, tries=1))
        with pytest.raises(DownloadError, match="299000 of 300000"):
            fetch(
                Archive(url=f"{server.url}/a.tar"),
                path,
                patience=QUICK,
                progress=lambda *_: None,
                check_space=full,
            )
    assert not path.exists()


@pytest.mark.parametrize(("kind", "text"), [("md5", "1" * 31), ("sha256", "g" * 64), ("md5", "")])
def test_checksums_that_are_none(kind: str, text: str) -> None:
    with pytest.raises(DownloadError, match=f"--{kind}: found '{text}', expected"):
        parse_checksum(kind, text)


def test_checksums_against_hashlib(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(DATA * 10)
    for kind in "md5", "sha256":
        expected = hashlib.new(kind, DATA * 10).hexdigest()
        checksum = parse_checksum(kind, f" {expected.upper()}\n")
        assert checksum.digits == expected == checksum.of(file, progress=lambda *_: None)


def test_a_server_that_always_begins_anew_is_given_up(path: Path) -> None:
    """Though each attempt brings much: none brings more than the one before."""
    data = random.Random(2).randbytes(3 << 20)
    broken = Answer(data=data, ranges=False, etag=None, cut=2 << 20)
    with serve(*[broken] * 8, Answer(data=data)) as server:
        assert "at the last of 4 tries" in failure(server.url, path, checksum=md5(data))
        assert len(server.asked) == 4
