"""How often crops are mixed and how often classes are seen, beside a plain implementation.

    python benchmarks/crop_rates.py --root VOC2012 --out FILE.json

Three settings: plain crops, `category_max_ratio: 0.75`, and `class_crop: 0.5`. The plain version
does the same in NumPy on labels that Pillow has read, as mmsegmentation's RandomCrop does it, with
NumPy's own random numbers: only rates can agree, and they have to within their statistical error.
Exit code 1 otherwise.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from results_file import report

from dali_voc import build_loader, parse_config

IGNORED, CLASSES, RATIO, SHARE = 255, 21, 0.75, 0.5
SETTINGS = {
    "plain": {},
    "category_max_ratio 0.75": {"category_max_ratio": RATIO},
    "class_crop 0.5": {"class_crop": SHARE},
}
Label = npt.NDArray[np.uint8]


def counts_of(label: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    return np.bincount(label.ravel(), minlength=256)[:CLASSES]


def largest_share(label: npt.NDArray[np.integer]) -> float:
    counts = counts_of(label)
    return float(counts.max() / counts.sum()) if counts.sum() else 1.0


def cut(label: Label, top: int, left: int, crop: tuple[int, int]) -> Label:
    return label[top : top + crop[0], left : left + crop[1]]


def plain_crop(
    label: Label, crop: tuple[int, int], setting: str, rng: np.random.Generator
) -> Label:
    free = [max(size - side, 0) for size, side in zip(label.shape, crop, strict=True)]
    if setting.startswith("class_crop") and rng.random() < SHARE:
        drawn = rng.choice([c for c in np.unique(label) if c != IGNORED])
        y, x = np.argwhere(label == drawn)[rng.integers((label == drawn).sum())]
        top = np.clip(y - crop[0] // 2, 0, free[0])
        left = np.clip(x - crop[1] // 2, 0, free[1])
        return cut(label, int(top), int(left), crop)
    window = label
    for _ in range(10 if setting.startswith("category") else 1):
        window = cut(label, rng.integers(free[0] + 1), rng.integers(free[1] + 1), crop)
        if largest_share(window) <= RATIO:
            break
    return window


def rates(windows: list[npt.NDArray[np.integer]]) -> dict[str, npt.NDArray[np.float64]]:
    """Per crop: is it mixed, how much of it is no background, which classes does it show."""
    counts = np.array([counts_of(w) for w in windows], float)
    total = np.maximum(counts.sum(axis=1), 1)
    return {
        "mixed": (counts.max(axis=1) <= RATIO * total).astype(float),
        "object pixels": counts[:, 1:].sum(axis=1) / total,
        "classes shown": (counts > 0).sum(axis=1).astype(float),
    }


def compare(
    ours: npt.NDArray[np.float64], plain: npt.NDArray[np.float64], *, pictures: int
) -> dict[str, object]:
    """Means over all crops, and their difference in standard errors.

    Both have the same pictures, so only what is random within a picture counts.
    """
    by_picture = [values.reshape(-1, pictures) for values in (ours, plain)]
    variance = sum(float((v.var(axis=0, ddof=1) / len(v)).sum()) for v in by_picture)
    error = variance**0.5 / pictures
    difference = float(ours.mean() - plain.mean())
    return {
        "ours": float(ours.mean()),
        "plain": float(plain.mean()),
        "standard_errors_apart": abs(difference) / error if error else abs(difference) * 1e9,
    }


def our_windows(
    root: Path, split: str, crop: tuple[int, int], epochs: int, setting: dict[str, float]
) -> list[npt.NDArray[np.integer]]:
    """Crops of all pictures in list order, epoch after epoch, without padding."""
    config = parse_config(
        {
            "dataset": {"root": str(root)},
            "augment": {"crop_size": crop, "flip": 0.0, **setting},
            "labels": {"dtype": "uint8"},
            "loader": {"device": "cpu"},
        }
    )
    windows: list[npt.NDArray[np.integer]] = []
    with build_loader(config, split=split, training=True) as loader:
        for epoch in range(epochs):
            order = loader._plan._order(epoch)
            crops = [label for _, labels in loader for label in labels.numpy().copy()]
            windows += [crops[k] for k in np.argsort(order)]
    return windows


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", type=Path, required=True, help="the folder VOC2012")
    parser.add_argument("--split", default="trainval")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--crop", type=int, nargs=2, default=[200, 200], metavar=("H", "W"))
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    options = parser.parse_args()
    names = (options.root / f"ImageSets/Segmentation/{options.split}.txt").read_text().split()
    labels = [
        np.array(Image.open(options.root / f"SegmentationClass/{name}.png")) for name in names
    ]
    rng = np.random.default_rng(0)
    crop = (options.crop[0], options.crop[1])
    found: dict[str, dict[str, object]] = {}
    worst = 0.0
    for setting, keys in SETTINGS.items():
        print(setting, file=sys.stderr)
        plain = rates(
            [plain_crop(x, crop, setting, rng) for _ in range(options.epochs) for x in labels]
        )
        ours = rates(our_windows(options.root, options.split, crop, options.epochs, keys))
        found[setting] = {
            name: compare(ours[name], plain[name], pictures=len(names)) for name in ours
        }
        worst = max(worst, *(v["standard_errors_apart"] for v in found[setting].values()))
    result = {
        "pictures": len(names),
        "epochs": options.epochs,
        "crop": crop,
        "rates": found,
        "largest_difference_in_standard_errors": worst,
    }
    report(result, options.out)
    return int(worst > 4)


if __name__ == "__main__":
    sys.exit(main())
