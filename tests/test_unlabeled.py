"""`dataset.unlabeled`: pictures alone give what pictures whose labels are all void would give."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from augmented import write_lossless
from nvidia.dali import Pipeline, fn
from PIL import Image
from test_cache import AUGMENTED, assert_same, compare, epochs
from typer.testing import CliRunner
from whole_labels import write_image, write_label

from dali_voc import Config, build_loader, count_classes, load_config, parse_config
from dali_voc.commands import app
from dali_voc.datasets import find_index
from dali_voc.errors import DatasetError, SampleError, StateError
from dali_voc.labels import NO_LABEL, LabelTables
from dali_voc.ops import decode_label, read_record
from dali_voc.packing import pack_split
from dali_voc.testing import assert_resumes_exactly
from dali_voc.verifying import verify_split

MakeConfig = Callable[..., Config]
CONFIGS = Path(__file__).parents[1] / "configs"
SPLITS = [
    ("train", {}),
    ("train", AUGMENTED),
    ("train", {"class_crop": 0.7, "category_max_ratio": 0.5, "scale": [0.5, 2.0], "rotate": 20}),
    ("val", {}),
    ("val", {"validation": "full"}),
    ("val", {"validation": "resize"}),
    ("val", {"validation": "slide"}),
]


@pytest.fixture(scope="module")
def void(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of mixed sizes, and labels that are void all over."""
    root = write_lossless(tmp_path_factory.mktemp("void"))
    for path in (root / "SegmentationClass").iterdir():
        size = Image.open(path).size
        Image.fromarray(np.full(size[::-1], 255, np.uint8)).save(path)
    return root


@pytest.fixture(scope="module")
def alone(void: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures without labels."""
    root = tmp_path_factory.mktemp("alone") / "VOC2012"
    shutil.copytree(void, root, ignore=shutil.ignore_patterns("SegmentationClass"))
    return root


@pytest.mark.parametrize("keep", ["none", "encoded", "decoded"])
@pytest.mark.parametrize("shown", SPLITS)
def test_batches_are_those_of_void_labels(
    void: Path, alone: Path, make_config: MakeConfig, shown: tuple[str, dict[str, Any]], keep: str
) -> None:
    split, augment = shown
    keys: dict[str, Any] = {"augment": {"crop_size": [64, 80], **augment}, "cache": {"keep": keep}}
    config = make_config(alone, dataset={"unlabeled": True}, **keys)
    compare(make_config(void, **keys), config, split=split, count=2)


@pytest.mark.parametrize(
    ("keep", "tail"), [("none", "dali"), ("none", "fused"), ("decoded", "fused")]
)
def test_on_the_graph_of_a_gpu(
    void: Path, alone: Path, make_config: MakeConfig, keep: str, tail: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dali_voc.loader.has_gpu_graph", lambda device: True)
        compare_on_the_graph(void, alone, make_config, keep=keep, tail=tail)


def compare_on_the_graph(
    void: Path, alone: Path, make_config: MakeConfig, *, keep: str, tail: str
) -> None:
    keys: dict[str, Any] = {
        "augment": {"crop_size": [64, 80], "scale": [0.5, 2.0]},
        "cache": {"keep": keep},
        "loader": {"gpu_tail": tail},
    }
    bare = make_config(alone, dataset={"unlabeled": True}, **keys)
    compare(make_config(void, **keys), bare, count=2)


@pytest.mark.parametrize(
    "labels",
    [
        {"ignore_index": 0, "dtype": "uint8"},
        {"ignore_index": 1000, "dtype": "int32"},
        {"one_hot": True},
        {"masks": ["person", "car"]},
        {"unknown": "ignore", "palette": "index"},
    ],
)
def test_forms_of_labels(
    void: Path, alone: Path, make_config: MakeConfig, labels: dict[str, Any]
) -> None:
    keys: dict[str, Any] = {"augment": {"crop_size": [64, 80]}, "labels": labels}
    bare = make_config(alone, dataset={"unlabeled": True}, **keys)
    compare(make_config(void, **keys), bare, count=1)


def test_resumes(alone: Path, make_config: MakeConfig) -> None:
    config = make_config(alone, dataset={"unlabeled": True}, augment={"crop_size": [64, 80]})
    assert_resumes_exactly(lambda: build_loader(config))


def test_a_state_does_not_go_to_pictures_without_labels(
    void: Path, alone: Path, make_config: MakeConfig, tmp_path: Path
) -> None:
    labelled, bare = make_config(void), make_config(alone, dataset={"unlabeled": True})
    pack_split(bare, tmp_path / "packed")
    packed = make_config(tmp_path / "packed", dataset={"name": "packed"})
    with build_loader(labelled) as one, build_loader(bare) as other:
        with pytest.raises(StateError, match="differs in what label values mean"):
            other.load_state_dict(one.state_dict())
        with build_loader(packed) as third:
            third.load_state_dict(other.state_dict())


def test_the_operators_do_not_look_at_a_file(tmp_path: Path) -> None:
    """A batch in which some have a label: of the others neither path nor bytes matter."""
    values = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    write_label(tmp_path / "label.png", values)
    tables = LabelTables(colors=(), color_classes=(), values=(0, 1, 2), value_classes=(5, 6, 7))
    maps = np.array([0, NO_LABEL, 0, NO_LABEL], np.int32)
    shapes = np.array([(2, 3), (4, 5), (2, 3), (1, 1)], np.int64)
    there, missing = (
        np.frombuffer(bytes(tmp_path / name), np.uint8) for name in ("label.png", "no such file")
    )
    given = [[there, missing, there, missing], maps, shapes]
    pipeline = Pipeline(batch_size=4, num_threads=2, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        path, number, shape = fn.external_source(source=lambda: given, num_outputs=3)
        read, kept = read_record(path, map=number, tells_kept=True)
        label = decode_label(
            read,
            path,
            tables=tables,
            crop_size=None,
            map=number,
            image_shape=shape,
            ignore_index=99,
        ).label
        pipeline.set_outputs(read, kept, label)
    found, told, labels = pipeline.run()
    assert [np.array(found[i]).size > 0 for i in range(4)] == [True, False, True, False]
    assert [int(np.array(told[i])) for i in range(4)] == [0] * 4
    for i, size in enumerate(shapes.tolist()):
        expected = np.full(size, 99) if maps[i] == NO_LABEL else values + 5
        assert np.array_equal(np.array(labels[i]), expected)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((1 << 20, 1 << 10), r"the picture is 1024x1048576 .* expected 1 to 2\^27 pixels"),
        ((0, 4), "the picture is 4x0 "),
        (None, "where there is no label, image_shape is needed"),
    ],
)
def test_the_picture_has_a_size(shape: tuple[int, int] | None, reason: str) -> None:
    tables = LabelTables(colors=(), color_classes=(), values=(), value_classes=())
    given = [[np.empty(0, np.uint8)], np.array([shape or (1, 1)], np.int64)]
    pipeline = Pipeline(batch_size=1, num_threads=1, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        file, size = fn.external_source(source=lambda: given, num_outputs=2)
        options = {} if shape is None else {"image_shape": size}
        label = decode_label(
            file, file, tables=tables, crop_size=(2, 2), map=NO_LABEL, **options
        ).label
        pipeline.set_outputs(label, size)
    with pytest.raises(RuntimeError, match=reason):
        pipeline.run()


# images, the other files that a listing goes by, and keys of section dataset
LAYOUTS: dict[str, tuple[tuple[str, ...], dict[str, str], dict[str, Any]]] = {
    "voc2012": (
        ("JPEGImages/a.jpg", "JPEGImages/b.jpg"),
        {"ImageSets/Segmentation/test.txt": "a\nb\n"},
        {},
    ),
    "voc2012_aug": (
        ("JPEGImages/a.jpg", "JPEGImages/b.jpg"),
        {
            "ImageSets/Segmentation/test.txt": "/JPEGImages/a.jpg /SegmentationClassAug/a.png\n"
            "/JPEGImages/b.jpg /SegmentationClassAug/b.png\n"
        },
        {},
    ),
    "voc_layout": (
        ("JPEGImages/a.jpg",),
        {"ImageSets/Segmentation/test.txt": "a\n"},
        {"classes": ["x", "y"], "labels": "Nowhere"},
    ),
    "cityscapes": (
        ("leftImg8bit/test/bonn/bonn_1_leftImg8bit.png",),
        {},
        {"labels": "labelTrainIds"},
    ),
    "ade20k": (("images/test/ADE_test_1.jpg", "images/test/ADE_test_2.jpg"), {}, {}),
    "coco_stuff": (("images/test/000000000001.jpg",), {}, {}),
    "mapillary": (
        ("testing/images/a.jpg",),
        {
            "config_v1.2.json": '{"labels": [{"name": "a", "readable": "A", "evaluate": true, '
            '"color": [1, 2, 3]}]}'
        },
        {},
    ),
    "camvid": (
        ("test/a.png", "test/b.png"),
        {"class_dict.csv": "name,r,g,b\nsky,1,2,3\nVoid,0,0,0\n"},
        {"labels": "16bit"},
    ),
    "folder": (
        ("test/a.jpg", "test/b/c.jpg"),
        {"test/notes.txt": ""},
        {"images": "{split}/**/*.jpg", "classes": ["x"]},
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_data_sets(name: str, tmp_path: Path) -> None:
    images, texts, keys = LAYOUTS[name]
    for image in images:
        write_image(tmp_path / image, (20 + len(image), 30))
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    dataset = {"name": name, "root": str(tmp_path), **keys}
    tree = {
        "augment": {"validation": "full"},
        "loader": {"batch_size": 3, "device": "cpu"},
    }
    with pytest.raises(DatasetError):
        build_loader(parse_config({**tree, "dataset": dataset}), split="test")
    config = parse_config({**tree, "dataset": {**dataset, "unlabeled": True}})
    with build_loader(config, split="test") as loader:
        (batch,) = loader
        index = loader.index
        found = [index.images[i] for i in batch.samples.tolist()]
    assert found == [str(tmp_path / image) for image in images]
    assert batch.sizes.tolist() == [[20 + len(image), 30] for image in images]
    assert (batch.labels == 255).all()
    assert index.labeled.tolist() == []
    # listed, kept and read again
    config = config.model_copy(
        update={"dataset": config.dataset.model_copy(update={"index": str(tmp_path.parent / "i")})}
    )
    result = CliRunner().invoke(
        app,
        ["index", *_as_arguments(config, tmp_path), "--split", "test", "-o", f"{tmp_path}.npz"],
    )
    assert result.exit_code == 0, result.output
    kept = config.dataset.model_copy(update={"index": f"{tmp_path}.npz"})
    again = find_index(kept, "test")
    assert again.labeled.tolist() == []
    assert [again.images[i] for i in range(len(again))] == found
    with pytest.raises(DatasetError, match=r"made with another dataset\.unlabeled"):
        find_index(kept.model_copy(update={"unlabeled": False}), "test")


def _as_arguments(config: Config, folder: Path) -> list[str]:
    path = Path(f"{folder}.yaml")
    dataset = config.dataset.model_dump(mode="json", exclude_defaults=True, exclude={"index"})
    path.write_text(json.dumps({"dataset": dataset}))
    return [str(path)]


def test_a_listed_image_is_missed(alone: Path) -> None:
    config = load_config(
        CONFIGS / "voc2012.yaml",
        overrides=[f"dataset.root={alone}", "dataset.unlabeled=true"],
    )
    lists = alone / "ImageSets/Segmentation"
    (lists / "more.txt").write_text(f"{(lists / 'val.txt').read_text()}\nnot_there\n")
    with pytest.raises(
        DatasetError, match=r"JPEGImages/not_there\.jpg: no such file, expected the"
    ):
        build_loader(config, split="more")


@pytest.mark.parametrize("name", ["packed", "coco_panoptic"])
def test_not_of_every_data_set(name: str, tmp_path: Path) -> None:
    config = parse_config({"dataset": {"name": name, "root": str(tmp_path), "unlabeled": True}})
    with pytest.raises(DatasetError, match=rf"dataset\.unlabeled: {name} does not take it"):
        build_loader(config)


def test_masks_tell_which_files_are_no_images(tmp_path: Path) -> None:
    for name in "a.png", "a_L.png", "b.png":
        write_image(tmp_path / "test" / name, (8, 8))
    dataset = {
        "name": "folder",
        "root": str(tmp_path),
        "images": "{split}/*.png",
        "classes": ["x"],
        "unlabeled": True,
    }
    config = parse_config({"dataset": dataset})
    index = find_index(config.dataset, "test")
    assert [index.name(i) for i in range(len(index))] == ["a", "a_L", "b"]
    # the longer of two patterns or not
    for masks in "{split}/*_L.png", "**/*_L.png":
        config = parse_config({"dataset": {**dataset, "masks": masks}})
        index = find_index(config.dataset, "test")
        assert [index.name(i) for i in range(len(index))] == ["a", "b"]
    config = parse_config({"dataset": {**dataset, "unlabeled": False}})
    with pytest.raises(DatasetError, match=r"masks: found null.*; or dataset\.unlabeled: true$"):
        find_index(config.dataset, "test")


@pytest.fixture
def mixed(voc: Path, alone: Path) -> dict[str, Any]:
    """Section dataset: labelled pictures and others in one."""
    return {
        "name": "sources",
        "root": str(voc.parent),
        "sources": [
            {"name": "voc2012", "root": str(alone), "unlabeled": True, "weight": 1},
            {"name": "voc2012", "root": str(voc), "weight": 2},
        ],
    }


@pytest.mark.parametrize("keep", ["none", "encoded", "decoded"])
def test_beside_pictures_with_labels(
    mixed: dict[str, Any], voc: Path, alone: Path, make_config: MakeConfig, keep: str
) -> None:
    whole = {"augment": {"validation": "full"}, "cache": {"keep": keep}}
    with build_loader(make_config(voc, **whole), split="val") as loader:
        labelled = {
            loader.index.name(i): (image, label)
            for batch in loader
            for i, image, label in _pictures(batch)
        }
    config = make_config(**whole, dataset=mixed)
    with build_loader(config, split="val") as loader:
        names = [loader.index.name(i) for i in range(len(loader.index))]
        assert loader.index.labeled.tolist() == [*range(4, len(names))]
        for _ in range(2):
            count = 0
            for batch in loader:
                for i, image, label in _pictures(batch):
                    assert i == count
                    count += 1
                    if i < 4:
                        assert (label == 255).all()
                        continue
                    expected = labelled[names[i]]
                    assert torch.equal(image, expected[0])
                    assert torch.equal(label, expected[1])
            assert count == len(names)
    assert len(labelled) == len(names) - 4


def test_a_state_does_not_go_where_other_pictures_have_labels(
    voc: Path, make_config: MakeConfig
) -> None:
    def config_of(*unlabeled: bool) -> Config:
        sources = [{"name": "voc2012", "root": str(voc), "unlabeled": u} for u in unlabeled]
        return make_config(dataset={"name": "sources", "root": "/", "sources": sources})

    with build_loader(config_of(True, False)) as loader:
        state = loader.state_dict()
        loader.load_state_dict(state)
    for others in (False, True), (True, True), (False, False):
        with (
            build_loader(config_of(*others)) as loader,
            pytest.raises(StateError, match="differs in what label values mean"),
        ):
            loader.load_state_dict(state)


def _pictures(batch: Any) -> list[tuple[int, torch.Tensor, torch.Tensor]]:
    return [
        (i, image[:, :h, :w], label[:h, :w])
        for i, image, label, (h, w) in zip(
            batch.samples.tolist(), batch.images, batch.labels, batch.sizes.tolist(), strict=True
        )
    ]


def test_counting(mixed: dict[str, Any], voc: Path, alone: Path, make_config: MakeConfig) -> None:
    counted = count_classes(make_config(voc))
    both = count_classes(make_config(dataset=mixed))
    assert both.pixels == counted.pixels
    assert both.void_pixels == counted.void_pixels
    nothing = ((),) * (len(both.sample_classes) - len(counted.sample_classes))
    assert both.sample_classes == (*nothing, *counted.sample_classes)
    assert (both.labels, both.unlabeled) == (len(counted.sample_classes), len(nothing))
    assert (counted.labels, counted.unlabeled) == (len(counted.sample_classes), 0)
    with pytest.raises(DatasetError, match="split 'train' has no labels to count"):
        count_classes(make_config(alone, dataset={"unlabeled": True}))


def test_packed(alone: Path, make_config: MakeConfig, tmp_path: Path) -> None:
    keys: dict[str, Any] = {"augment": {"crop_size": [64, 80], "scale": [0.5, 2.0]}}
    config = make_config(alone, dataset={"unlabeled": True}, **keys)
    with build_loader(config) as loader:
        expected = epochs(loader, count=1)
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({"dataset": {"root": str(alone), "unlabeled": True}}))
    result = CliRunner().invoke(app, ["pack", str(file), "--out", str(tmp_path / "packed")])
    assert result.exit_code == 0, result.output
    with build_loader(
        make_config(tmp_path / "packed", dataset={"name": "packed"}, **keys)
    ) as loader:
        assert_same(epochs(loader, count=1), expected)


def test_bad_pictures(
    alone: Path,
    make_config: MakeConfig,
    tmp_path: Path,
) -> None:
    root = Path(shutil.copytree(alone, tmp_path / "voc"))
    names = (root / "ImageSets/Segmentation/train.txt").read_text().split()
    bad, gone = (root / f"JPEGImages/{name}.jpg" for name in names[1:3])
    bad.write_bytes(bad.read_bytes()[:200])
    unlabeled: dict[str, Any] = {"dataset": {"unlabeled": True}, "augment": {"small": "drop"}}
    size = [16, 16]
    config = make_config(root, dataset={"unlabeled": True}, augment={"crop_size": size})
    with build_loader(config) as loader, pytest.raises(SampleError) as error:
        list(loader)
    assert error.value.path == str(bad)
    gone.unlink()
    skip = make_config(
        root,
        dataset={"unlabeled": True},
        augment={"validation": "full"},
        loader={"on_error": "skip"},
    )
    with build_loader(skip, training=False) as loader:
        samples = [i for batch in loader for i in batch.samples.tolist()]
        assert samples == [0, -1, -1, *range(3, len(names))]
        assert {file.path for file in loader.report().bad_files} == {str(bad), str(gone)}
    verified = verify_split(config, split="train")
    assert {(fault.part, fault.file) for fault in verified.faults} == {
        ("image", str(bad)),
        ("image", str(gone)),
    }
    gone.write_bytes(b"this is no picture")
    with pytest.raises(SampleError, match="cannot be read as an image"):
        build_loader(make_config(root, **unlabeled))


def test_small_pictures_are_dropped(void: Path, alone: Path, make_config: MakeConfig) -> None:
    augment = {"crop_size": [300, 400], "small": "drop"}
    with build_loader(make_config(void, augment=augment)) as loader:
        expected = epochs(loader, count=1)
    config = make_config(alone, dataset={"unlabeled": True}, augment=augment)
    with build_loader(config) as loader:
        assert_same(epochs(loader, count=1), expected)


def test_preview(alone: Path, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({"dataset": {"root": str(alone), "unlabeled": True}}))
    out = tmp_path / "preview.png"
    result = CliRunner().invoke(app, ["preview", str(file), "--compare", "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert Image.open(out).size[0] > 100
