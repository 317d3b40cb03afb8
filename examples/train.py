"""Train a segmentation network from the loader, in plain PyTorch, in one process or several.

python examples/train.py
python examples/train.py --root /data/VOCdevkit/VOC2012 --epochs 50 --crop 320 480
torchrun --nproc-per-node 2 examples/train.py --config configs/voc2012.yaml --amp \
    --model torchvision:deeplabv3_resnet50 --pretrained --lr 1e-4 --save-every 100 [--resume]

The first trains on made-up pictures: no download, no GPU, half a minute on two idle cores. On the
CPU, one seed and one number of threads always give the same numbers, also when a run was killed and
resumed. With the small network, two processes train as one does with twice the batch, up to
rounding. The mIoU is of centre crops: `predict.py` gives that of whole pictures.
"""

import argparse
import contextlib
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from networks import build_network
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from torch import Tensor, nn
from torch.nn import functional

from dali_voc import Config, DaliVocError, Loader, build_loader, load_config, parse_config
from dali_voc.previewing import contact_sheet
from dali_voc.synthetic import write_voc

DEFAULTS = {"augment": {"crop_size": [160, 240]}, "loader": {"batch_size": 8}}


def rank_and_world() -> tuple[int, int]:
    """Return the number of this process and how many there are."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def sum_over_ranks(values: Tensor) -> Tensor:
    """Return the sum of all ranks' tensors."""
    if dist.is_initialized():
        dist.all_reduce(values)
    return values


def pixel_loss(scores: Tensor, labels: Tensor, *, ignored: int) -> tuple[Tensor, float]:
    """Return the loss to differentiate here, and the mean loss over all ranks' valid pixels."""
    total = functional.cross_entropy(scores.float(), labels, ignore_index=ignored, reduction="sum")
    sums = torch.stack([total.detach().double(), (labels != ignored).sum().double()])
    over_all, valid = sum_over_ranks(sums)
    valid = valid.clamp(min=1)
    # Ranks differ in valid pixels, and DDP takes the mean of their gradients: undo that.
    return total * rank_and_world()[1] / valid, (over_all / valid).item()


def confusion_matrix(truth: Tensor, predicted: Tensor, *, classes: int, ignored: int) -> Tensor:
    """Count pixels, int64 [classes, classes]: rows are the truth, columns the prediction."""
    kept = truth != ignored
    cells = truth[kept] * classes + predicted[kept]
    return cells.bincount(minlength=classes**2).view(classes, classes)


def mean_iou(confusion: Tensor) -> float:
    """Return the mIoU over the classes that occur in truth or prediction."""
    union = confusion.sum(0) + confusion.sum(1) - confusion.diagonal()
    return (confusion.diagonal() / union)[union > 0].mean().item()


@torch.no_grad()
def evaluate(model: nn.Module, loader: Loader, *, ignored: int, rank: int, world: int) -> Tensor:
    """Return the confusion matrix of this rank's share of a split, each sample counted once."""
    model.eval()
    classes = len(loader.spec.classes)
    confusion = torch.zeros(classes, classes, dtype=torch.int64, device=loader.device)
    place = rank
    for images, labels in loader:
        # samples are dealt out like cards; what lies past the end of the list is a repetition
        places = place + world * torch.arange(len(labels), device=labels.device)
        labels[places >= len(loader.index)] = ignored
        place += world * len(labels)
        predicted = model(images).argmax(1)
        confusion += confusion_matrix(labels, predicted, classes=classes, ignored=ignored)
    return confusion


def learning_rate(step: int, *, steps: int, peak: float) -> float:
    """Return the rate of a step: a short straight rise, then half a cosine down to 0."""
    warm_up = max(1, steps // 20)
    return peak * min((step + 1) / warm_up, 0.5 + 0.5 * math.cos(math.pi * step / steps))


@dataclass
class Position:
    """Where the training is, and what the epoch's line will say."""

    epoch: int = 1
    step: int = 0  # of all epochs
    batches: int = 0  # of this epoch, like the rest
    losses: float = 0.0
    seconds: float = 0.0
    waited: float = 0.0


# model, optimizer, scaler, loader: what has a state_dict and a load_state_dict
Parts = dict[str, Any]


def save(path: Path, parts: Parts, here: Position) -> None:
    """Write a checkpoint on rank 0, whole or not at all; the loader's state is all ranks' state."""
    if rank_and_world()[0] == 0:
        states = {name: part.state_dict() for name, part in parts.items()}
        torch.save({**states, "position": asdict(here)}, path.with_suffix(".tmp"))
        os.replace(path.with_suffix(".tmp"), path)


def resume(path: Path, parts: Parts, *, device: torch.device) -> Position:
    """Put all parts back to where a checkpoint was written."""
    if not path.is_file():
        sys.exit(f"{path}: no checkpoint to resume from")
    states = torch.load(path, map_location=device, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(states[name])
    return Position(**states["position"])


def progress_bar() -> Progress:
    """Return a bar on rank 0 of a terminal, and elsewhere one that shows nothing."""
    text = "loss {task.fields[loss]:.3f}  waited {task.fields[waited]:.1f} ms for data"
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(text)
    shown = rank_and_world()[0] == 0 and sys.stdout.isatty()
    return Progress(*columns, transient=True, disable=not shown)


def train_epoch(
    model: nn.Module, parts: Parts, here: Position, options: argparse.Namespace, config: Config
) -> None:
    """Train to the end of the epoch, and note in `here` how it goes."""
    loader, optimizer, scaler = parts["loader"], parts["optimizer"], parts["scaler"]
    kind, steps = loader.device.type, options.epochs * len(loader)
    # steps as this number of ranks takes them: a resumed run may have begun with another
    delivered = loader.state_dict()["delivered"] * config.sampling.crops
    done = -(-delivered // (config.loader.batch_size * rank_and_world()[1]))
    scheduled = (here.epoch - 1) * len(loader) + done
    half = torch.float16 if kind == "cuda" else torch.bfloat16
    model.train()
    with progress_bar() as bar:
        task = bar.add_task(f"epoch {here.epoch}", total=len(loader), loss=math.nan, waited=0.0)
        mark = time.perf_counter()
        for images, labels in loader:
            waited = time.perf_counter() - mark
            # dropout by (seed, step, rank) alone: the same after a resume
            torch.manual_seed(hash((config.loader.seed, here.step, *rank_and_world())))
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(scheduled, steps=steps, peak=options.lr)
            with torch.autocast(kind, half, enabled=options.amp):
                scores = model(images)
            loss, over_all = pixel_loss(scores, labels, ignored=config.labels.ignore_index)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            scheduled += 1
            here.step += 1
            here.batches += 1
            here.losses += over_all
            here.waited += waited
            if kind == "cuda":
                torch.cuda.synchronize()  # so that the clock counts the GPU's work as ours
            here.seconds += time.perf_counter() - mark
            bar.update(task, completed=here.batches, loss=over_all, waited=1000 * waited)
            mark = time.perf_counter()
            if options.save_every and here.step % options.save_every == 0:
                save(options.out / "checkpoint.pt", parts, here)


@torch.no_grad()
def draw(model: nn.Module, loader: Loader, config: Config, path: Path) -> None:
    """Write some pictures of a split, each as image | label | prediction, with a legend."""
    model.eval()
    images, labels = (part[:6] for part in next(iter(loader)))
    maps, ignored = [labels, model(images).argmax(1)], config.labels.ignore_index
    look = {"normalize": config.normalize, "spec": loader.spec, "ignore_index": ignored}
    look["headings"] = ("image", "truth", "prediction")
    sheet = contact_sheet(images, maps, **look)
    sheet.save(path)


def train(options: argparse.Namespace, config: Config) -> None:
    """Train on the train split, score the val split after each epoch, and draw at the end."""
    rank, world = rank_and_world()
    if config.augment.validation != "center" or config.labels.one_hot or config.labels.masks:
        sys.exit("expected augment.validation: center, and labels as class indices")
    if config.labels.dtype != "int64" or config.normalize.dtype != "float32":
        sys.exit("expected labels.dtype: int64 and normalize.dtype: float32; see --amp")
    held_out = options.val_split
    with build_loader(config) as loader, build_loader(config, split=held_out) as val:
        torch.manual_seed(config.loader.seed)
        classes = len(loader.spec.classes)
        model = build_network(options.model, classes=classes, pretrained=options.pretrained)
        model.to(loader.device)
        optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr)
        scaled = options.amp and loader.device.type == "cuda"
        scaler = torch.amp.GradScaler(loader.device.type, enabled=scaled)
        parts = {"model": model, "optimizer": optimizer, "scaler": scaler, "loader": loader}
        path = options.out / "checkpoint.pt"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            sys.exit(f"{e.filename}: {e.strerror}; --out names another folder")
        here = resume(path, parts, device=loader.device) if options.resume else Position()
        shared = nn.parallel.DistributedDataParallel(model) if world > 1 else model
        if here.epoch > options.epochs and rank == 0:
            print(f"{path}: all {options.epochs} epochs are done; more by --epochs")
        while here.epoch <= options.epochs:
            train_epoch(shared, parts, here, options, config)
            ignored = config.labels.ignore_index
            confusion = evaluate(shared, val, ignored=ignored, rank=rank, world=world)
            miou = mean_iou(sum_over_ranks(confusion))
            if rank == 0:
                share = here.waited / here.seconds
                times = f"{here.seconds:.1f} s, {share:.0%} of it waiting for data"
                loss = here.losses / here.batches
                print(
                    f"epoch {here.epoch:2}  loss {loss:.3f}  mIoU {miou:.3f}  {times}", flush=True
                )
            here = Position(epoch=here.epoch + 1, step=here.step)
            save(path, parts, here)
        if rank == 0:
            draw(model, val, config, options.out / "val.png")


@contextlib.contextmanager
def made_up_data() -> Iterator[str]:
    """Make up a data set on rank 0, tell the others where, and delete it when all are done."""
    scratch: Any = contextlib.nullcontext()
    if rank_and_world()[0] == 0:
        scratch = tempfile.TemporaryDirectory()
    with scratch as folder:
        root = [str(write_voc(folder))] if folder else [""]
        if dist.is_initialized():
            dist.broadcast_object_list(root)  # the others wait here
        yield root[0]
        if dist.is_initialized():
            dist.barrier()


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train a network and print loss and mIoU.")
    parser.add_argument("--root", help="the folder VOC2012; without it, made-up pictures")
    parser.add_argument("--config", help="YAML file such as configs/voc2012.yaml")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--crop", type=int, nargs=2, metavar=("H", "W"))
    parser.add_argument("--batch-size", type=int, help="of each process")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--val-split", default="val", help="such as valid, as Roboflow has it")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--model", default="small", help="small, or torchvision:NAME")
    parser.add_argument("--pretrained", action="store_true", help="torchvision: load a backbone")
    parser.add_argument("--lr", type=float, default=5e-3, help="the highest; AdamW")
    parser.add_argument("--amp", action="store_true", help="mixed precision")
    parser.add_argument("--out", type=Path, default=Path("runs/train"))
    parser.add_argument("--save-every", type=int, help="steps; always after each epoch")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    return parser.parse_args(arguments)


def read_config(options: argparse.Namespace, root: str | None) -> Config:
    """Return the configuration: the file or defaults, then what options say, then --set."""
    keys = {
        "dataset.root": root,
        "augment.crop_size": options.crop,
        "loader.batch_size": options.batch_size,
        "loader.seed": options.seed,
    }
    given = [f"{key}={json.dumps(value)}" for key, value in keys.items() if value is not None]
    if options.config:
        return load_config(options.config, overrides=given + options.set)
    return parse_config(DEFAULTS, overrides=given + options.set)


def main(arguments: list[str] | None = None) -> None:
    """Read the options, join the other processes if there are any, and train."""
    options = parse_options(arguments)
    if "WORLD_SIZE" in os.environ:  # torchrun
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    made_up = not (options.root or options.config or "dataset.root=" in " ".join(options.set))
    try:
        with made_up_data() if made_up else contextlib.nullcontext(options.root) as root:
            train(options, read_config(options, root))
    except DaliVocError as e:
        sys.exit(str(e))
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
