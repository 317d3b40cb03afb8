"""Let a trained network label a split, and where the split has labels, score it.

python examples/predict.py runs/train/checkpoint.pt --set dataset.root=/data/VOCdevkit/VOC2012
python examples/predict.py runs/train/checkpoint.pt --config configs/voc2012.yaml --split test \
    --set dataset.unlabeled=true --set augment.validation=slide

Pictures are shown whole, as `augment.validation` says (full, resize or slide), and predictions have
the size of the files: `OUT/NAME.png`, palette PNG whose numbers are the classes. One picture
is shown at a time, unless `--set loader.validation_batch_size=4` or the like says otherwise.
"""

import argparse
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from networks import build_network
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from train import confusion_matrix, mean_iou

from dali_voc import Config, DaliVocError, build_loader, load_config, parse_config
from dali_voc.datasets import PairIndex
from dali_voc.labels import LabelSpec
from dali_voc.validation import FullBatch, SlideBatch, TileJoiner

TILES = 16  # that the network sees at once

# padding would be seen by a network; and all pictures are wanted
ALONE = ("augment.pad_multiple=1", "loader.validation_batch_size=1")
ALONE += ("loader.validation_last_batch=partial", "loader.rank=0", "loader.world_size=1")


def score_pictures(model: nn.Module, batch: FullBatch | SlideBatch) -> Iterator[Tensor]:
    """Yield the scores of each picture at the size that is shown, [classes, h, w]."""
    if isinstance(batch, SlideBatch):
        joiner = TileJoiner(batch.sizes)
        for images, tiles in zip(batch.images.split(TILES), batch.tiles.split(TILES), strict=True):
            joiner.add(model(images).float(), tiles)
        yield from joiner.finish()
        return
    scores = model(batch.images).float()
    for picture, (height, width) in zip(scores, batch.sizes.tolist(), strict=True):
        yield picture[:, :height, :width]


def write_prediction(path: Path, classes: Tensor, spec: LabelSpec) -> None:
    """Write class indices [height, width] as a palette PNG, or more than 256 classes as 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = classes.cpu().numpy()
    if len(spec.classes) > 256:
        Image.fromarray(values.astype(np.uint16)).save(path)
        return
    picture = Image.fromarray(values.astype(np.uint8))
    picture.putpalette([part for color in spec.display_colors for part in color])
    picture.save(path)


def trained_network(options: argparse.Namespace, *, classes: int) -> nn.Module:
    """Return the network that a checkpoint has the weights of."""
    model = build_network(options.model, classes=classes)
    try:
        weights = torch.load(options.checkpoint, map_location="cpu", weights_only=True)["model"]
    except (OSError, RuntimeError, KeyError, TypeError, pickle.UnpicklingError) as e:
        sys.exit(f"{options.checkpoint}: no checkpoint of examples/train.py ({e})")
    try:
        model.load_state_dict(weights)
    except RuntimeError as e:
        sys.exit(f"{options.checkpoint}: does not fit --model and {classes} classes: {e}")
    return model.eval()


def place_of(sample: int, index: PairIndex, folder: Path, written: set[Path]) -> Path:
    """Return where a prediction goes."""
    path = folder / f"{index.name(sample)}.png"
    if path in written:
        sys.exit(f"{index.images[sample]}: another picture has its name, expected each once")
    written.add(path)
    return path


@torch.no_grad()
def predict(options: argparse.Namespace, config: Config) -> Tensor:
    """Write the prediction of every picture; return the confusion matrix of what has a label."""
    with build_loader(config, split=options.split, training=False) as loader:
        spec, ignored = loader.spec, config.labels.ignore_index
        classes = len(spec.classes)
        model = trained_network(options, classes=classes).to(loader.device)
        written: set[Path] = set()
        confusion = torch.zeros(classes, classes, dtype=torch.int64, device=loader.device)
        for batch in loader:
            pictures = zip(
                batch.samples.tolist(),
                score_pictures(model, batch),
                batch.labels,
                batch.stored_sizes.tolist(),
                strict=True,
            )
            for sample, scores, label, size in pictures:
                if sample < 0:  # a bad file, by loader.on_error: skip
                    continue
                at_size = scores
                if size != list(scores.shape[1:]):
                    at_size = functional.interpolate(scores[None], size, mode="bilinear")[0]
                truth, predicted = label[: size[0], : size[1]], at_size.argmax(0)
                confusion += confusion_matrix(truth, predicted, classes=classes, ignored=ignored)
                path = place_of(sample, loader.index, options.out, written)
                write_prediction(path, predicted, spec)
    return confusion


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write a network's predictions as PNG.")
    parser.add_argument("checkpoint", type=Path, help="of examples/train.py")
    parser.add_argument("--config", help="YAML file such as configs/voc2012.yaml")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--split", default="val")
    parser.add_argument("--model", default="small", help="small, or torchvision:NAME")
    parser.add_argument("--out", type=Path, default=Path("runs/predictions"))
    return parser.parse_args(arguments)


def read_config(options: argparse.Namespace) -> Config:
    """Return the configuration; one picture at a time, unless it says otherwise."""
    given = ["augment.validation=full", *ALONE, *options.set]
    if options.config:
        config = load_config(options.config, overrides=given)
    else:
        config = parse_config({}, overrides=given)
    if config.augment.validation == "center":
        sys.exit("augment.validation: found center, expected full, resize or slide")
    if config.labels.one_hot or config.labels.masks or config.labels.dtype != "int64":
        sys.exit("expected labels as class indices, int64")
    if config.loader.on_error == "replace":
        sys.exit("loader.on_error: found replace, expected raise or skip: each picture once")
    if config.normalize.dtype != "float32":
        sys.exit("expected normalize.dtype: float32")
    if config.augment.validation != "full":  # mIoU is of the files' sizes
        stored = config.augment.model_copy(update={"stored_labels": True})
        return config.model_copy(update={"augment": stored})
    return config


def main(arguments: list[str] | None = None) -> None:
    """Read the options, and predict."""
    options = parse_options(arguments)
    if not options.checkpoint.is_file():
        sys.exit(f"{options.checkpoint}: no checkpoint, expected one of examples/train.py")
    try:
        confusion = predict(options, read_config(options))
    except (DaliVocError, OSError) as e:
        sys.exit(str(e))
    print(f"predictions: {options.out}")
    if confusion.sum() > 0:
        print(f"mIoU {mean_iou(confusion):.3f}")


if __name__ == "__main__":
    main()
