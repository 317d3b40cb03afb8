"""What `kills.py` kills: reads batches, and now and then saves its state and what it has delivered.

python kill_victim.py ROOT FOLDER SAVE_EVERY EPOCHS
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from dali_voc import build_loader, parse_config
from dali_voc.pictures import denormalize

root, folder, save_every, epochs = (
    sys.argv[1],
    Path(sys.argv[2]),
    int(sys.argv[3]),
    int(sys.argv[4]),
)
config = parse_config(
    {
        "dataset": {"root": root},
        "augment": {"crop_size": [40, 48]},
        "loader": {"batch_size": 4, "device": "cpu", "threads": 2, "prefetch": 3, "seed": 5},
    }
)
saved = folder / "saved.json"


def save(state: dict[str, object], delivered: list[int]) -> None:
    """Write state and deliveries together, whole or not at all."""
    temporary = saved.with_suffix(".tmp")
    temporary.write_text(json.dumps({"state": state, "delivered": delivered}))
    os.replace(temporary, saved)


with build_loader(config) as loader:
    delivered: list[int] = []
    if saved.exists():
        last = json.loads(saved.read_text())
        loader.load_state_dict(last["state"])
        delivered = last["delivered"]
    count = 0
    while loader.state_dict()["epoch"] < epochs:
        for images, _labels in loader:
            delivered += [int(p[0, 0, 0]) for p in denormalize(images, config.normalize)]
            count += 1
            if count == 1:
                print("ready", flush=True)
            if count % save_every == 0:
                save(loader.state_dict(), delivered)
    save(loader.state_dict(), delivered)
print("finished", flush=True)
