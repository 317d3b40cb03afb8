"""A training loop with Hugging Face Accelerate that resumes in mid-epoch.

pip install accelerate
dali-voc demo    # makes data up, if you have none
accelerate launch examples/with_accelerate.py dali-voc-demo/VOCdevkit/VOC2012
torchrun --nproc-per-node 2 examples/with_accelerate.py dali-voc-demo/VOCdevkit/VOC2012

Started again with more `--steps`, it goes on with the very next batch. On a CPU, `accelerate
launch` starts one process only, torchrun as many as you like.

`accelerator.prepare` wraps a `torch.utils.data.DataLoader` only: it moves its batches to the device
and deals them out to the processes. This loader does both by itself, so it need not be given to
`prepare`, which would return it unchanged. What Accelerate needs to know of it is its state:
`register_for_checkpointing`.
"""

import argparse
from pathlib import Path

import torch
from accelerate import Accelerator
from networks import SmallFcn
from torch.nn import functional

from dali_voc import build_loader, parse_config

parser = argparse.ArgumentParser()
parser.add_argument("root", help="the folder VOC2012")
parser.add_argument("--steps", type=int, default=100, help="how many in all, earlier runs included")
parser.add_argument("--out", type=Path, default="accelerate-state", help="folder of the state")
options = parser.parse_args()


class Count:
    """How many steps there have been, as something that has a state."""

    steps = 0

    def state_dict(self) -> dict[str, int]:
        """Return what a checkpoint keeps."""
        return {"steps": self.steps}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Put that back."""
        self.steps = state["steps"]


# before the loader, which asks torch.distributed for the rank
accelerator = Accelerator(cpu=not torch.cuda.is_available())
config = parse_config(
    {
        "dataset": {"root": options.root},
        "augment": {"crop_size": [128, 160]},
        "loader": {"batch_size": 2, "device": accelerator.device.type},  # of each process
    }
)
with build_loader(config) as loader:
    torch.manual_seed(0)
    model = SmallFcn(len(loader.spec.classes))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    model, optimizer = accelerator.prepare(model, optimizer)
    count, pictures = Count(), 0
    accelerator.register_for_checkpointing(loader, count)
    if options.out.is_dir():
        accelerator.load_state(str(options.out))
    while count.steps < options.steps:
        for images, labels in loader:  # each `for` is an epoch, the first the rest of one
            # the mean of the ranks' means, and NaN where all of a batch is void: see train.py
            loss = functional.cross_entropy(model(images), labels, ignore_index=255)
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
            count.steps, pictures = count.steps + 1, pictures + len(images)
            if count.steps == options.steps:
                break
    accelerator.save_state(str(options.out))
    seen = accelerator.reduce(torch.tensor(pictures, device=accelerator.device))
    accelerator.print(f"step {count.steps}: {seen} pictures in this run, {options.out} is written")
accelerator.end_training()
