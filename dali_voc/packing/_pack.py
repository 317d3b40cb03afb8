"""Packs a split: one pass over its pairs, shard after shard, and the index last."""

from __future__ import annotations

import logging
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy.typing as npt

from dali_voc._arguments import check_arguments
from dali_voc._files import make_folder, sync_folder
from dali_voc._folder_lock import locked_folder
from dali_voc._label_reading import LabelReading
from dali_voc._read_once import read_once
from dali_voc._threads import pick_threads
from dali_voc.config import Config
from dali_voc.datasets import PairIndex, find_index
from dali_voc.datasets._binary_masks import warn_of_binary_masks
from dali_voc.datasets._lost_values import warn_of_lost_values
from dali_voc.datasets._pack_format import (
    PackIndex,
    packed_spec,
    unfinished,
)
from dali_voc.datasets.packed import read_index
from dali_voc.errors import DatasetError, SampleError
from dali_voc.packing._index_writer import write_index
from dali_voc.packing._label_code import encode_label
from dali_voc.packing._made_from import check_same, describe_run, take_up, tidy
from dali_voc.packing._restarts import add_jpeg_restarts
from dali_voc.packing._shards import Part, ShardWriter, read_parts

__all__ = ["DEFAULT_SHARD_SIZE", "pack_split"]

_log = logging.getLogger("dali_voc")
DEFAULT_SHARD_SIZE = 1 << 30

# sample, image, label as stored and (height, width); or what is wrong with the sample
_Packed = tuple[int, bytes, bytes, tuple[int, int]] | tuple[int, SampleError]


def pack_split(
    config: Config,
    out: str | os.PathLike[str],
    *,
    split: str = "train",
    shard_size: int = DEFAULT_SHARD_SIZE,
    jpeg_restarts: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> PackIndex:
    """Write a split into a folder of its own, `out/split`, for `dataset.name: packed`.

    Until all is written, the folder has another name. A run that was interrupted goes on behind its
    last whole shard; of a split that is packed already, the index is read, and whether its
    files are as they were is looked at.

    Args:
        config: sections `dataset` and `labels`, and `loader.threads` and `loader.on_error` are
            used. Labels are mapped by `labels.palette` and `labels.unknown`; void stays void,
            whatever `labels.ignore_index` is.
        out: the folder of packed splits; made where it is missing.
        split: name of the split.
        shard_size: bytes that a shard may have, unless a single pair needs more.
        jpeg_restarts: rewrite JPEG images by `add_jpeg_restarts`.
        progress: called now and then with how many pairs are done, and of how many.

    Returns:
        The index. Unless `on_error` is "raise", bad pairs are logged, left out, and listed in it.

    Raises:
        DatasetError: the split cannot be found; no pair is good; or in its place is one of another
            configuration, or one that another process is packing.
        SampleError: a pair is bad, and `on_error` is "raise".
        OSError: the folder cannot be written.
        TypeError: an argument is of another type.
    """
    check_arguments(config, split)
    if {"", ".", ".."} & set(split.split("/")):
        raise DatasetError(f"split: found {split!r}, expected a name that can be a folder")
    raising = config.loader.raises
    source = find_index(config.dataset, split, must_exist=raising)
    warn_of_binary_masks(source)
    warn_of_lost_values(source)
    spec, void = packed_spec(source.spec)
    made_from = describe_run(
        config, source, split=split, shard_size=shard_size, jpeg_restarts=jpeg_restarts
    )
    final = Path(out) / split
    folder = final.parent / unfinished(final.name)
    if final.exists():
        index = read_index(final)
        check_same(final, index.made_from, made_from)
        if raising and index.left_out:
            raise DatasetError(
                f"{final}: was packed without {len(index.left_out)} bad pairs, and loader.on_error "
                "is 'raise'; choose another folder, or remove it"
            )
        tidy(final)
        return index
    make_folder(folder)
    busy = DatasetError(f"{folder}: another process is packing this split")
    with locked_folder(folder, busy=busy):
        take_up(folder, made_from)
        parts = read_parts(folder)
        packer = _Packer(
            config,
            source,
            void=void,
            folder=folder,
            shard_size=shard_size,
            jpeg_restarts=jpeg_restarts,
        )
        try:
            parts += packer.run(parts, progress)
            if not parts:
                raise DatasetError(f"{config.dataset.path}: no pair of split '{split}' is good")
        except BaseException:
            if not read_parts(folder):  # there is nothing to go on with
                shutil.rmtree(folder, ignore_errors=True)  # what has struck is to be seen
            raise
        left_out = (*(text for part in parts for text in part.left_out), *packer.left_out)
        index = write_index(
            folder,
            parts,
            spec=spec,
            void=void,
            meaning=source.meaning(),
            weighted=source.weights is not None,
            made_from=made_from,
            left_out=left_out,
        )
        os.rename(folder, final)
        sync_folder(final.parent)
        tidy(final)
    progress(len(source), len(source))
    return index


class _Packer:
    def __init__(
        self,
        config: Config,
        source: PairIndex,
        *,
        void: int,
        folder: Path,
        shard_size: int,
        jpeg_restarts: bool,
    ) -> None:
        self._config = config
        self._source = source
        self._void = void
        self._folder = folder
        self._shard_size = shard_size
        self._jpeg_restarts = jpeg_restarts
        self.left_out: list[str] = []  # since the last shard was finished

    def run(self, done: list[Part], progress: Callable[[int, int], None]) -> list[Part]:
        """Write the shards that follow those that are done."""
        parts: list[Part] = []
        first = done[-1].next_sample if done else 0
        shard: ShardWriter | None = None
        try:
            for sample, *found in self._pairs(range(first, len(self._source))):
                progress(sample, len(self._source))
                if isinstance(found[0], SampleError):
                    _log.warning("%s; the pair is left out", found[0])
                    # a name that is not UTF-8 cannot be written as it is
                    self.left_out.append(str(found[0]).encode(errors="replace").decode())
                    continue
                image, label, size = found
                if shard and shard.size + len(image) + len(label) > self._shard_size:
                    parts.append(self._finish(shard, sample))
                    shard = None
                shard = shard or ShardWriter(self._folder, len(done) + len(parts))
                weights = self._source.weights
                shard.add(
                    name=self._source.name(sample),
                    image=image,
                    label=label,
                    size=size,
                    weight=1.0 if weights is None else float(weights[sample]),
                )
            if shard:
                parts.append(self._finish(shard, len(self._source)))
        except BaseException:
            if shard:
                shard.discard()
            raise
        return parts

    def _finish(self, shard: ShardWriter, next_sample: int) -> Part:
        part = shard.finish(next_sample=next_sample, left_out=self.left_out)
        self.left_out = []
        return part

    def _pairs(self, samples: range) -> Iterator[Any]:
        """Yield the samples in order, labels encoded by several threads."""
        jobs = pick_threads(self._config.loader.threads)
        waiting: deque[Future[_Packed]] = deque()
        raising = self._config.loader.raises
        with ThreadPoolExecutor(jobs, thread_name_prefix="dali_voc") as threads:
            try:
                for sample, found in read_once(
                    self._source, self._build, samples=samples, raising=raising
                ):
                    waiting.append(threads.submit(self._encode, sample, found))
                    if len(waiting) > 4 * jobs:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                threads.shutdown(cancel_futures=True)

    def _encode(self, sample: int, found: tuple[npt.NDArray[Any], ...] | SampleError) -> _Packed:
        if isinstance(found, SampleError):
            return sample, found
        image, label = found
        file = image.tobytes()
        if self._jpeg_restarts:
            file = add_jpeg_restarts(file)
        return sample, file, encode_label(label), (label.shape[0], label.shape[1])

    def _build(self, source: Any, *, batch_size: int, prefetch: int) -> Any:
        # Importing DALI takes a while; the command line shows its help without it.
        from dali_voc.pipeline import build_packing_pipeline  # noqa: PLC0415

        return build_packing_pipeline(
            source,
            columns=self._source.columns,
            reading=LabelReading.of(
                self._source.spec, self._config.labels, ignore_index=self._void
            ),
            batch_size=batch_size,
            threads=pick_threads(self._config.loader.threads),
            prefetch=prefetch,
        )
