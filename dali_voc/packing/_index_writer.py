"""Writes the index of a packed split."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np

from dali_voc._files import sync_folder, write_bytes
from dali_voc.datasets._index import name_digest
from dali_voc.datasets._pack_format import INDEX, NAMES, RECORDS, MadeFrom, PackIndex, Shard
from dali_voc.labels import LabelSpec
from dali_voc.packing._shards import Part

__all__ = ["write_index"]


def write_index(
    folder: Path,
    parts: list[Part],
    *,
    spec: LabelSpec,
    void: int,
    made_from: MadeFrom,
    left_out: tuple[str, ...],
) -> PackIndex:
    """Write records, names and, last, `index.json`.

    Args:
        folder: of the shards.
        parts: what is known of them.
        spec: what label values mean.
        void: the value of pixels of no class.
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
    buffer = io.BytesIO()
    np.save(buffer, records)
    index = PackIndex(
        records=len(records),
        samples=name_digest(len(records), [names]),
        spec=spec,
        void=void,
        shards=tuple(Shard(size=part.size, records=len(part.records)) for part in parts),
        records_crc=zlib.crc32(buffer.getvalue()),
        names_crc=zlib.crc32(names),
        made_from=made_from,
        left_out=left_out,
    )
    write_bytes(folder / RECORDS, buffer.getvalue(), durable=True)
    write_bytes(folder / NAMES, names, durable=True)
    text = index.model_dump_json(indent=2) + "\n"
    write_bytes(folder / INDEX, text.encode(), durable=True)
    sync_folder(folder)
    return index
