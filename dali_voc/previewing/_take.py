"""Takes samples out of a loader's own batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dali_voc._assemble import LoaderBatch
from dali_voc._batches import Batch, BatchKey
from dali_voc._substitutes import Substitutes
from dali_voc.config import Config
from dali_voc.errors import DatasetError
from dali_voc.loader import Loader
from dali_voc.pictures import denormalize
from dali_voc.previewing._codes import to_codes
from dali_voc.previewing._shown import Raw, Shown, Window
from dali_voc.previewing._stored import read_stored
from dali_voc.targets import LabelEncoder
from dali_voc.validation import FullBatch, SlideBatch

__all__ = ["take_first", "take_named"]


def take_first(
    loader: Loader,
    config: Config,
    *,
    epoch: int = 0,
    first: int = 0,
    count: int = 8,
    compare: bool = False,
) -> list[Shown]:
    """Return samples in the order in which an epoch gives them.

    Args:
        loader: is moved to other places.
        config: the loader's.
        epoch: from 0.
        first: how many of the epoch's samples are passed over.
        count: how many are wanted; of whole pictures in tiles, every tile is shown.
        compare: read what lies on the disk as well.

    Raises:
        DatasetError: the epoch does not have so many samples as are passed over.
    """
    wanted: list[tuple[int, int]] = []
    seen = 0
    for step, samples in enumerate(_epoch(loader, epoch)):
        for place in range(len(samples)):
            if first <= seen < first + count:
                wanted.append((step, place))
            seen += 1
        if seen >= first + count:
            break
    if not wanted:
        raise DatasetError(
            f"first: found {first}, expected at most {seen - 1}: the batches of epoch {epoch} "
            f"hold {seen} samples"
        )
    return _take(loader, config, epoch, wanted, compare=compare)


def take_named(
    loader: Loader,
    config: Config,
    samples: Iterable[int],
    *,
    epoch: int = 0,
    compare: bool = False,
) -> list[Shown]:
    """Return some samples, as they come for the first time in an epoch.

    Args:
        loader: as for `take_first`, like what follows.
        config: likewise.
        samples: their places in `loader.index`.
        epoch: likewise.
        compare: likewise.

    Raises:
        DatasetError: the epoch leaves one of them out.
    """
    chosen = list(samples)
    missing = set(chosen)
    where: dict[int, tuple[int, int]] = {}
    for step, members in enumerate(_epoch(loader, epoch)):
        for place in np.flatnonzero(np.isin(members, list(missing))).tolist():
            where.setdefault(int(members[place]), (step, place))
        missing -= set(where)
        if not missing:
            break
    if missing:
        name = loader.index.name(min(missing))
        raise DatasetError(
            f"{name}: not in epoch {epoch} of this rank, because of sampling.epoch_length, "
            "weights, loader.last_batch or loader.world_size; expected a sample that is"
        )
    return _take(loader, config, epoch, [where[sample] for sample in chosen], compare=compare)


def _epoch(loader: Loader, epoch: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield which samples the batches of an epoch are planned to hold."""
    nobody = Substitutes(seed=0, num_samples=len(loader.index))
    batches = loader.plan.from_here(BatchKey(epoch=epoch), nobody)
    for _, batch in zip(range(len(loader)), batches, strict=False):
        yield batch.planned


def _take(
    loader: Loader, config: Config, epoch: int, wanted: list[tuple[int, int]], *, compare: bool
) -> list[Shown]:
    by_place: dict[tuple[int, int], list[Shown]] = {}
    for step in sorted({step for step, _ in wanted}):
        batch, made = loader.batch_at(epoch=epoch, step=step)
        places = sorted({place for other, place in wanted if other == step})
        raw: list[Raw | None] = [None] * len(places)
        if compare:
            cropped = not isinstance(made, FullBatch | SlideBatch)
            raw = read_stored(loader, config, [(batch, p) for p in places], cropped=cropped)
        unpack = _Unpack(loader=loader, config=config, batch=batch, made=made)
        for place, stored in zip(places, raw, strict=True):
            shown = unpack.sample(place)
            by_place[step, place] = [_with_raw(one, stored, window) for one, window in shown]
    return [one for place in wanted for one in by_place[place]]


def _with_raw(one: Shown, raw: Raw | None, window: Window | None) -> Shown:
    if raw is not None and window is not None:
        raw = dataclasses.replace(raw, window=window)
    return dataclasses.replace(one, raw=raw)


def _span(start: int, length: int, stored: int, shown: int) -> slice:
    """Return which of an axis's stored pixels some of those touch that are shown."""
    return slice(start * stored // shown, -(-(start + length) * stored // shown))


@dataclass(frozen=True, kw_only=True)
class _Unpack:
    loader: Loader
    config: Config
    batch: Batch
    made: LoaderBatch

    def sample(self, place: int) -> list[tuple[Shown, Window | None]]:
        """Return what the batch shows of one sample; of tiles, also where each is."""
        planned, read = (int(these[place]) for these in (self.batch.planned, self.batch.samples))
        skips = self.config.loader.on_error == "skip"
        name, note = self.loader.index.name(planned if skips else read), ""
        if planned != read:
            instead = f"instead of {self.loader.index.name(planned)}, a bad file"
            note = "a bad file, left blank" if skips else instead
        codes = self._codes(place)
        if isinstance(self.made, FullBatch):
            height, width = self.made.sizes[place].tolist()
            image = self._image(place)[:height, :width]
            if self.config.augment.stored_labels:
                height, width = self.made.stored_sizes[place].tolist()
            return [(Shown(name=name, note=note, image=image, codes=codes[:height, :width]), None)]
        if isinstance(self.made, SlideBatch):
            return self._tiles(place, name, codes)
        return [(Shown(name=name, note=note, image=self._image(place), codes=codes), None)]

    def _tiles(
        self, place: int, name: str, codes: npt.NDArray[np.int32]
    ) -> list[tuple[Shown, Window | None]]:
        assert isinstance(self.made, SlideBatch)
        height, width = self.made.sizes[place].tolist()
        rows, columns = self.made.stored_sizes[place].tolist()
        tall, wide = rows / height, columns / width
        if not self.config.augment.stored_labels:  # then labels have the size that is shown
            rows, columns = height, width
        mine = [t for t, (i, _, _) in enumerate(self.made.tiles.tolist()) if i == place]
        tiles: list[tuple[Shown, Window | None]] = []
        for number, t in enumerate(mine):
            _, y, x = self.made.tiles[t].tolist()
            image = self._image(t)
            # a picture smaller than a tile fills a part of it
            h, w = min(image.shape[0], height - y), min(image.shape[1], width - x)
            tile = Shown(
                name=name,
                note=f"tile {number + 1} of {len(mine)}",
                image=image[:h, :w],
                codes=codes[_span(y, h, rows, height), _span(x, w, columns, width)],
            )
            tiles.append((tile, (y * tall, x * wide, (y + h) * tall, (x + w) * wide)))
        return tiles

    def _image(self, i: int) -> npt.NDArray[np.uint8]:
        (image,) = denormalize(self.made[0][i : i + 1], self.config.normalize)
        return np.ascontiguousarray(image)

    def _codes(self, place: int) -> npt.NDArray[np.int32]:
        labels, classes = self.config.labels, self.loader.spec.classes
        (codes,) = to_codes(
            self.made[1][place : place + 1].cpu().numpy(),
            num_classes=len(classes),
            ignore_index=labels.ignore_index,
            encoder=LabelEncoder.from_config(labels, classes),
        )
        return np.ascontiguousarray(codes)
