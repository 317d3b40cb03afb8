"""Thousands of damaged pairs through the loader: each equal to Pillow's reading, or reported.

    python benchmarks/bad_files.py --root VOC2012 --mutants 10000 --out FILE.json

Without --root it damages made-up pairs. Each round is a process of its own, so that a crash or hang
is seen as such. Pairs are read whole and compared, and then again by small random crops, which must
report the same files. Odd but sound files must load. Exit code 1 if anything is otherwise.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import mutants
import numpy as np
from PIL import Image
from results_file import report

from dali_voc import Config, build_loader, parse_config
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.labels import LabelTables
from dali_voc.pictures import denormalize
from dali_voc.synthetic import write_voc

SIDE = 512
ROUND = 250


def make_round(source: Path, root: Path, *, count: int, seed: int) -> dict[str, str]:
    """Copy `count` pairs and damage one file of each; returns id -> kind."""
    rng = np.random.default_rng(seed)
    ids = (source / "ImageSets/Segmentation/trainval.txt").read_text().split()
    for folder in "JPEGImages", "SegmentationClass", "ImageSets/Segmentation":
        (root / folder).mkdir(parents=True)
    kinds = {}
    for i in range(count):
        origin, name = ids[rng.integers(len(ids))], f"m{i:05d}"
        paths = [root / f"JPEGImages/{name}.jpg", root / f"SegmentationClass/{name}.png"]
        shutil.copyfile(source / f"JPEGImages/{origin}.jpg", paths[0])
        shutil.copyfile(source / f"SegmentationClass/{origin}.png", paths[1])
        which = int(rng.integers(2))
        # damage with an open end gets the larger share
        common = ["truncated", "flipped bits", "zeroed block"]
        table = {**mutants.ANY, **(mutants.LABEL if which else mutants.IMAGE)}
        kind = str(rng.choice(common if rng.random() < 0.6 else list(table)))
        table[kind](paths[which], rng)
        kinds[name] = f"{('image', 'label')[which]}: {kind}"
    (root / "ImageSets/Segmentation/val.txt").write_text("".join(f"{n}\n" for n in kinds))
    return kinds


def by_pillow(root: Path, name: str) -> tuple[np.ndarray, np.ndarray] | str:
    """The pair as Pillow reads it, labels as classes; or why not."""
    (tables,) = LabelTables.build(VOC_SPEC, ignore_index=255)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = np.array(Image.open(root / f"JPEGImages/{name}.jpg").convert("RGB"))
            label = Image.open(root / f"SegmentationClass/{name}.png")
            if label.format != "PNG":
                return "label is not PNG"
            rgb = np.array(label.convert("RGB")).astype(int) @ (65536, 256, 1)
    except Exception as e:
        return f"{type(e).__name__}: {e}"
    classes = np.full(rgb.shape, -1)
    for color, index in zip(tables.colors, tables.color_classes, strict=True):
        classes[rgb == color] = index
    if (classes < 0).any():
        return "a colour of no class"
    return (image, classes) if image.shape[:2] == classes.shape else "sizes differ"


def run_round(root: Path, kinds: dict[str, str]) -> dict[str, list[str]]:
    """Load a round and compare; outcome -> what came to it, as 'kind (id)'."""
    names = list(kinds)
    config = parse_config(
        {
            "dataset": {"root": str(root)},
            "augment": {"crop_size": [SIDE, SIDE]},
            "loader": {"batch_size": 25, "device": "cpu", "on_error": "skip"},
        }
    )
    outcome: dict[str, list[str]] = {}
    with build_loader(config, split="val") as loader:
        done = 0
        for images, labels in loader:
            shown = denormalize(images, config.normalize).astype(int)
            for picture, label in zip(shown, labels.numpy(), strict=True):
                name = names[done]
                done += 1
                paths = (f"{root}/JPEGImages/{name}.jpg", f"{root}/SegmentationClass/{name}.png")
                reported = [f for f in loader.report().bad_files if f.path in paths]
                if reported:
                    result = "reported"
                    if kinds[name].partition(": ")[2] in mutants.SOUND:
                        result = "reported, though it is sound"
                else:
                    result = _compare(picture, label, by_pillow(root, name))
                outcome.setdefault(result, []).append(f"{kinds[name]} ({name})")
        reported_whole = {file.path for file in loader.report().bad_files}
    assert done == len(names)
    if _reported_by_small_crops(config) != reported_whole:
        outcome["whether it is reported depends on the crop"] = ["any: round (all)"]
    return outcome


def _reported_by_small_crops(config: Config) -> set[str]:
    """What a training loader with small random crops reports over two epochs."""
    small = {**config.model_dump()["augment"], "crop_size": (96, 128)}
    config = Config.model_validate({**config.model_dump(), "augment": small})
    with build_loader(config, split="val", training=True) as loader:
        for _ in range(2):
            for _batch in loader:
                pass
        return {file.path for file in loader.report().bad_files}


def _give_up_reading_everything() -> None:
    """Let root be refused unreadable files like anybody: in a child, before it becomes Python."""
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def _compare(picture: np.ndarray, label: np.ndarray, pillow: object) -> str:
    if isinstance(pillow, str):
        return f"loaded, but Pillow: {pillow.split(':')[0]}"
    image, classes = pillow  # type: ignore[misc]
    height, width = classes.shape
    if not np.array_equal(label[:height, :width], classes):
        return "label differs from Pillow's"
    difference = np.abs(picture[:height, :width] - image)
    if difference.max() <= 2:
        return "equal to Pillow"
    return f"image differs from Pillow's ({'few' if (difference > 2).mean() < 0.001 else 'many'})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path)
    parser.add_argument("--mutants", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one-round", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_round:
        kinds = json.loads((options.one_round / "kinds.json").read_text())
        print(json.dumps(run_round(options.one_round, kinds)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        source = options.root or write_voc(Path(folder, "voc"), train=20, val=4)
        outcomes, examples, crashed = _all_rounds(options, source, Path(folder))
    accepted = {"equal to Pillow", "reported"}
    wrong = {k: v for k, v in outcomes.items() if k.partition(" | ")[0] not in accepted}
    result = {
        "mutants": sum(outcomes.values()),
        "crashes_and_hangs": crashed,
        "neither_equal_nor_reported": sum(wrong.values()),
        "outcomes": dict(sorted(Counter(_by_outcome(outcomes)).items())),
        "by_kind": dict(sorted(outcomes.items())),
        "examples_of_what_is_wrong": {k: examples[k] for k in wrong},
        "seed": options.seed,
    }
    report(result, options.out)
    return 1 if wrong or crashed else 0


def _by_outcome(outcomes: Counter[str]) -> Counter[str]:
    total: Counter[str] = Counter()
    for key, count in outcomes.items():
        total[key.partition(" | ")[0]] += count
    return total


def _all_rounds(
    options: argparse.Namespace, source: Path, folder: Path
) -> tuple[Counter[str], dict[str, str], list[str]]:
    outcomes: Counter[str] = Counter()
    examples: dict[str, str] = {}
    crashed = []
    for number, first in enumerate(range(0, options.mutants, ROUND)):
        root = folder / f"round{number}"
        count = min(ROUND, options.mutants - first)
        kinds = make_round(source, root, count=count, seed=options.seed * 10**6 + number)
        (root / "kinds.json").write_text(json.dumps(kinds))
        try:
            done = subprocess.run(
                [sys.executable, __file__, "--one-round", str(root)],
                capture_output=True,
                text=True,
                timeout=600,
                check=True,
                preexec_fn=_give_up_reading_everything,
            )
            for outcome, members in json.loads(done.stdout.splitlines()[-1]).items():
                for member in members:
                    key = f"{outcome} | {member.partition(' (')[0]}"
                    outcomes[key] += 1
                    examples.setdefault(key, f"round {number}: {member}")
            shutil.rmtree(root)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as e:
            crashed.append(f"round {number}: {type(e).__name__}: {(e.stderr or '')[-2000:]}")
        print(f"{first + count} of {options.mutants}", file=sys.stderr)
    return outcomes, examples, crashed


if __name__ == "__main__":
    sys.exit(main())
