"""Learn from few labels and many pictures: FixMatch (Sohn et al., 2020), per pixel.

dali-voc demo    # makes data up, if you have none
python examples/semi_supervised.py dali-voc-demo/VOCdevkit/VOC2012 --steps 100

Every eighth pair of the list has its label; of all others only the picture is read, as two views of
one crop. What the network says of the weak view is the truth for the strong one, where it is sure,
and where there is a picture. Started again with more `--steps`, it goes on with the very next batch
of all three loaders.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from networks import SmallFcn
from torch import Tensor
from torch.nn import functional

from dali_voc import Loader, build_loader, in_step, parse_config

parser = argparse.ArgumentParser()
parser.add_argument("root", type=Path, help="the folder VOC2012")
parser.add_argument("--steps", type=int, default=100, help="how many in all, earlier runs included")
parser.add_argument("--sure", type=float, default=0.95, help="least probability of a pseudo-label")
parser.add_argument("--checkpoint", type=Path, default="semi.pt")
options = parser.parse_args()

place = {"crop_size": [128, 160], "scale": [0.5, 2.0]}  # the same in all views
strong = {"brightness": 64, "contrast": 0.5, "saturation": 0.5, "hue": 36, "gray": 0.2, "blur": 0.5}


def load(names: list[str], *, labeled: bool, **augment: object) -> Loader:
    """Return a loader of some pairs of the training list, or of their pictures alone."""
    config = parse_config(
        {
            "dataset": {"root": str(options.root), "unlabeled": not labeled},
            # of pictures without a label all pixels are 0, and what is no picture is 255
            "labels": {"unlabeled_index": 0},
            "augment": {**place, **augment},
            "loader": {"batch_size": 2},
        }
    )
    return build_loader(config, samples=names)


def endless(loader: Loader) -> Iterator[tuple[Tensor, ...]]:
    """Yield batches of one epoch after another."""
    while True:
        yield from loader


def consistency(model: SmallFcn, seen: Tensor, changed: Tensor, there: Tensor) -> Tensor:
    """Return the loss of the strong view against what is said of the weak one."""
    with torch.no_grad():
        probability, said = model(seen).softmax(1).max(1)
    counts = (probability >= options.sure) & there
    losses = functional.cross_entropy(model(changed), said, reduction="none")
    return (losses * counts).sum() / there.sum().clamp(min=1)


names = (options.root / "ImageSets/Segmentation/train.txt").read_text().split()
labeled = names[::8]
others = [name for name in names if name not in set(labeled)]
with (
    load(labeled, labeled=True) as few,
    load(others, labeled=False) as weak,
    load(others, labeled=False, **strong) as changed_much,
):
    torch.manual_seed(0)
    model = SmallFcn(len(few.spec.classes)).to(few.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    parts = {"model": model, "optimizer": optimizer}
    parts |= {"few": few, "weak": weak, "strong": changed_much}
    step, loss = 0, torch.tensor(torch.nan)
    if options.checkpoint.is_file():
        saved = torch.load(options.checkpoint, map_location=few.device)
        step = saved.pop("step")
        for name, state in saved.items():
            parts[name].load_state_dict(state)
    with_labels = endless(few)
    while step < options.steps:
        for (seen, labels), (changed, _) in in_step(weak, changed_much):
            images, truth = next(with_labels)
            supervised = functional.cross_entropy(model(images), truth, ignore_index=255)
            loss = supervised + consistency(model, seen, changed, labels != 255)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if step == options.steps:
                break
    states = {name: part.state_dict() for name, part in parts.items()}
    torch.save({**states, "step": step}, options.checkpoint)
    print(f"step {step}: loss {loss.item():.4f}, {options.checkpoint} is written")
