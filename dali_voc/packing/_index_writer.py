"""Writes the index of a packed split."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dali_voc._files import sync_folder, write_bytes
from dali_voc.datasets._index import name_digest
from dali_voc.datasets._pack_format import (
    INDEX,
    NAMES,
    RECORDS,
    WEIGHTS,
    MadeFrom,
    PackIndex,
    Shard,
)
from dali_voc.labels import LabelSpec
from dali_voc.packing._shards import Part

__all__ = ["write_index"]


def write_index(
    folder: Path,
    parts: list[Part],
    *,
    spec: LabelSpec,
    void: int,
    meaning: dict[str, Any],
    weighted: bool,
    made_from: MadeFrom,
    left_out: tuple[str, ...],
) -> PackIndex:
    """Write records, names and, last, `index.json`.

    Args:
        folder: of the shards.
        parts: what is known of them.
        spec: what label values mean.
        void: the value of pixels of no class.
        meaning: of the source's labels, see `PairIndex.meaning`.
        weighted: whether the samples' weights mean anything.
        made_from: source and configuration.
        left_out: what was wrong with the pairs that were left out.

    Returns:
        What `index.json` holds.
    """
    records = np.concatenate([part.records for part in parts])
    counts = [len(part.records) for part in parts]
    lengths = np.array([len(part.names) for part in parts], np.uint64)
    records["name_end"] += np.repeat(np.cumsum(lengths) - lengths, counts)
    names = b"".join(part.names for part in parts)
    table = _saved(records)
    weights = None
    if weighted:
        weights = _saved(np.concatenate([part.weights for part in parts]))
    index = PackIndex(
        records=len(records),
        samples=name_digest(len(records), [names]),
        spec=spec,
        meaning=meaning,
        void=void,
        shards=tuple(Shard(size=part.size, records=len(part.records)) for part in parts),
        records_crc=zlib.crc32(table),
        names_crc=zlib.crc32(names),
        weights_crc=None if weights is None else zlib.crc32(weights),
        made_from=made_from,
        left_out=left_out,
    )
    write_bytes(folder / RECORDS, table, durable=True)
    if weights is not None:
        write_bytes(folder / WEIGHTS, weights, durable=True)
    write_bytes(folder / NAMES, names, durable=True)
    text = index.model_dump_json(indent=2, exclude_none=True) + "\n"
    write_bytes(folder / INDEX, text.encode(), durable=True)
    sync_folder(folder)
    return index


def _saved(array: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
