"""What a network says about overlapping tiles, put together to whole pictures."""

from __future__ import annotations

from typing import Literal

import torch

__all__ = ["TileJoiner", "join_tiles"]


class TileJoiner:
    """Puts what a network says about tiles together, some tiles at a time.

    So the network sees no more tiles at once than are given to `add`, and memory holds no more of
    its scores than these and the sums.

    Args:
        sizes: int64 [n, 2], see `SlideBatch`.
        weight: what tiles count where they overlap: "uniform", all alike; "gaussian", less towards
            their edges, where a network knows less of what is around: by a Gaussian with a standard
            deviation of an eighth of the tile's side, and at least a thousandth of the middle, as
            MONAI's and nnU-Net's (Isensee et al., 2021) sliding windows.

    Raises:
        ValueError: `weight` is neither.
    """

    def __init__(
        self, sizes: torch.Tensor, *, weight: Literal["uniform", "gaussian"] = "uniform"
    ) -> None:
        if weight not in ("uniform", "gaussian"):
            raise ValueError(f"weight: found {weight!r}, expected 'uniform' or 'gaussian'")
        self._sizes: list[list[int]] = sizes.tolist()
        self._weight = weight
        self._sums: list[torch.Tensor] = []
        self._weights: list[torch.Tensor] = []
        self._of_tile: torch.Tensor | None = None
        # on the CPU, so that nobody waits for a GPU
        self._covered = [torch.zeros(size, dtype=torch.bool, device="cpu") for size in self._sizes]
        self._seen: tuple[torch.dtype, torch.Size] | None = None

    def add(self, scores: torch.Tensor, tiles: torch.Tensor) -> None:
        """Add the scores of some tiles.

        Args:
            scores: [t, classes, tile height, tile width], floating point.
            tiles: int64 [t, 3], see `SlideBatch`.

        Raises:
            ValueError: scores have another shape, or another than those before.
        """
        if scores.ndim != 4 or len(scores) != len(tiles):
            raise ValueError(
                f"scores have shape {list(scores.shape)}, expected [{len(tiles)}, classes, tile "
                "height, tile width]"
            )
        if self._seen is None:
            self._seen = scores.dtype, scores.shape[1:]
            # sums of many tiles, and their weights, are beyond 16 bits
            exact = torch.promote_types(scores.dtype, torch.float32)
            classes = scores.shape[1]
            self._of_tile = None
            if self._weight == "gaussian":
                self._of_tile = _gaussian(scores.shape[2:]).to(scores.device, exact)
            self._sums = [scores.new_zeros((classes, *size), dtype=exact) for size in self._sizes]
            self._weights = [scores.new_zeros(size, dtype=exact) for size in self._sizes]
        elif self._seen != (scores.dtype, scores.shape[1:]):
            raise ValueError(
                f"scores are {scores.dtype} {list(scores.shape[1:])}, expected "
                f"{self._seen[0]} {list(self._seen[1])} as before"
            )
        if not self._sizes:
            return
        of_tile = self._of_tile
        for t, (i, y, x) in enumerate(tiles.tolist()):
            height, width = (
                min(side, size - start)
                for side, size, start in zip(scores.shape[2:], self._sizes[i], (y, x), strict=True)
            )
            rows, columns = slice(y, y + height), slice(x, x + width)
            these = scores[t, :, :height, :width]
            if of_tile is None:
                self._sums[i][:, rows, columns] += these
                self._weights[i][rows, columns] += 1
            else:
                weight = of_tile[:height, :width]
                self._sums[i][:, rows, columns] += these * weight
                self._weights[i][rows, columns] += weight
            self._covered[i][rows, columns] = True

    def finish(self) -> list[torch.Tensor]:
        """Return the scores of each picture, [classes, height, width], and begin anew.

        Raises:
            ValueError: tiles of the scores' size do not cover the pictures, or there were none.
        """
        if self._seen is None or not all(seen.all() for seen in self._covered):
            found = "no scores at all"
            if self._seen is not None:
                found = f"scores of {'x'.join(map(str, self._seen[1][1:]))} (height x width)"
            raise ValueError(
                f"{found} do not cover the pictures, expected the size of the tiles, and all of "
                "them: scale them up first"
            )
        dtype = self._seen[0]
        joined = [
            (total / weight).to(dtype if dtype.is_floating_point else total.dtype)
            for total, weight in zip(self._sums, self._weights, strict=True)
        ]
        self._sums, self._weights, self._seen = [], [], None
        for seen in self._covered:
            seen.zero_()
        return joined


def _gaussian(shape: torch.Size) -> torch.Tensor:
    """Return what each pixel of a tile counts, [tile height, tile width], 1 at the most."""
    sides = []
    for side in shape:
        place = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
        sides.append(torch.exp(-((place / (side / 8)) ** 2) / 2))
    return (sides[0][:, None] * sides[1]).clamp(min=1e-3)


def join_tiles(
    scores: torch.Tensor,
    tiles: torch.Tensor,
    sizes: torch.Tensor,
    *,
    weight: Literal["uniform", "gaussian"] = "uniform",
) -> list[torch.Tensor]:
    """Put what a network says about tiles together: where they overlap, the mean.

    Args:
        scores: [t, classes, tile height, tile width], floating point.
        tiles: int64 [t, 3], see `SlideBatch`.
        sizes: int64 [n, 2], see `SlideBatch`.
        weight: of the mean, see `TileJoiner`, which takes some tiles at a time.

    Returns:
        Scores of each picture, [classes, height, width].

    Raises:
        ValueError: scores have another shape, or tiles of their size do not cover the pictures.
    """
    joiner = TileJoiner(sizes, weight=weight)
    joiner.add(scores, tiles)
    return joiner.finish()
