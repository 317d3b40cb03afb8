"""Write the pictures of Parquet files, as Hugging Face's hub has them, to folders.

pip install pyarrow
python examples/from_parquet.py data/train-*.parquet --split train --out /data/sidewalk \
    --image pixel_values --label label --id2label id2label.json

Columns hold encoded files: bytes, or `{bytes, path}`. JPEG and PNG are written as they are, what
else Pillow reads becomes PNG; labels may not be JPEG, which does not keep values. One run makes one
split; others may go to the same folder. It prints the beginning of a configuration.
"""

import argparse
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml
from PIL import Image, UnidentifiedImageError

KINDS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG"}


def rows(path: Path, *columns: str) -> Iterator[tuple[bytes, ...]]:
    """Yield the bytes in some columns, row by row; what is in memory is some rows."""
    file = pq.ParquetFile(path)
    for column in columns:
        if column not in file.schema_arrow.names:
            raise SystemExit(
                f"{path}: no column {column!r}, there are: {', '.join(file.schema_arrow.names)}"
            )
    number = 0
    for batch in file.iter_batches(batch_size=16, columns=list(columns)):
        for row in batch.to_pylist():
            found = [row[column] for column in columns]
            found = [cell["bytes"] if isinstance(cell, dict) else cell for cell in found]
            if not all(isinstance(cell, bytes) and cell for cell in found):
                raise SystemExit(f"{path}: row {number} holds no bytes in one of its columns")
            yield tuple(found)
            number += 1


def kind_of(data: bytes) -> str:
    """Return JPEG, PNG, or nothing for all others."""
    return next((kind for start, kind in KINDS.items() if data.startswith(start)), "")


def as_png(data: bytes, where: str) -> bytes:
    """Return a picture of another kind as PNG."""
    try:
        picture = Image.open(io.BytesIO(data))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
    except (UnidentifiedImageError, OSError) as e:
        raise SystemExit(f"{where}: no picture that Pillow reads or PNG can hold ({e})") from None
    return buffer.getvalue()


def convert(options: argparse.Namespace) -> int:
    """Write all rows, and return how many."""
    images = options.out / "images" / options.split
    labels = options.out / "labels" / options.split
    for folder in images, labels:
        if folder.is_dir() and any(folder.iterdir()):
            raise SystemExit(f"{folder}: not empty, expected a split that is not there yet")
        folder.mkdir(parents=True, exist_ok=True)
    number = 0
    for path in options.files:
        for image, label in rows(path, options.image, options.label):
            where = f"{path}: the label of pair {number}"
            if kind_of(label) == "JPEG":
                raise SystemExit(f"{where} is a JPEG, which does not keep values; expected PNG")
            name = f"{number:08d}"
            data = image if kind_of(image) else as_png(image, f"{path}: the image of pair {number}")
            # the loader looks at the bytes, not at the end of the name
            (images / f"{name}.jpg").write_bytes(data)
            data = label if kind_of(label) else as_png(label, where)
            (labels / f"{name}.png").write_bytes(data)
            number += 1
    return number


def class_names(path: Path | None) -> list[str]:
    """Return the names in `{"0": "road", ...}`, in the order of their numbers."""
    if path is None:
        return ["TO BE FILLED IN"]
    names = {int(number): name for number, name in json.loads(path.read_text()).items()}
    missing = set(range(max(names) + 1)) - set(names)
    if missing:
        raise SystemExit(f"{path}: no name for {min(missing)}, expected one for each number")
    return [names[number] for number in range(len(names))]


def section(options: argparse.Namespace) -> dict[str, Any]:
    """Return the configuration of what was written."""
    dataset = {
        "name": "folder",
        "root": str(options.out),
        "images": "images/{split}/*.jpg",
        "masks": "labels/{split}/*.png",
        "classes": class_names(options.id2label),
    }
    # palettes there are for looking at
    return {"dataset": dataset, "labels": {"palette": "index"}}


def main() -> None:
    """Convert."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, help="Parquet files, in order")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--split", default="train", help="what this split is to be called")
    parser.add_argument("--image", default="image", help="name of the column of pictures")
    parser.add_argument("--label", default="label", help="name of the column of labels")
    parser.add_argument("--id2label", type=Path, help="JSON of the classes' names by number")
    options = parser.parse_args()
    config = section(options)
    print(f"{convert(options)} pairs", file=sys.stderr)
    print(yaml.safe_dump(config, sort_keys=False), end="")


if __name__ == "__main__":
    main()
