"""Run by torchrun: every rank reports its samples and its state after each batch."""

import json
import sys
from pathlib import Path

import torch.distributed as dist

from dali_voc import build_loader, parse_config
from dali_voc.pictures import denormalize

root, out, initialise, last_batch = sys.argv[1:5]
if initialise == "yes":
    dist.init_process_group("gloo")
config = parse_config(
    {
        "dataset": {"root": root},
        "augment": {"crop_size": [40, 48]},
        "loader": {"batch_size": 2, "device": "cpu", "threads": 1, "last_batch": last_batch},
    }
)
with build_loader(config) as loader:
    epochs, states = [], []
    for _ in range(3):
        batches = []
        for images, _labels in loader:
            batches.append([int(p[0, 0, 0]) for p in denormalize(images, config.normalize)])
            states.append(loader.state_dict())
        epochs.append(batches)
    rank = loader._plan.ranks.rank
if initialise == "yes":
    dist.destroy_process_group()
found = {"samples": epochs, "states": states}
Path(out, f"rank{rank}.json").write_text(json.dumps(found))
