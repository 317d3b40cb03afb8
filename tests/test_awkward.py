"""What went wrong once, or nearly: interrupts, awkward names, shortages, faults in one corner."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import encoded_voc
import numpy as np
import pytest
import torch
from PIL import Image

from dali_voc import Config, LoaderError, SampleError, build_loader, parse_config
from dali_voc.labels import voc_colormap
from dali_voc.pictures import denormalize
from dali_voc.synthetic import write_voc
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
CROP = {"crop_size": [40, 48]}
N = 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return encoded_voc.write(tmp_path / "voc", sizes=[(50 + i, 60 + i) for i in range(N)])


def samples(config: Config, batch: tuple[torch.Tensor, torch.Tensor]) -> list[int]:
    return [int(picture[0, 0, 0]) for picture in denormalize(batch[0], config.normalize)]


def test_a_caught_interrupt_loses_and_repeats_nothing(root: Path, make_config: MakeConfig) -> None:
    """Ctrl-C in a notebook, at whatever moment, and then `next` again."""
    config = make_config(root, augment=CROP, loader={"batch_size": 2, "prefetch": 3})

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    rng = np.random.default_rng(0)
    interrupts = 0
    try:
        with build_loader(config, split="val") as loader:
            list(loader)  # DALI is imported and warm
            for attempt in range(100):
                if attempt >= 15 and interrupts > 10:
                    break
                seen: list[int] = []
                iterator = iter(loader)
                while len(seen) < N:
                    try:
                        longest = 0.4 if rng.random() < 0.5 else 0.004
                        signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, longest))
                        batch = next(iterator)
                        signal.setitimer(signal.ITIMER_REAL, 0)
                        seen += samples(config, batch)
                    except KeyboardInterrupt:
                        interrupts += 1
                        # a batch whose delivery was interrupted may be on its way to nobody
                        seen = seen[: 2 * iterator._here.key.step]
                        seen += range(len(seen), 2 * iterator._here.key.step)
                signal.setitimer(signal.ITIMER_REAL, 0)
                assert seen == list(range(N))
                assert next(iterator, None) is None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupts > 10


def spoil_a_corner(root: Path) -> None:
    """Faults that a small crop may or may not show."""
    write_voc(root, train=12, val=2)
    names = (root / "ImageSets/Segmentation/train.txt").read_text().split()
    image = root / f"JPEGImages/{names[1]}.jpg"
    image.write_bytes(image.read_bytes()[: image.stat().st_size * 6 // 10])
    label = root / f"SegmentationClass/{names[4]}.png"
    values = np.array(Image.open(label))
    values[-12:] = 99
    spoiled = Image.fromarray(values, "P")
    spoiled.putpalette([v for color in voc_colormap(256) for v in color])
    spoiled.save(label)


@pytest.mark.parametrize("on_error", ["skip", "replace"])
def test_resume_is_exact_where_only_a_corner_is_bad(
    tmp_path: Path, make_config: MakeConfig, on_error: str
) -> None:
    spoil_a_corner(tmp_path)
    augment = {"crop_size": [100, 100]}
    config = make_config(tmp_path, augment=augment, loader={"on_error": on_error})
    assert_resumes_exactly(lambda: build_loader(config), epochs=3)


def test_a_bad_corner_is_found_whatever_the_crop(tmp_path: Path, make_config: MakeConfig) -> None:
    spoil_a_corner(tmp_path)
    config = make_config(
        tmp_path, augment={"crop_size": [64, 64]}, loader={"batch_size": 1, "on_error": "skip"}
    )
    with build_loader(config) as loader:
        for epoch in range(4):
            assert sum(bool((labels == 255).all()) for _, labels in loader) == 2
            reasons = sorted(file.reason for file in loader.report().bad_files)
            assert loader.report().samples == 2 * (epoch + 1)
    assert reasons[0].startswith("colour (")
    assert reasons[1].startswith("truncated JPEG")


def test_state_after_close_is_the_state_before(root: Path, make_config: MakeConfig) -> None:
    config = make_config(root, augment=CROP)
    with build_loader(config) as loader:
        next(iter(loader))
        inside = loader.state_dict()
    assert loader.state_dict() == inside
    assert inside["delivered"] == 4


def test_data_may_move_with_small_pictures_dropped(
    root: Path, tmp_path: Path, make_config: MakeConfig
) -> None:
    augment = {"crop_size": [55, 65], "small": "drop"}
    with build_loader(make_config(root, augment=augment)) as loader:
        next(iter(loader))
        state = loader.state_dict()
        assert loader.index.name(0) == "s0005"
    moved = shutil.move(root, tmp_path / "elsewhere")
    with build_loader(make_config(Path(moved), augment=augment)) as loader:
        loader.load_state_dict(state)
        assert loader.state_dict() == state


def test_names_may_be_any_bytes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = encoded_voc.write(
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe9 d")), sizes=[(50, 60)] * 4
    )
    split = root / "ImageSets/Segmentation/train.txt"
    odd = os.fsdecode(b"\xfcber: x")
    for folder, suffix in ("JPEGImages", "jpg"), ("SegmentationClass", "png"):
        (root / folder / f"s0002.{suffix}").rename(root / folder / f"{odd}.{suffix}")
    names = split.read_bytes().replace(b"s0002", os.fsencode(odd))
    split.write_bytes(b"\xef\xbb\xbf" + names)  # and a byte order mark
    config = parse_config(
        {"dataset": {"root": root}, "augment": CROP, "loader": {"batch_size": 2, "device": "cpu"}}
    )
    with build_loader(config) as loader:
        assert sum(len(images) for images, _ in loader) == 4
        state = loader.state_dict()
        loader.load_state_dict(state)
    for path in (f"SegmentationClass/{odd}.png", f"JPEGImages/{odd}.jpg"):
        before = (root / path).read_bytes()
        (root / path).write_bytes(before[:50])
        with build_loader(config) as loader, pytest.raises(SampleError) as error:
            list(loader)
        assert error.value.path == str(root / path)
        assert "truncated" in error.value.reason or "damaged" in error.value.reason
        assert str(error.value).encode()  # anything can show it
        (root / path).unlink()
        with build_loader(
            config.model_copy(
                update={"loader": config.loader.model_copy(update={"on_error": "skip"})}
            )
        ) as loader:
            list(loader)
            assert [file.path for file in loader.report().bad_files] == [str(root / path)]
        assert "skipped from now on" in caplog.text
        assert caplog.text.encode()
        (root / path).write_bytes(before)


def test_weights_belong_to_the_list_also_where_pairs_are_dropped(
    root: Path, tmp_path: Path, make_config: MakeConfig
) -> None:
    """A file with a weight for each pair of the list; only one large pair has any."""
    weights = tmp_path / "weights.txt"
    weights.write_text("".join("7.5\n" if i in (2, 12) else "0\n" for i in range(N)))
    config = make_config(
        root,
        augment={"crop_size": [55, 65], "small": "drop"},
        sampling={"weights": str(weights)},
        loader={"batch_size": 5},
    )
    with build_loader(config) as loader:
        drawn = [s for batch in loader for s in samples(config, batch)]
        crops = {images.numpy().tobytes() for batch in [next(iter(loader))] for images in batch[0]}
    assert drawn == [12] * 15
    assert len(crops) > 1, "each occurrence has a crop of its own"


def test_a_lack_of_file_handles_is_not_the_files_fault(
    root: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(root, augment=CROP, loader={"on_error": "skip"})
    path = root / "JPEGImages/s0003.jpg"
    path.write_bytes(b"")

    def no_handle(*_: Any, **__: Any) -> Any:
        raise OSError(24, "Too many open files")

    with build_loader(config) as loader:
        monkeypatch.setattr("builtins.open", no_handle)
        with pytest.raises(LoaderError, match="cannot be opened"):
            list(loader)
        monkeypatch.undo()
        assert loader.report().bad_files == ()
        list(loader)
        assert [file.path for file in loader.report().bad_files] == [str(path)]


def test_after_an_error_of_the_plan_the_loader_still_ends(
    root: Path, make_config: MakeConfig
) -> None:
    for i in range(N):
        (root / f"JPEGImages/s{i:04d}.jpg").write_bytes(b"")
    config = make_config(root, augment=CROP, loader={"on_error": "replace", "prefetch": 3})
    with build_loader(config) as loader:
        for _ in range(3):
            with pytest.raises(LoaderError, match="all 20 samples are bad"):
                next(iter(loader))


def test_a_lone_good_sample_stands_in_for_all(root: Path, make_config: MakeConfig) -> None:
    for i in range(1, N):
        (root / f"JPEGImages/s{i:04d}.jpg").write_bytes(b"")
    config = make_config(root, augment=CROP, loader={"on_error": "replace"})
    with build_loader(config) as loader:
        assert [s for batch in loader for s in samples(config, batch)] == [0] * N
