"""from_parquet.py: files inside of Parquet become folders that the loader reads."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from warm_python import warm_python
from whole_labels import load_pairs

SCRIPT = Path(__file__).parents[1] / "examples/from_parquet.py"
VALUES = np.arange(20, dtype=np.uint8).reshape(4, 5) % 3


def encode(pixels: np.ndarray, kind: str, palette: list[int] | None = None) -> bytes:
    picture = Image.fromarray(pixels)
    if palette:
        picture.putpalette(palette)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return buffer.getvalue()


def photograph(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*warm_python(), SCRIPT, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def write(path: Path, images: list[bytes], labels: list[bytes], *, nested: bool) -> Path:
    def column(cells: list[bytes]) -> list[object]:
        return [{"bytes": cell, "path": "x.png"} for cell in cells] if nested else list(cells)

    table = pa.table({"pixel_values": column(images), "label": column(labels), "id": list("ab")})
    pq.write_table(table, path)
    return path


@pytest.mark.parametrize("nested", [True, False])
def test_all_kinds(tmp_path: Path, nested: bool) -> None:
    gray = encode(VALUES, "PNG")
    files = [
        write(
            tmp_path / "train-0.parquet",
            [encode(photograph(0), "PNG"), encode(photograph(1), "JPEG")],
            [gray, encode(VALUES[::-1], "PNG", [9, 9, 9, 200, 0, 0, 7, 7, 7])],
            nested=nested,
        ),
        write(
            tmp_path / "train-1.parquet",
            [encode(photograph(2), "WEBP"), encode(photograph(3), "BMP")],
            [encode(VALUES[:, ::-1], "TIFF"), encode(VALUES, "GIF", [0, 0, 0, 1, 1, 1, 2, 2, 2])],
            nested=nested,
        ),
    ]
    names = tmp_path / "id2label.json"
    names.write_text(json.dumps({"1": "road", "0": "sky", "2": "car"}))
    out = tmp_path / "out"
    done = run(*files, "--out", out, "--image", "pixel_values", "--id2label", names)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "4 pairs\n"
    config = yaml.safe_load(done.stdout)
    assert config["dataset"]["classes"] == ["sky", "road", "car"]
    keys = {key: config["dataset"][key] for key in ("images", "masks", "classes")}
    found = load_pairs(
        config["dataset"]["name"],
        Path(config["dataset"]["root"]),
        "train",
        reading=config["labels"],
        **keys,
    )
    expected = [VALUES, VALUES[::-1], VALUES[:, ::-1], VALUES]
    for k, (image, label) in enumerate(found):
        assert np.array_equal(label, expected[k])
        if k != 1:
            assert np.array_equal(image, photograph(k))
    # what was PNG or JPEG is not touched
    assert (out / "labels/train/00000000.png").read_bytes() == gray
    stored = (out / "images/train/00000001.jpg").read_bytes()
    assert stored == encode(photograph(1), "JPEG")


def test_what_does_not_work(tmp_path: Path) -> None:
    picture, gray = encode(photograph(0), "PNG"), encode(VALUES, "PNG")
    out = tmp_path / "out"

    def said(images: list[bytes], labels: list[bytes], *arguments: object) -> str:
        file = write(tmp_path / "f.parquet", images, labels, nested=True)
        done = run(file, "--out", out, "--split", "x", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr

    text = said([picture] * 2, [gray] * 2)
    assert "no column 'image', there are: pixel_values, label, id" in text
    columns = ("--image", "pixel_values")
    lossy = encode(VALUES, "JPEG")
    text = said([picture] * 2, [gray, lossy], *columns)
    assert "f.parquet: the label of pair 1 is a JPEG, which does not keep values" in text
    assert "images/x: not empty, expected a split" in said([picture] * 2, [gray] * 2, *columns)
    for file in (*(out / "images/x").iterdir(), *(out / "labels/x").iterdir()):
        file.unlink()
    assert "the image of pair 0: no picture that Pillow" in said([b"x"] * 2, [gray] * 2, *columns)
    assert "row 1 holds no bytes" in said([picture, b""], [gray] * 2, *columns)
