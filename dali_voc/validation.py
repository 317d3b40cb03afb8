"""Batches of whole pictures, the tiles they are cut into, and putting tiles together again."""

from __future__ import annotations

from typing import NamedTuple

import torch

from dali_voc._join_tiles import TileJoiner, join_tiles
from dali_voc.pictures import fill_pictures

__all__ = ["FullBatch", "SlideBatch", "TileJoiner", "cut_tiles", "join_tiles", "tile_starts"]


class FullBatch(NamedTuple):
    """Whole pictures, padded at the bottom and the right.

    Attributes:
        images: [n, 3, height, width] of the largest, rounded up to a multiple.
        labels: [n, height, width], `ignore_index` in the padding (or planes, as configured); those
            of the pictures as stored, of other sizes, with `augment.stored_labels`.
        sizes: int64 [n, 2] on the CPU, height and width of each picture in the batch.
        stored_sizes: int64 [n, 2] on the CPU, those of its file: others if it was resized.
        samples: int64 [n] on the CPU, the place of each picture in the split: `loader.index.name`
            gives its name. Where another stands in for a bad one, the other's; where one was
            skipped and there is nothing to be seen, -1.
    """

    images: torch.Tensor
    labels: torch.Tensor
    sizes: torch.Tensor
    stored_sizes: torch.Tensor
    samples: torch.Tensor


class SlideBatch(NamedTuple):
    """Whole pictures in overlapping tiles.

    Attributes:
        images: the tiles, [t, 3, tile height, tile width], all those of a picture in a row.
        labels: of the whole pictures, as in `FullBatch`.
        sizes: as in `FullBatch`.
        stored_sizes: likewise.
        tiles: int64 [t, 3] on the CPU: which picture of the batch, first row, first column.
        samples: as in `FullBatch`.
    """

    images: torch.Tensor
    labels: torch.Tensor
    sizes: torch.Tensor
    stored_sizes: torch.Tensor
    tiles: torch.Tensor
    samples: torch.Tensor


def tile_starts(size: int, *, tile: int, stride: int) -> list[int]:
    """Return where tiles begin along an axis: every `stride`, the last one flush with the end."""
    if size <= tile:
        return [0]
    return [*range(0, size - tile, stride), size - tile]


def cut_tiles(
    images: torch.Tensor,
    sizes: torch.Tensor,
    *,
    tile: tuple[int, int],
    stride: tuple[int, int],
    fill: tuple[float, float, float] = (0.0, 0.0, 0.0),
    channels_last: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut pictures into overlapping tiles.

    Args:
        images: [n, 3, height, width], padded.
        sizes: int64 [n, 2], what of each is the picture.
        tile: height and width, pixels.
        stride: from tile to tile along height and width, pixels.
        fill: what tiles hold where a picture is smaller, per channel.
        channels_last: the memory format of the tiles.

    Returns:
        Tiles and their places, see `SlideBatch`.

    Raises:
        ValueError: the stride is larger than the tile.
    """
    if any(step > side for side, step in zip(tile, stride, strict=True)):
        raise ValueError(f"stride {stride} is larger than tile {tile}: pixels would be left out")
    places = [
        (i, y, x)
        for i, (height, width) in enumerate(sizes.tolist())
        for y in tile_starts(height, tile=tile[0], stride=stride[0])
        for x in tile_starts(width, tile=tile[1], stride=stride[1])
    ]
    tiles = torch.empty(
        (len(places), images.shape[1], *tile),
        dtype=images.dtype,
        device=images.device,
        memory_format=torch.channels_last if channels_last else torch.contiguous_format,
    )
    fill_pictures(tiles, fill)
    for t, (i, y, x) in enumerate(places):
        height = min(tile[0], int(sizes[i, 0]) - y)
        width = min(tile[1], int(sizes[i, 1]) - x)
        tiles[t, :, :height, :width] = images[i, :, y : y + height, x : x + width]
    return tiles, torch.tensor(places, dtype=torch.int64, device="cpu").view(-1, 3)
