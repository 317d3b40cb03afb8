"""`load_data_voc` of "Dive into Deep Learning", on the fast path.

https://d2l.ai/chapter_computer-vision/semantic-segmentation-and-dataset.html
"""

from __future__ import annotations

import os

from dali_voc._build_loader import build_loader
from dali_voc.config import parse_config
from dali_voc.loader import Loader

__all__ = ["load_data_voc"]


def load_data_voc(
    batch_size: int, crop_size: tuple[int, int], *, root: str | os.PathLike[str]
) -> tuple[Loader, Loader]:
    """Return `(train_iter, test_iter)` over VOC's train and val splits.

    As in the textbook: border pixels and unknown colours count as background (class 0), pictures
    smaller than the crop are dropped, and so is a last batch that is not full. Unlike there, test
    pictures are cropped at the centre instead of at random, so that two evaluations agree, and
    training pictures come in a new order and with new crops in every epoch from one seed.

    Args:
        batch_size: pairs per batch.
        crop_size: height and width, pixels.
        root: the folder `VOC2012`.

    Raises:
        DatasetError: the data cannot be found there, or give no batch.
        ConfigError: a size is not at least 1.
        SampleError: a label's header, which tells its size, cannot be read.
    """
    config = parse_config(
        {
            "dataset": {"name": "voc2012", "root": os.fspath(root)},
            "labels": {"ignore_index": 0, "unknown": "ignore"},
            "augment": {"crop_size": list(crop_size), "flip": 0.0, "small": "drop"},
            "loader": {
                "batch_size": batch_size,
                "last_batch": "drop",
                "validation_last_batch": "drop",
            },
        }
    )
    return build_loader(config, split="train"), build_loader(config, split="val")
