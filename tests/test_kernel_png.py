"""PNG decoded by the GPU kernels and what launches them, on the host; libdeflate plays nvCOMP."""

from __future__ import annotations

import ctypes
import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from conftest import SHARED
from cuda_on_cpu import build_nvcomp, cuda_on_cpu, guarded, scratch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from png_writer import CHANNELS, GRAY, GRAY_ALPHA, PALETTE, RGB, RGBA, chunk, write_png
from test_hostile_labels import _mutate
from test_png_window import KINDS, PALETTE_COLORS, picture

from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.errors import SampleError
from dali_voc.labels import LabelTables
from dali_voc.ops._kernels import KernelError, PngClasses, Window, decode_png
from dali_voc.ops.experimental import check_png, nvcomp_path

Pixels = npt.NDArray[Any]


@pytest.fixture(autouse=True, scope="module")
def driver() -> Iterator[ctypes.CDLL]:
    with cuda_on_cpu() as library:
        yield library


@pytest.fixture
def nvcomp() -> Iterator[ctypes.CDLL]:
    library = ctypes.CDLL(str(build_nvcomp()))
    yield library
    library.fake_nvcomp_answer(0)
    library.fake_nvcomp_odd(ctypes.c_size_t(0), 0, ctypes.c_size_t(0))


def by_pillow(file: bytes) -> Pixels:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array(Image.open(io.BytesIO(file), formats=["PNG"]).convert("RGB"))


def size_of(file: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", file[16:24])
    return height, width


def decode(
    files: Sequence[bytes],
    windows: Sequence[Window] | None = None,
    *,
    dtype: torch.dtype = torch.uint8,
    classes: PngClasses | None = None,
    place: Callable[[int], torch.Tensor] | None = None,
    **options: Any,
) -> tuple[list[Pixels], torch.Tensor]:
    """What comes out, and what is reported."""
    shapes = [size_of(f) for f in files] if windows is None else [w[2:] for w in windows]
    out = []
    for height, width in shapes:
        shape = (height, width) if classes else (height, width, 3)
        empty = torch.empty(shape, dtype=dtype)
        out.append(empty if place is None else place(empty.numel()).reshape(shape))
        out[-1].fill_(77)
    reports = torch.full((len(files), 4), 7, dtype=torch.int32)
    given = {"scratch": scratch(64 << 20), "nvcomp": build_nvcomp(), **options}
    data = [np.frombuffer(file, np.uint8) for file in files]
    decode_png(data, out, reports, windows=windows, classes=classes, **given)
    return [tensor.numpy() for tensor in out], reports


def some_windows(rng: np.random.Generator, files: Sequence[bytes]) -> list[Window]:
    windows = []
    for file in files:
        height, width = size_of(file)
        h, w = int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))
        y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
        windows.append((y, x, h, w))
    return windows


def check_equal(files: Sequence[bytes], windows: Sequence[Window] | None, **options: Any) -> None:
    found, reports = decode(files, windows, **options)
    check_png(reports, [f"{i}" for i in range(len(files))])
    for i, (file, ours) in enumerate(zip(files, found, strict=True)):
        truth = by_pillow(file)
        if windows is not None:
            y, x, h, w = windows[i]
            truth = truth[y : y + h, x : x + w]
        assert np.array_equal(ours, truth), (i, size_of(file))


def test_all_kinds_filters_and_sizes(driver: ctypes.CDLL, nvcomp: ctypes.CDLL) -> None:
    """One inflating and two kernels for all of them."""
    rng = np.random.default_rng(5)
    files = []
    for color, depth in KINDS:
        for shape in [(1, 1), (5, 1), (4, 3), (9, 4), (33, 5), (12, 40), (65, 37), (17, 130)]:
            filters = [int(f) for f in rng.integers(0, 5, shape[0])]
            files.append(picture(rng, color, depth, shape, filters=filters, idat_sizes=300))
        files += [picture(rng, color, depth, (34, 19), filters=[kind]) for kind in range(5)]
    counts = driver.fake_cuda_launches, nvcomp.fake_nvcomp_calls
    before = [count() for count in counts]
    check_equal(files, None)
    assert [count() for count in counts] == [before[0] + 2, before[1] + 1]
    check_equal(files, some_windows(rng, files), threads=3)


@pytest.mark.parametrize("color", [GRAY, RGB])
def test_more_bands_than_warps(color: int) -> None:
    """Round the block's 16 warps and further, rows long enough for several exchanges.

    Threads of the second block run in the other order.
    """
    rng = np.random.default_rng(color)
    shape = (32 * 18 + 13, 230 if color == GRAY else 71)
    filters = [int(f) for f in rng.integers(0, 5, shape[0])]
    file = picture(rng, color, 8, shape, filters=filters)
    check_equal([file] * 2, None)
    # every row looks at the one above
    file = picture(rng, color, 8, shape, filters=[4])
    check_equal([file] * 2, [(500, 20, 30, 40), (0, 0, shape[0], 3)])


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_mixed_batches_touch_nothing_else(data: st.DataObject) -> None:
    """Kinds, sizes, windows, alignments, and scratch that ends before a page without access."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    files = []
    for _ in range(data.draw(st.integers(1, 6))):
        color, depth = data.draw(st.sampled_from(KINDS))
        shape = data.draw(st.integers(1, 70)), data.draw(st.integers(1, 40))
        filters = [int(f) for f in rng.integers(0, 5, shape[0])]
        files.append(picture(rng, color, depth, shape, filters=filters))
    at_end, offset = data.draw(st.booleans()), data.draw(st.integers(0, 7))

    def place(size: int) -> torch.Tensor:
        return guarded(size, at_end=at_end, offset=offset)

    memory = guarded(256 << 10, at_end=True)
    check_equal(files, some_windows(rng, files), place=place, scratch=memory)


def test_staging_in_given_memory() -> None:
    rng = np.random.default_rng(1)
    files = [picture(rng, RGB, 8, (20, 30)) for _ in range(3)]
    host = guarded(8 << 10, at_end=True)
    check_equal(files, None, host=host)
    with pytest.raises(KernelError, match="scratch memory is too small"):
        decode(files, host=guarded(1 << 10, at_end=True))


def real_files() -> list[Path]:
    data = SHARED / "data"
    photo = sorted((data / "cityscapes").rglob("*leftImg8bit.png"))
    return [*photo[:1], *sorted((data / "camvid").rglob("*.png"))[:2]]


def test_real_photographs() -> None:
    files = [path.read_bytes() for path in real_files()]
    if not files:
        pytest.skip("no real samples")
    sizes = [size_of(file) for file in files]
    windows = [(h // 3, w // 3, h // 2, w // 2) for h, w in sizes]
    check_equal(files, windows)
    check_equal(files[:1], None)


VOID, ODD = 255, 200
TABLES = LabelTables(
    colors=(*(r << 16 | g << 8 | b for r, g, b in PALETTE_COLORS[:90]), 0x010203),
    color_classes=(*range(90), VOID),
    values=(*range(100), 255),
    value_classes=(*range(0, 200, 2), VOID),
)


def expected_classes(file: bytes, values: Pixels, color: int, by_color: bool) -> Pixels:
    """Class indices by a dictionary; -1 for those without a class."""
    colors = dict(zip(TABLES.colors, TABLES.color_classes, strict=True))
    by_value = dict(zip(TABLES.values, TABLES.value_classes, strict=True))
    at = file.find(b"PLTE") + 4
    palette = file[at : at + int.from_bytes(file[at - 8 : at - 4], "big")]

    def classify(pixel: Pixels) -> int:
        if color in (RGB, RGBA):
            return colors.get(int(pixel[0]) << 16 | int(pixel[1]) << 8 | int(pixel[2]), -1)
        value = int(pixel[0])
        if color == GRAY or not by_color:
            return by_value.get(value, -1)
        rgb = palette[3 * value : 3 * value + 3]
        return colors.get(int.from_bytes(rgb, "big"), -1) if len(rgb) == 3 else -1

    return np.array([[classify(pixel) for pixel in row] for row in values])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
@pytest.mark.parametrize("by_color", [True, False])
def test_labels(dtype: torch.dtype, by_color: bool) -> None:
    rng = np.random.default_rng(3)
    files, truth = [], []
    kinds = [kind for kind in KINDS if kind[0] != GRAY_ALPHA]
    for color, depth in kinds * 2:
        shape = (int(rng.integers(1, 60)), int(rng.integers(1, 50)))
        if color in (RGB, RGBA):
            rgb = np.array([*PALETTE_COLORS[:95], (1, 2, 3)])[rng.integers(0, 96, shape)]
            alpha = rng.integers(0, 256, (*shape, 1))
            values = rgb if color == RGB else np.concatenate([rgb, alpha], axis=2)
        else:
            values = rng.integers(0, 2**depth, (*shape, 1))
        colors = PALETTE_COLORS[: 2**depth - 1] or PALETTE_COLORS[:1]
        files.append(write_png(values, color=color, depth=depth, palette=colors))
        truth.append(expected_classes(files[-1], values, color, by_color))
    windows = some_windows(rng, files)
    classes = PngClasses(tables=TABLES, instead=ODD, by_color=by_color)
    step = torch.empty(0, dtype=dtype).element_size()

    def place(size: int) -> torch.Tensor:
        offset = step * int(rng.integers(4))
        kind = {1: np.uint8, 4: np.int32, 8: np.int64}[step]
        return guarded(size, at_end=bool(rng.integers(2)), offset=offset, dtype=kind)

    found, reports = decode(files, windows, classes=classes, dtype=dtype, place=place)
    seen = 0
    for ours, expected, (y, x, h, w), report in zip(found, truth, windows, reports, strict=True):
        cut = expected[y : y + h, x : x + w]
        assert np.array_equal(ours, np.where(cut < 0, ODD, cut))
        assert report[0] == 0
        assert report[2] == np.count_nonzero(cut < 0)
        seen += int(report[2])
    assert seen


def test_real_labels(real_voc: Path) -> None:
    """VOC's palette indices are its classes."""
    paths = sorted((real_voc / "SegmentationClass").glob("*.png"))[:3]
    files = [path.read_bytes() for path in paths]
    (tables,) = LabelTables.build(VOC_SPEC, ignore_index=255)
    found, reports = decode(files, classes=PngClasses(tables=tables, instead=ODD))
    check_png(reports, [path.name for path in paths])
    for path, ours in zip(paths, found, strict=True):
        assert np.array_equal(ours, np.array(Image.open(path)))


def test_unknown_labels_are_named() -> None:
    classes = PngClasses(tables=TABLES, instead=ODD)
    gray = write_png(np.full((5, 6), 3), color=GRAY, depth=8)
    odd_gray = write_png(np.array([[3, 150], [254, 3]]), color=GRAY, depth=8)
    odd_rgb = write_png(np.array([[[1, 2, 3], [0, 0, 1]]]), color=RGB, depth=8)
    names = ["a.png", "b.png"]
    for files, said in [
        ([gray, odd_gray], r"b\.png: 2 pixels have values that are .* the smallest is 150$"),
        ([gray, odd_rgb], r"b\.png: 1 pixel has a colour .* the smallest is \(0, 0, 1\)$"),
        ([odd_rgb, odd_gray], r"a\.png: .*; 1 more of the batch are bad$"),
    ]:
        _, reports = decode(files, classes=classes)
        with pytest.raises(SampleError, match=said):
            check_png(reports, names)


def deflated(change: Callable[[bytes], bytes], **options: Any) -> bytes:
    """A PNG of 40 x 9 whose rows are changed before they are packed; its checksums are right."""
    values = np.random.default_rng(0).integers(0, 256, (40, 9, 3))
    return write_png(values, color=RGB, depth=8, deflate=change, **options)


def _with_filter(raw: bytes, rows: Sequence[int], filter_byte: int) -> bytes:
    changed = bytearray(raw)
    for row in rows:
        changed[row * 28] = filter_byte
    return zlib.compress(bytes(changed))


# what no checksum tells of
HOSTILE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "short": (lambda raw: zlib.compress(raw[:-1]), "has 1119 bytes, too few"),
    "long": (lambda raw: zlib.compress(raw + b"x"), "does not decompress"),
    "no deflate": (lambda raw: b"\x78\x9c" + b"\xff" * 200, "does not decompress"),
    "cut": (lambda raw: zlib.compress(raw)[:-300], "does not decompress"),
    "filter 5": (lambda raw: _with_filter(raw, [35, 17, 39], 5), "unknown row filter in row 17"),
    "filter 255": (lambda raw: _with_filter(raw, [0], 255), "unknown row filter in row 0"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_no_checksum_tells_of_is_reported(case: str) -> None:
    change, said = HOSTILE[case]
    bad, good = deflated(change), deflated(zlib.compress)
    found, reports = decode([good, bad, good])
    for i in (0, 2):
        assert np.array_equal(found[i], by_pillow(good))
        assert reports[i].tolist() == [0, -1, 0, -1]
    assert not found[1].any()
    with pytest.raises(SampleError, match=rf"b\.png: damaged PNG: .*{said}"):
        check_png(reports, ["a.png", "b.png", "c.png"])
    labels, as_label = decode([good, bad], classes=PngClasses(tables=TABLES, instead=ODD))
    assert labels[0].any()
    assert not labels[1].any()
    assert as_label[1].tolist() == [*reports[1].tolist()[:2], 0, -1]


def test_adler_is_not_looked_at() -> None:
    """As in windows decoded on the CPU: what a faulty writer has summed up wrong is no matter."""
    file = deflated(lambda raw: zlib.compress(raw)[:-4] + b"\0\0\0\0")
    check = deflated(zlib.compress)
    (found,), reports = decode([file])
    check_png(reports, ["a.png"])
    assert np.array_equal(found, by_pillow(check))


REFUSED: dict[str, tuple[bytes, str]] = {
    "no zlib": (deflated(lambda raw: b"\x79" + zlib.compress(raw)[1:]), "does not decompress"),
    "dictionary": (deflated(lambda raw: b"\x78\xbb" + zlib.compress(raw)[2:]), "does not decomp"),
    "nothing": (deflated(lambda raw: zlib.compress(raw)[:7]), "does not decompress"),
    "checksum": (deflated(zlib.compress)[:-20] + b"\0" * 20, "a chunk's checksum"),
    "interlaced": (deflated(zlib.compress, interlaced=True), "interlaced or has 16 bits"),
    "16 bits": (write_png(np.zeros((2, 2)), color=GRAY, depth=16), "interlaced or has 16 bits"),
    "JPEG": (b"\xff\xd8\xff" + bytes(100), "this is a JPEG file"),
    "tiny": (
        write_png(np.zeros((1, 1)), color=GRAY, depth=1, deflate=lambda raw: b"\x78\x9c\0\0\0\0\0"),
        "does not decompress",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_cpu_can_see_is_refused(case: str, nvcomp: ctypes.CDLL) -> None:
    file, said = REFUSED[case]
    before = nvcomp.fake_nvcomp_calls()
    good = deflated(zlib.compress)
    with pytest.raises(KernelError, match=rf"sample 1: .*{said}"):
        decode([good, file], [(0, 0, 1, 1)] * 2)
    assert nvcomp.fake_nvcomp_calls() == before


def test_gray_alpha_is_no_label() -> None:
    file = write_png(np.zeros((2, 2, 2)), color=GRAY_ALPHA, depth=8)
    with pytest.raises(KernelError, match="gray label with alpha"):
        decode([file], classes=PngClasses(tables=TABLES, instead=0))


def test_mutants_are_right_or_found_out() -> None:
    """Equal to Pillow where Pillow reads the file; otherwise refused, or reported and all zeros."""
    rng = np.random.default_rng(20121111)
    originals = [picture(rng, c, d, (20, 23), idat_sizes=200) for c, d in KINDS]
    counts = {"refused": 0, "reported": 0, "equal": 0, "pillow refuses": 0}
    for i in range(400):
        file = _mutate(originals[i % len(originals)], rng)
        shape = size_of(file) if len(file) >= 24 else (1, 1)
        if not 1 <= shape[0] * shape[1] <= 1 << 16:
            shape = (1, 1)
        try:
            (found,), reports = decode([file], [(0, 0, *shape)])
        except KernelError:
            counts["refused"] += 1
            continue
        if reports[0, 0]:
            counts["reported"] += 1
            assert not found.any()
            continue
        try:
            truth = by_pillow(file)
        except Exception:
            # a wrong Adler-32, which is not looked at
            counts["pillow refuses"] += 1
            continue
        assert np.array_equal(found, truth)
        counts["equal"] += 1
    assert counts["refused"] > 100
    assert counts["equal"] > 5
    assert counts["pillow refuses"] < 40, counts


def test_sizes_that_nvcomp_reports(nvcomp: ctypes.CDLL) -> None:
    """Whatever it says about one sample, the others are as they were."""
    packed: list[bytes] = []

    def another(raw: bytes) -> bytes:
        packer = zlib.compressobj()
        # an empty block more
        packed.append(packer.compress(raw) + packer.flush(zlib.Z_FULL_FLUSH) + packer.flush())
        return packed[0]

    good, other = deflated(zlib.compress), deflated(another)
    stream = len(packed[0]) - 6
    for status, written, said in [
        (12, 1120, r"nvCOMP's status 12"),
        (0, 1000, "has 1000 bytes"),
        (1000, 0, r"nvCOMP's status 1000"),
    ]:
        nvcomp.fake_nvcomp_odd(ctypes.c_size_t(stream), status, ctypes.c_size_t(written))
        found, reports = decode([good, other])
        assert np.array_equal(found[0], by_pillow(good))
        assert not found[1].any()
        with pytest.raises(SampleError, match=rf"b\.png: .*{said}"):
            check_png(reports, ["a.png", "b.png"])


def test_failures_are_told(nvcomp: ctypes.CDLL, tmp_path: Path) -> None:
    file = deflated(zlib.compress)
    with pytest.raises(KernelError, match="scratch memory is too small"):
        decode([file], scratch=scratch(1000))
    with pytest.raises(KernelError, match="nvCOMP cannot be loaded"):
        decode([file], nvcomp=tmp_path / "none.so")
    with pytest.raises(KernelError, match="has no nvcompGetProperties, expected nvCOMP 5"):
        decode([file], nvcomp=Path("libc.so.6"))
    with pytest.raises(KernelError, match="sample 0: the window lies outside"):
        decode([file], [(35, 0, 6, 9)])
    with pytest.raises(KernelError, match="sample 0: the window has 360 pixels, the result 0"):
        decode([file], [(0, 0, 0, 3)], place=lambda size: torch.empty(3, dtype=torch.uint8)[:0])
    nvcomp.fake_nvcomp_answer(1000)
    with pytest.raises(KernelError, match="nvCOMP's inflating failed with status 1000"):
        decode([file])
    with pytest.raises(ValueError, match="reports of 1 samples but 2 names"):
        check_png(np.zeros((1, 4)), ["a", "b"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="would be given memory of the host")
def test_the_real_library_is_what_its_headers_say() -> None:
    """It loads, and takes version, alignments and temporary memory; it inflates on a GPU alone."""
    with pytest.raises(KernelError, match="nvCOMP's inflating failed with status 1"):
        decode([deflated(zlib.compress)], nvcomp=nvcomp_path())


def test_extra_chunks_and_transparency() -> None:
    rng = np.random.default_rng(6)
    clear = {GRAY: b"\0\1", RGB: b"\0\1\0\1\0\1", PALETTE: b"\0\1"}
    values = rng.integers(0, 2, (11, 12, 3))
    files = [
        write_png(
            values[..., : CHANNELS[color]],
            color=color,
            depth=8,
            palette=PALETTE_COLORS,
            extra=chunk(b"gAMA", b"\0\0\x80\0") + chunk(b"tRNS", clear[color]),
        )
        for color in clear
    ]
    check_equal(files, None)
