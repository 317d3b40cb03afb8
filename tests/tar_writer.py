"""Puts loose VOC pairs into WebDataset's form."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path


def write_shards(
    voc: Path, out: Path, split: str, *, per_shard: int = 5, label: str = "png"
) -> list[Path]:
    """Shards `SPLIT-00000.tar` and so on, of `ID.jpg` and `ID.LABEL`."""
    out.mkdir(parents=True, exist_ok=True)
    ids = (voc / f"ImageSets/Segmentation/{split}.txt").read_text().split()
    shards = []
    for k in range(0, len(ids), per_shard):
        members = [
            (f"{name}.{suffix}", (voc / folder / f"{name}{ending}").read_bytes())
            for name in ids[k : k + per_shard]
            for folder, ending, suffix in (
                ("JPEGImages", ".jpg", "jpg"),
                ("SegmentationClass", ".png", label),
            )
        ]
        shards.append(out / f"{split}-{k // per_shard:05d}.tar")
        write_tar(shards[-1], members)
    return shards


def write_tar(path: Path, members: Sequence[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
