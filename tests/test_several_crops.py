"""Several crops of one sample, which is read and decoded once: `sampling.crops`."""

from __future__ import annotations

import io
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import encoded_voc
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nvidia.dali import Pipeline, fn
from PIL import Image

from dali_voc import Config, ConfigError, Loader, SampleError, StateError, build_loader
from dali_voc._dali_errors import reason_from_dali
from dali_voc.augment import draw_parameters
from dali_voc.labels import LabelTables
from dali_voc.ops import decode_crop, decode_label, read_record
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
N = 5
CROPS = 3
AS_STORED: dict[str, Any] = {"mean": (0, 0, 0), "std": (1, 1, 1), "dtype": "uint8"}
AS_STORED |= {"channels_last": True}
NAME = np.frombuffer(b"file", np.uint8)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several") / "voc"
    return encoded_voc.write(folder, sizes=[(60 + i, 50) for i in range(N)])


def made(make_config: MakeConfig, root: Path, *, crops: int = CROPS, **sections: Any) -> Config:
    loader = {"batch_size": 2 * crops, **sections.pop("loader", {})}
    augment = {"crop_size": [16, 16], "flip": 0.5, **sections.pop("augment", {})}
    sampling = {"crops": crops, **sections.pop("sampling", {})}
    return make_config(root, augment=augment, loader=loader, sampling=sampling, **sections)


def epoch_of(loader: Loader) -> list[tuple[list[int], dict[str, np.ndarray], Any, Any]]:
    found = []
    for images, labels in loader:
        batch = loader.in_hand
        assert batch is not None
        parameters = {k: np.array(v) for k, v in batch.parameters.items()}
        found.append((batch.samples.tolist(), parameters, images.clone(), labels.clone()))
    return found


def test_crops_of_a_sample_are_neighbours_and_differ(make_config: MakeConfig, root: Path) -> None:
    with (
        build_loader(made(make_config, root)) as loader,
        build_loader(made(make_config, root, crops=1)) as plain,
    ):
        assert len(loader) == len(plain) == 3
        for epoch in range(3):
            several, single = epoch_of(loader), epoch_of(plain)
            for (samples, parameters, *_), (order, *_) in zip(several, single, strict=True):
                assert samples == [sample for sample in order for _ in range(CROPS)]
                drawn = draw_parameters(
                    loader.plan.augment,
                    training=True,
                    seed=0,
                    epoch=epoch,
                    samples=np.array(samples),
                    occurrence=np.array([*range(CROPS)] * len(order)),
                )
                for name, array in drawn.items():
                    assert np.array_equal(parameters[name], array)
            places = [p.tobytes() for _, parameters, *_ in several for p in parameters["position"]]
            assert len(set(places)) == N * CROPS


def test_every_pixel_is_that_of_its_own_window(make_config: MakeConfig, root: Path) -> None:
    """The pictures' pixels say which sample, row and column they are."""
    config = made(make_config, root, normalize={"dtype": "uint8"})
    with build_loader(config) as loader:
        for samples, parameters, images, labels in epoch_of(loader):
            for i, sample in enumerate(samples):
                height, width = 60 + sample, 50
                v, u = parameters["position"][i]
                y, x = np.mgrid[:16, :16]
                y, x = y + int(v * (height - 15)), x + int(u * (width - 15))
                if parameters["flip"][i]:
                    x = x[:, ::-1]
                expected = np.stack([np.full_like(y, sample), y, x])
                assert np.array_equal(images[i].numpy(), expected)
                assert np.array_equal(labels[i].numpy(), encoded_voc.label_of(sample, y, x))


@pytest.mark.parametrize(
    "more",
    [
        {"augment": {"scale": [0.5, 2.0], "rotate": 20, "hue": 20}},
        {"augment": {"class_crop": 0.5, "category_max_ratio": 0.5}},
        {"augment": {"crop_size": [80, 80], "transpose": 0.5, "cutmix": 0.5}},
        {"cache": {"keep": "decoded", "memory": 5e-5}},
        {"cache": {"keep": "decoded"}},
        {"cache": {"keep": "encoded", "memory": 1e-5}},
        {"cache": {"keep": "decoded"}, "augment": {"class_crop": 0.5, "scale": [0.5, 2.0]}},
        {"normalize": {"dtype": "bfloat16", "channels_last": True}},
    ],
)
def test_batches_are_those_of_crops_that_are_decoded_one_by_one(
    make_config: MakeConfig, root: Path, more: dict[str, Any]
) -> None:
    config = made(make_config, root, **more)
    uncached = made(make_config, root, **(more | {"cache": {}}))
    with build_loader(config) as together, build_loader(uncached) as alone:
        # the pipeline is not told which are the same
        object.__setattr__(alone._fetcher.build, "repeats", False)
        for _ in range(2):
            pairs = zip(epoch_of(together), epoch_of(alone), strict=True)
            for (samples, _, *shown), (others, _, *expected) in pairs:
                assert samples == others
                for found, wanted in zip(shown, expected, strict=True):
                    assert torch.equal(found, wanted)


@pytest.mark.parametrize("cache", [{}, {"keep": "decoded"}, {"keep": "decoded", "memory": 4e-5}])
def test_the_graph_of_a_gpu_gives_the_same_bits(
    make_config: MakeConfig, root: Path, monkeypatch: pytest.MonkeyPatch, cache: dict[str, Any]
) -> None:
    config = made(make_config, root, augment={"scale": [0.5, 2.0]}, cache=cache)
    with build_loader(config) as loader:
        expected = [epoch_of(loader) for _ in range(2)]
    monkeypatch.setattr("dali_voc.loader.has_gpu_graph", lambda device: True)
    with build_loader(config) as loader:
        for before in expected:
            for (*_, images, labels), (*_, x, y) in zip(before, epoch_of(loader), strict=True):
                assert torch.equal(images, x)
                assert torch.equal(labels, y)


@pytest.mark.parametrize("policy", ["drop", "pad", "partial"])
def test_ranks_share_samples(make_config: MakeConfig, root: Path, policy: str) -> None:
    def shown(**loader: Any) -> list[list[int]]:
        config = made(make_config, root, loader={"last_batch": policy, **loader})
        with build_loader(config) as one:
            return [samples for samples, *_ in epoch_of(one)]

    ranks = [shown(rank=rank, world_size=2) for rank in range(2)]
    assert len({len(batches) for batches in ranks}) == 1
    times = Counter(s for batches in ranks for samples in batches for s in samples)
    assert all(count % CROPS == 0 for count in times.values())
    count = {"drop": 4, "pad": 8, "partial": 6}[policy]  # of five, by two ranks
    assert sum(times.values()) == count * CROPS
    assert len(times) == min(count, N)
    for samples in (samples for batches in ranks for samples in batches):
        assert all(len(set(samples[i : i + CROPS])) == 1 for i in range(0, len(samples), CROPS))


@pytest.mark.parametrize("length", [None, 3, 12])
def test_resume(make_config: MakeConfig, root: Path, length: int | None) -> None:
    config = made(make_config, root, sampling={"epoch_length": length})
    assert_resumes_exactly(lambda: build_loader(config))


def test_all_crops_of_an_epoch_differ_where_samples_come_again(
    make_config: MakeConfig, root: Path
) -> None:
    sampling = {"epoch_length": 12}
    config = made(make_config, root, sampling=sampling, loader={"last_batch": "pad"})
    with build_loader(config) as loader:
        found = [
            (sample, place.tobytes())
            for samples, parameters, *_ in epoch_of(loader)
            for sample, place in zip(samples, parameters["position"], strict=True)
        ]
    assert len(found) == len(set(found)) == 12 * CROPS


def test_a_state_of_another_number_is_refused(make_config: MakeConfig, root: Path) -> None:
    with build_loader(made(make_config, root)) as loader:
        state = loader.state_dict()
    old = {**state, "fingerprint": {k: v for k, v in state["fingerprint"].items() if k != "crops"}}
    for given_state, crops in (state, 2), (old, CROPS):
        config = made(make_config, root, crops=crops, loader={"batch_size": 6})
        with (
            build_loader(config) as loader,
            pytest.raises(StateError, match=r"sampling.crops \(crops: "),
        ):
            loader.load_state_dict(given_state)
    # validation has one crop of each, whatever is said
    with build_loader(made(make_config, root), training=False) as loader:
        state = loader.state_dict()
    with build_loader(made(make_config, root, crops=1), training=False) as loader:
        loader.load_state_dict(state)


def test_validation_shows_each_once_in_batches_of_any_size(
    make_config: MakeConfig, root: Path
) -> None:
    config = made(make_config, root, loader={"batch_size": 4})
    with build_loader(config, training=False) as loader:
        assert [s for samples, *_ in epoch_of(loader) for s in samples] == list(range(N))
    with pytest.raises(ConfigError, match=r"found 4, expected a multiple of sampling.crops, 3$"):
        build_loader(config)


@pytest.mark.parametrize("on_error", ["raise", "skip", "replace"])
def test_a_bad_file(make_config: MakeConfig, tmp_path: Path, on_error: str) -> None:
    root = encoded_voc.write(tmp_path / "voc", sizes=[(60 + i, 50) for i in range(N)])
    bad = root / "JPEGImages/s0002.jpg"
    bad.write_bytes(bad.read_bytes()[:100])
    config = made(make_config, root, loader={"on_error": on_error})
    with build_loader(config) as loader:
        if on_error == "raise":
            with pytest.raises(SampleError, match=r"s0002\.jpg: "):
                epoch_of(loader)
            return
        epoch = epoch_of(loader)
        assert loader.report().samples == CROPS
        assert [file.path for file in loader.report().bad_files] == [str(bad)]
        blank = sum(bool((label == 255).all()) for *_, labels in epoch for label in labels)
        assert blank == (CROPS if on_error == "skip" else 0)
        times = Counter(s for samples, *_ in epoch for s in samples)
        assert 2 not in times
        assert sum(times.values()) == N * CROPS
        assert all(count % CROPS == 0 for count in times.values())


def test_files_are_read_once(make_config: MakeConfig, tmp_path: Path) -> None:
    """As the kernel counts what this process reads."""
    root = encoded_voc.write(tmp_path / "voc", sizes=[(40, 40)] * N)
    for i in range(N):  # random pixels do not become shorter
        pixels = np.random.default_rng(i).integers(0, 256, (200, 200, 3), np.uint8)
        Image.fromarray(pixels).save(root / f"JPEGImages/s{i:04d}.jpg", "PNG")
        label = np.random.default_rng(i).integers(0, 21, (200, 200), np.uint8)
        Image.fromarray(label).save(root / f"SegmentationClass/s{i:04d}.png")

    def read_in(epochs: int, crops: int) -> int:
        before = read_so_far()
        with build_loader(made(make_config, root, crops=crops)) as loader:
            for _ in range(epochs):
                epoch_of(loader)
        return read_so_far() - before

    def read_so_far() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    read_in(1, crops=1)  # whatever else is read at the beginning
    once = read_in(6, crops=1)
    assert once > 6 * N * 120_000
    assert read_in(6, crops=8) < 1.5 * once  # of an epoch more, a part may be read ahead


def test_a_part_of_a_file_is_read_once_and_checked(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(100)))
    (tmp_path / "b").write_bytes(b"b" * 50)
    paths = [tmp_path / name for name in "aaabba"]
    records = [(10, 5), (10, 5), (10, 5), (0, -1), (0, -1), (90, -1)]
    for numbers in [0, 0, 0, 1, 1, 0], [5, 6, 6, 1, 2, 5]:
        found = piped(
            lambda path, record, picture: read_record(path, record=record, picture=picture),
            [np.frombuffer(str(path).encode(), np.uint8) for path in paths],
            [np.array(record, np.int64) for record in records],
            np.array(numbers, np.int64),
        )
        expected = [
            path.read_bytes()[at:][: n if n >= 0 else None]
            for path, (at, n) in zip(paths, records, strict=True)
        ]
        assert [one.tobytes() for one in found] == expected


def piped(graph: Callable[..., Any], *inputs: Any, threads: int = 2) -> list[np.ndarray]:
    """What a graph of one output makes of a batch."""
    pipeline = Pipeline(batch_size=len(inputs[0]), num_threads=threads, device_id=None)
    with pipeline:
        nodes = fn.external_source(source=lambda: inputs, num_outputs=len(inputs))
        pipeline.set_outputs(graph(*nodes))
    (output,) = pipeline.run()
    return [np.array(output[i]) for i in range(len(inputs[0]))]


def encode(rng: np.random.Generator, kind: str, height: int, width: int) -> np.ndarray:
    small = rng.integers(0, 256, (height // 6 + 1, width // 6 + 1, 3)).astype(np.uint8)
    image = Image.fromarray(small).resize((width, height))
    file = io.BytesIO()
    if kind == "PNG":
        image.save(file, "PNG")
    else:
        options: dict[str, Any] = {"quality": 90}
        if rng.random() < 0.2:
            image = image.convert("L")
        else:
            options["subsampling"] = rng.choice(["4:4:4", "4:2:2", "4:2:0"])
        if kind == "restarts":
            options["restart_marker_blocks"] = 2
        image.save(file, "JPEG", progressive=kind == "progressive", **options)
    return np.frombuffer(file.getvalue(), np.uint8)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_windows_of_one_file_against_pillow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    files, names, windows, numbers, expected = [], [], [], [], []
    for number in range(6):
        height, width = (int(side) for side in rng.integers(1, 120, 2))
        kind = str(rng.choice(["JPEG", "restarts", "progressive", "PNG"]))
        file = encode(rng, kind, height, width)
        whole = np.array(Image.open(io.BytesIO(file.tobytes())).convert("RGB"))
        for _ in range(int(rng.integers(1, 5))):
            y, x = int(rng.integers(height)), int(rng.integers(width))
            h, w = int(rng.integers(1, height - y + 1)), int(rng.integers(1, width - x + 1))
            files.append(file)
            names.append(NAME)
            windows.append((y, x, h, w))
            numbers.append(number)
            expected.append(whole[y : y + h, x : x + w])
    bounds = np.array(windows, np.int32)

    def graph(encoded: Any, name: Any, start: Any, shape: Any, picture: Any) -> Any:
        return decode_crop(
            encoded,
            name,
            start=start,
            shape=shape,
            picture=picture,
            crop_size=None,
            **AS_STORED,
        )

    given_numbers = np.array(numbers, np.int64)
    inputs = files, names, bounds[:, :2].copy(), bounds[:, 2:].copy(), given_numbers
    found = piped(graph, *inputs, threads=int(rng.integers(1, 4)))
    for ours, theirs in zip(found, expected, strict=True):
        assert np.array_equal(ours, theirs)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_windows_of_damaged_files_are_what_they_are_alone(seed: int) -> None:
    """Bits flipped in the coefficients: also where the windows before and behind leave a gap."""
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(60, 200, 2))
    file = encode(rng, str(rng.choice(["JPEG", "restarts"])), height, width).copy()
    data = file.tobytes().index(b"\xff\xda") + 14
    for at in rng.integers(data, len(file) - 2, int(rng.integers(1, 4))):
        file[at] ^= 1 << int(rng.integers(8))
    starts = rng.integers(0, [height - 20, width - 20], (4, 2))
    sizes = rng.integers(1, 21, (4, 2))
    scaled = bool(rng.integers(2))

    def graph(encoded: Any, name: Any, *nodes: Any) -> Any:
        start, shape, picture, *end = nodes
        return decode_crop(
            encoded,
            name,
            start=start,
            shape=shape,
            picture=picture,
            crop_size=(20, 20),
            roi=((0.0, 0.0), *end, (13.0, 17.0)) if scaled else None,
            **AS_STORED,
        )

    def cut(numbers: list[int]) -> list[np.ndarray] | str:
        inputs = [starts.astype(np.int32), sizes.astype(np.int32), np.array(numbers, np.int64)]
        if scaled:
            inputs.append(sizes.astype(np.float32))
        names = [NAME] * 4
        try:
            return piped(graph, [file] * 4, names, *inputs, threads=1)
        except RuntimeError as e:
            return reason_from_dali(e)

    together, alone = cut([7, 7, 7, 7]), cut([1, 2, 3, 4])
    if isinstance(alone, str):
        assert together == alone
    else:
        assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))


def test_windows_that_are_none_are_refused_at_once() -> None:
    file = encode(np.random.default_rng(0), "JPEG", 50, 60)
    for start, shape in (
        ((0, 0), (10**6, 1)),
        ((0, 0), (0, 5)),
        ((-3, 0), (5, 5)),
        ((45, 0), (6, 6)),
    ):
        with pytest.raises(
            RuntimeError, match=r"the window lies outside the picture|sample 0 has no pixels"
        ):
            piped(
                lambda encoded, name, picture, start=start, shape=shape: decode_crop(
                    encoded,
                    name,
                    start=start,
                    shape=shape,
                    picture=picture,
                    crop_size=None,
                    **AS_STORED,
                ),
                [file] * 3,
                [NAME] * 3,
                np.zeros(3, np.int64),
            )


def test_a_window_above_damage_is_decoded_although_another_is_not() -> None:
    """One file whose data ends in the middle: what lies above that is the same as ever."""
    rng = np.random.default_rng(0)
    file = encode(rng, "PNG", 200, 150)
    whole = np.array(Image.open(io.BytesIO(file.tobytes())).convert("RGB"))
    # a valid chunk whose data is not: inflating fails half-way, and no checksum tells
    damaged = break_png(file.tobytes())

    def cut(rows: list[int]) -> list[np.ndarray]:
        starts = np.array([(row, 10) for row in rows], np.int32)
        return piped(
            lambda encoded, name, start, picture: decode_crop(
                encoded,
                name,
                start=start,
                shape=(20, 30),
                picture=picture,
                crop_size=None,
                **AS_STORED,
            ),
            [np.frombuffer(damaged, np.uint8)] * len(rows),
            [NAME] * len(rows),
            starts,
            np.zeros(len(rows), np.int64),
        )

    for ours, row in zip(cut([0, 25, 10]), [0, 25, 10], strict=True):
        assert np.array_equal(ours, whole[row : row + 20, 10:40])
    with pytest.raises(RuntimeError, match="sample 2: file: damaged PNG"):
        cut([0, 25, 180])


def break_png(file: bytes) -> bytes:
    at = file.index(b"IDAT") - 4
    length = int.from_bytes(file[at : at + 4], "big")
    rows = zlib.decompress(file[at + 8 : at + 8 + length])
    data = zlib.compress(rows[: 100 * (150 * 3 + 1)])
    chunk = b"IDAT" + data
    return (
        file[:at]
        + len(data).to_bytes(4, "big")
        + chunk
        + zlib.crc32(chunk).to_bytes(4, "big")
        + file[at + 12 + length :]
    )


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_crops_of_one_label_against_numpy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    files, positions, flips, numbers, expected = [], [], [], [], []
    for number in range(6):
        height, width = (int(side) for side in rng.integers(8, 60, 2))
        label = rng.integers(0, 21, (height, width), np.uint8)
        file = io.BytesIO()
        Image.fromarray(label).save(file, "PNG")
        for _ in range(int(rng.integers(1, 5))):
            v, u = rng.random(2, np.float32)
            flip = int(rng.integers(2))
            files.append(np.frombuffer(file.getvalue(), np.uint8))
            positions.append((v, u))
            flips.append(flip)
            numbers.append(number)
            y, x = int(v * (height - 7)), int(u * (width - 7))
            crop = label[y : y + 8, x : x + 8]
            expected.append(crop[:, ::-1] if flip else crop)

    tables = LabelTables(
        colors=(),
        color_classes=(),
        values=tuple(range(21)),
        value_classes=tuple(range(21)),
    )

    def graph(encoded: Any, name: Any, position: Any, flip: Any, picture: Any) -> Any:
        nodes = decode_label(
            encoded,
            name,
            tables=tables,
            crop_size=(8, 8),
            position=position,
            flip=flip,
            picture=picture,
        )
        return nodes.label

    found = piped(
        graph,
        files,
        [NAME] * len(files),
        np.array(positions, np.float32),
        np.array(flips, np.int32),
        np.array(numbers, np.int64),
        threads=int(rng.integers(1, 4)),
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert np.array_equal(ours, theirs)
