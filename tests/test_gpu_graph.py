"""The GPU's graph with every operator on the CPU: what it gives, and what its cache keeps."""

from __future__ import annotations

import gc
import shutil
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from augmented import write_lossless
from PIL import Image
from test_cache import AUGMENTED, assert_same, epochs

from dali_voc import Config, Loader, build_loader
from dali_voc.errors import SampleError
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
SPLITS = [
    ("train", {}),
    ("train", AUGMENTED),
    ("train", {"crop_size": [72, 72], "transpose": 0.5}),
    ("val", {}),
    ("val", {"validation": "full"}),
    ("val", {"validation": "resize"}),
]


@pytest.fixture(scope="module")
def lossless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lossless(tmp_path_factory.mktemp("graph"))


@pytest.fixture
def root(lossless: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(lossless, tmp_path / "voc"))


def gpu_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dali_voc.loader.has_gpu_graph", lambda device: True)


def delete_pictures(root: Path) -> None:
    for path in (root / "JPEGImages").iterdir():
        path.unlink()


@pytest.mark.parametrize(("split", "augment"), SPLITS)
def test_batches_are_those_of_the_cpu(
    root: Path,
    make_config: MakeConfig,
    monkeypatch: pytest.MonkeyPatch,
    split: str,
    augment: dict[str, Any],
) -> None:
    keys: dict[str, Any] = {"augment": {"crop_size": [64, 80], **augment}}
    config = make_config(root, **keys, loader={"gpu_tail": "dali"})
    with build_loader(config, split=split) as loader:
        expected = epochs(loader, count=2)
    gpu_graph(monkeypatch)
    with build_loader(config, split=split) as loader:
        found = epochs(loader, count=2)
    for ours, theirs in zip(expected, found, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            if a.is_floating_point():
                # DALI's operators round to whole levels in between
                assert (a - b).abs().mean() < 0.6 / 255 / 0.225
            else:
                assert torch.equal(a, b)


@pytest.mark.parametrize(
    "normalize",
    [
        {},
        {"channels_last": True},
        {"dtype": "float16"},
        {"dtype": "bfloat16"},
        {"dtype": "uint8", "channels_last": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("shown", [*SPLITS, ("train", {"erase": 0.7, "rotate": 30})], ids=str)
@pytest.mark.parametrize("from_whole", [False, True], ids=["window", "from whole"])
def test_fused_tail_gives_the_same_bits(
    root: Path,
    *,
    make_config: MakeConfig,
    monkeypatch: pytest.MonkeyPatch,
    shown: tuple[str, dict[str, Any]],
    normalize: dict[str, Any],
    from_whole: bool,
) -> None:
    """Of windows that are decoded alone, and of those that are cut out of whole pictures."""
    split, augment = shown
    keys = {"augment": {"crop_size": [64, 80], **augment}, "normalize": normalize}
    with build_loader(make_config(root, **keys), split=split) as loader:
        expected = epochs(loader, count=1)
    gpu_graph(monkeypatch)
    tail = {"gpu_tail": "fused", "jpeg_fancy_upsampling": from_whole}
    with build_loader(make_config(root, **keys, loader=tail), split=split) as loader:
        assert_same(epochs(loader, count=1), expected)


@pytest.mark.parametrize("memory", [1.0, 1e-3, 1e-9], ids=["all", "some", "none"])
@pytest.mark.parametrize("shown", SPLITS, ids=str)
def test_cache_changes_nothing(
    root: Path,
    make_config: MakeConfig,
    monkeypatch: pytest.MonkeyPatch,
    shown: tuple[str, dict[str, Any]],
    memory: float,
) -> None:
    split, augment = shown
    gpu_graph(monkeypatch)
    keys = {"augment": {"crop_size": [64, 80], **augment}, "loader": {"batch_size": 5}}
    with build_loader(make_config(root, **keys), split=split) as loader:
        expected = epochs(loader)
    cache = {"keep": "decoded", "memory": memory}
    with build_loader(make_config(root, cache=cache, **keys), split=split) as loader:
        assert_same(epochs(loader), expected)


def test_what_is_kept_is_not_read_again(
    root: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu_graph(monkeypatch)
    config = make_config(root, cache={"keep": "decoded"}, augment={"crop_size": [64, 80]})
    with build_loader(make_config(root, augment={"crop_size": [64, 80]})) as loader:
        expected = epochs(loader, count=2)
    with build_loader(config) as loader:
        assert_same(epochs(loader, count=1), expected[:1])
        delete_pictures(root)
        assert_same(epochs(loader, count=1), expected[1:])


def test_decoded_pictures_lie_in_the_memory_of_the_device(
    root: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As raw pixels, one after another, and nothing of them in the memory that ranks share."""
    gpu_graph(monkeypatch)
    with build_loader(make_config(root, cache={"keep": "decoded"})) as loader:
        epochs(loader, count=1)
        pictures = loader._cache.pictures  # type: ignore[union-attr]
        assert pictures is not None
        kept = pictures._pictures[: 16 << 20].numpy().tobytes()
        for path in loader.index.images:
            assert np.array(Image.open(path).convert("RGB")).tobytes() in kept
    memory = weakref.ref(pictures)
    del pictures, loader
    gc.collect()
    assert memory() is None


def test_an_interrupted_pipeline_ends_before_another_begins(
    root: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, built: list[object]
) -> None:
    """It may be keeping pictures, which the other would read on a stream of its own."""
    gpu_graph(monkeypatch)
    config = make_config(root, cache={"keep": "decoded"}, augment={"crop_size": [64, 80]})

    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    with build_loader(config) as loader:
        expected = epochs(loader, count=1)
    built.clear()
    with build_loader(config) as loader:
        iterator = iter(loader)
        batches = [next(iterator)]
        prefetcher = loader._fetcher.prefetcher
        goes_on = threading.Event()
        prefetcher._worker.submit(goes_on.wait)
        monkeypatch.setattr(prefetcher, "fetch", interrupt)
        with pytest.raises(KeyboardInterrupt):
            next(iterator)
        thread = threading.Thread(target=lambda: batches.extend(iterator))
        thread.start()
        thread.join(0.5)
        begun = len(built), len(batches)
        goes_on.set()
        thread.join()
    assert (begun, len(built)) == ((1, 1), 2)
    assert_same([[part for batch in batches for part in batch]], expected)


def test_a_bad_file_is_told_and_the_others_stay(
    root: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu_graph(monkeypatch)
    config = make_config(root, cache={"keep": "decoded"}, loader={"batch_size": 4})
    with build_loader(config) as loader:
        epochs(loader, count=1)
        # pictures that are kept are safe; one that is refused is read, and found to be gone
        delete_pictures(root)
        loader._cache.refuse(3)  # type: ignore[union-attr]
        with pytest.raises(SampleError, match=r"\.jpg"):
            epochs(loader, count=1)


def test_resumes_exactly(
    root: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu_graph(monkeypatch)
    config = make_config(root, cache={"keep": "decoded"}, augment={"crop_size": [64, 80]})

    def make() -> Loader:
        return build_loader(config)

    assert_resumes_exactly(make)
