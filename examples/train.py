"""Train a small fully convolutional network from the loader, in plain PyTorch.

python examples/train.py
python examples/train.py --root /data/VOCdevkit/VOC2012 --epochs 20 --batch-size 16 --crop 320 480

The first trains on made-up pictures: no download, no GPU, half a minute on two cores. On the CPU,
one seed always gives the same numbers. For good ones on VOC, take a larger, pretrained network.
"""

import argparse
import tempfile
import time
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from dali_voc import Loader, build_loader, parse_config
from dali_voc.synthetic import write_voc


class SmallFcn(nn.Sequential):
    """Scores the classes at a quarter of the picture's size and enlarges the scores."""

    def __init__(self, classes: int) -> None:
        layers: list[nn.Module] = []
        for before, after, stride in (3, 32, 2), (32, 64, 2), (64, 128, 1):
            layers += [nn.Conv2d(before, after, 3, stride, 1), nn.BatchNorm2d(after), nn.ReLU()]
        super().__init__(*layers, nn.Conv2d(128, classes, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return [n, classes, height, width] for images [n, 3, height, width]."""
        return nn.functional.interpolate(super().forward(images), images.shape[2:], mode="bilinear")


def train_epoch(
    model: nn.Module, loader: Loader, optimizer: torch.optim.Optimizer, *, ignored: int
) -> tuple[float, float, float]:
    """Return the mean loss, the seconds taken and those of them spent waiting for data."""
    model.train()
    losses, waited = [], 0.0
    begin = mark = time.perf_counter()
    for images, labels in loader:
        waited += time.perf_counter() - mark
        loss = nn.functional.cross_entropy(model(images), labels, ignore_index=ignored)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())  # waits for the GPU, so that the clock counts its work
        mark = time.perf_counter()
    return sum(losses) / len(losses), mark - begin, waited


@torch.no_grad()
def evaluate(model: nn.Module, loader: Loader, *, ignored: int) -> float:
    """Return the mIoU over the loader's split."""
    model.eval()
    pairs = ((labels, model(images).argmax(1)) for images, labels in loader)
    return mean_iou(pairs, classes=len(loader.spec.classes), ignored=ignored)


def mean_iou(pairs: Iterable[tuple[Tensor, Tensor]], *, classes: int, ignored: int) -> float:
    """Return the mIoU of pairs (truth, predicted) over the classes that occur in either."""
    confusion = torch.zeros(classes, classes, dtype=torch.int64)
    for truth, predicted in pairs:
        kept = truth != ignored
        cells = truth[kept] * classes + predicted[kept]
        confusion += cells.bincount(minlength=classes**2).view(classes, classes).cpu()
    union = confusion.sum(0) + confusion.sum(1) - confusion.diagonal()
    return (confusion.diagonal() / union)[union > 0].mean().item()


def main(root: str, options: argparse.Namespace) -> None:
    """Train on the train split and score the val split after each epoch."""
    settings = {"dataset": {"root": root}, "augment": {"crop_size": options.crop}}
    settings["loader"] = {"batch_size": options.batch_size, "seed": options.seed}
    config = parse_config(settings)
    ignored = config.labels.ignore_index
    torch.manual_seed(options.seed)
    with build_loader(config, split="train") as train, build_loader(config, split="val") as val:
        model = SmallFcn(len(train.spec.classes)).to(train.device)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
        for epoch in range(1, options.epochs + 1):
            loss, seconds, waited = train_epoch(model, train, optimizer, ignored=ignored)
            schedule.step()
            miou = evaluate(model, val, ignored=ignored)
            times = f"{seconds:.1f} s, {waited / seconds:.0%} of it waiting for data"
            print(f"epoch {epoch:2}  loss {loss:.3f}  mIoU {miou:.3f}  {times}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train a small FCN and print loss and mIoU.")
    parser.add_argument("--root", help="the folder VOC2012; without it, made-up pictures")
    parser.add_argument("--crop", type=int, nargs=2, default=[160, 240], metavar=("H", "W"))
    for name, default in ("--epochs", 10), ("--batch-size", 8), ("--seed", 0):
        parser.add_argument(name, type=int, default=default, help="default: %(default)s")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        main(options.root or str(write_voc(scratch)), options)
