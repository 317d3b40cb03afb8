"""Kills a small training script at random moments and checks that no sample is lost or repeated.

    python benchmarks/kills.py --kills 100 --out FILE.json

The script saves its state, and with it the list of what it has delivered, atomically, every few
batches. After each SIGKILL it is started again and goes on from what was saved. In the end the list
must be exactly what the pure functions of order say, and nothing may be left behind: no process, no
shared-memory segment. Exit code 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from results_file import report

from dali_voc.labels import voc_colormap
from dali_voc.order import epoch_order

N = 101
VICTIM = Path(__file__).parent / "kill_victim.py"


def write_data(root: Path) -> None:
    """Pictures whose first channel is their number."""
    for folder in "JPEGImages", "SegmentationClass", "ImageSets/Segmentation":
        (root / folder).mkdir(parents=True)
    for i in range(N):
        size = (60 + i % 7, 50 + i % 5)
        Image.new("RGB", size, (i, 0, 0)).save(root / f"JPEGImages/s{i:04d}.jpg", "PNG")
        label = Image.new("P", size, i % 21)
        label.putpalette([v for color in voc_colormap(256) for v in color])
        label.save(root / f"SegmentationClass/s{i:04d}.png")
    names = "".join(f"s{i:04d}\n" for i in range(N))
    (root / "ImageSets/Segmentation/train.txt").write_text(names)


def group_members(group: int) -> list[int]:
    """Processes of a group that are not zombies."""
    members = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            members.append(int(entry.parent.name))
    return members


def start(root: Path, folder: Path, epochs: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(VICTIM), str(root), str(folder), "3", str(epochs)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def check(delivered: list[int]) -> tuple[int, int]:
    """How many samples of whole epochs are lost, and how many delivered twice."""
    lost = twice = 0
    for epoch in range(-(-len(delivered) // N)):
        found = delivered[epoch * N : (epoch + 1) * N]
        order = epoch_order(num_samples=N, shuffle=True, seed=5, epoch=epoch).tolist()
        counts = np.bincount(found, minlength=N)
        twice += int((counts > 1).sum())
        lost += int((counts == 0).sum())
        assert found == order, f"epoch {epoch} is not in the order of the pure function"
    return lost, twice


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    shm_before = set(os.listdir("/dev/shm"))
    left_processes, while_running, died_alone = 0, 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        root, folder = Path(temporary, "voc"), Path(temporary)
        write_data(root)
        for number in range(options.kills):
            victim = start(root, folder, epochs=10**9)
            ready = victim.stdout.readline().strip() == "ready"  # type: ignore[union-attr]
            # mostly while batches flow; a few as early as they come
            time.sleep(rng.choice([0.0, rng.uniform(0, 0.1), rng.uniform(0, 1.5)]))
            died_alone += victim.poll() is not None
            os.killpg(victim.pid, signal.SIGKILL)
            victim.wait()
            while_running += ready
            time.sleep(0.05)
            left_processes += len(group_members(victim.pid))
            print(f"{number + 1} kills", file=sys.stderr)
        saved = folder / "saved.json"
        killed_at = len(json.loads(saved.read_text())["delivered"]) if saved.exists() else 0
        end = start(root, folder, epochs=killed_at // N + 2)
        assert end.wait(300) == 0
        delivered = json.loads(saved.read_text())["delivered"]
        lost, twice = check(delivered)
    result = {
        "kills": options.kills,
        "while_batches_flowed": while_running,
        "died_by_themselves": died_alone,
        "samples_delivered": len(delivered),
        "epochs": len(delivered) / N,
        "lost": lost,
        "delivered_twice": twice,
        "processes_left": left_processes,
        "shared_memory_left": sorted(set(os.listdir("/dev/shm")) - shm_before),
        "seed": options.seed,
    }
    report(result, options.out)
    return int(bool(lost or twice or left_processes or died_alone or result["shared_memory_left"]))


if __name__ == "__main__":
    sys.exit(main())
