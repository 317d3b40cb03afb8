"""The shortest training loop under torchrun that resumes in mid-epoch. `train.py` is a whole one.

dali-voc demo    # makes data up, if you have none
torchrun --nproc-per-node 2 examples/ddp.py dali-voc-demo/VOCdevkit/VOC2012 --steps 50
torchrun --nproc-per-node 2 examples/ddp.py dali-voc-demo/VOCdevkit/VOC2012 --steps 100

The second run goes on with the very next batch of the first; any number of processes may do so.
The loader asks `torch.distributed` which process this is: it needs no sampler and no `set_epoch`.
"""

import argparse
import os
from pathlib import Path

import torch
import torch.distributed as dist
from networks import SmallFcn
from torch import nn
from torch.nn import functional

from dali_voc import build_loader, parse_config

parser = argparse.ArgumentParser()
parser.add_argument("root", help="the folder VOC2012")
parser.add_argument("--steps", type=int, default=100, help="how many in all, earlier runs included")
parser.add_argument("--checkpoint", type=Path, default="ddp.pt")
options = parser.parse_args()

dist.init_process_group()
if torch.cuda.is_available():
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
config = parse_config(
    {
        "dataset": {"root": options.root},
        "augment": {"crop_size": [128, 160]},
        "loader": {"batch_size": 2},  # of each process
    }
)
with build_loader(config) as loader:
    loader.check_ranks()  # that all have the same data
    torch.manual_seed(0)
    model = SmallFcn(len(loader.spec.classes)).to(loader.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    parts = {"model": model, "optimizer": optimizer, "loader": loader}
    step, pictures = 0, 0
    if options.checkpoint.is_file():
        saved = torch.load(options.checkpoint, map_location=loader.device)
        step = saved.pop("step")
        for name, state in saved.items():
            parts[name].load_state_dict(state)
    shared = nn.parallel.DistributedDataParallel(model)
    while step < options.steps:
        for images, labels in loader:  # each `for` is an epoch, the first the rest of one
            # the mean of the ranks' means, and NaN where all of a batch is void: see train.py
            loss = functional.cross_entropy(shared(images), labels, ignore_index=255)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step, pictures = step + 1, pictures + len(images)
            if step == options.steps:
                break
    seen = torch.tensor(pictures, device=loader.device)
    dist.all_reduce(seen)
    if dist.get_rank() == 0:  # the loader's state is the same on every rank
        states = {name: part.state_dict() for name, part in parts.items()}
        torch.save({**states, "step": step}, options.checkpoint)
        print(f"step {step}: {seen} pictures in this run, {options.checkpoint} is written")
dist.destroy_process_group()
