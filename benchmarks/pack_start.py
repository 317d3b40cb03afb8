"""How long a packed split of a million records takes to open, and how much memory.

The split is real but for its pictures: a thousand small pairs, which a million records of names of
their own point at. Each figure comes from a process of its own that has imported everything and
opened a split of a thousand records before, so that it shows what the number of records costs.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median

import numpy as np
from process_memory import memory
from results_file import report

from dali_voc import build_loader, parse_config
from dali_voc.datasets._pack_format import MadeFrom
from dali_voc.datasets._packed_names import Names
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.packing._index_writer import write_index
from dali_voc.packing._label_code import encode_label
from dali_voc.packing._shards import Part, ShardWriter
from dali_voc.synthetic import draw_pair

PAIRS = 1000


def write_split(folder: Path, records: int) -> None:
    folder.mkdir(parents=True)
    shard = ShardWriter(folder, 0)
    for i in range(PAIRS):
        picture, label = draw_pair(np.random.default_rng(i), size=(64, 48))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG")
        encoded = encode_label(np.array(label))
        shard.add(name="", image=buffer.getvalue(), label=encoded, size=(48, 64))
    part = shard.finish(next_sample=PAIRS, left_out=())
    names = Names.of([f"picture_{i:012d}".encode() for i in range(records)])
    many = part.records[np.arange(records) % PAIRS]
    many["name_end"] = names.ends
    made_from = MadeFrom(
        **dict.fromkeys(("dataset", "root", "split", "samples", "palette", "unknown"), "made up"),
        shard_size=part.size,
    )
    write_index(
        folder,
        [
            Part(
                records=many,
                names=names.text.tobytes(),
                weights=np.ones(records),
                size=part.size,
                next_sample=PAIRS,
                left_out=(),
            )
        ],
        spec=VOC_SPEC,
        meaning=asdict(VOC_SPEC),
        weighted=False,
        void=255,
        made_from=made_from,
        left_out=(),
    )


def measure(root: str, split: str) -> dict[str, float]:
    """In a process that is warm: open a split, and fetch its first batch."""
    augment = {"crop_size": [48, 64]}
    loader = {"device": "cpu", "threads": 2, "batch_size": 64}
    tree = {"dataset": {"name": "packed", "root": root}, "augment": augment, "loader": loader}
    config = parse_config(tree)
    before, begin = memory(), time.perf_counter()
    with build_loader(config, split=split, training=True) as opened:
        open_seconds, after_open = time.perf_counter() - begin, memory()
        next(iter(opened))
        first_seconds, after = time.perf_counter() - begin, memory()
    return {
        "open_seconds": round(open_seconds, 4),
        "open_mb": after_open["VmRSS"] - before["VmRSS"],
        "open_mb_not_of_files": after_open["RssAnon"] - before["RssAnon"],
        "first_batch_seconds": round(first_seconds, 4),
        "first_batch_mb": after["VmRSS"] - before["VmRSS"],
        "peak_mb": after["VmHWM"] - before["VmHWM"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure, "few")
        print(json.dumps(measure(arguments.measure, "many")))
        return
    with tempfile.TemporaryDirectory() as root:
        write_split(Path(root, "few"), PAIRS)
        write_split(Path(root, "many"), arguments.records)
        index_bytes = sum(
            Path(root, "many", name).stat().st_size for name in ("records.npy", "names.bin")
        )
        rounds = []
        for _ in range(arguments.rounds):
            done = subprocess.run(
                [sys.executable, __file__, "--measure", root],
                capture_output=True,
                text=True,
                check=True,
            )
            rounds.append(json.loads(done.stdout))
    result: dict[str, object] = {
        "records": arguments.records,
        "index_bytes_per_record": index_bytes / arguments.records,
        "medians": {name: median(one[name] for one in rounds) for name in rounds[0]},
        "rounds": rounds,
    }
    report(result, arguments.out)


if __name__ == "__main__":
    main()
