"""What every timed batch has to be, so that nobody is fast by doing less."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from dali_voc._devices import pick_device
from dali_voc.benchmarking._contenders import Item
from dali_voc.config import Config
from dali_voc.errors import LoaderError
from dali_voc.labels import LabelSpec

__all__ = ["BatchCheck", "count_pairs"]


def count_pairs(item: Item) -> int:
    """Return how many pairs a contender's item stands for."""
    return item if isinstance(item, int) else len(item[0])


@dataclass(frozen=True, kw_only=True)
class BatchCheck:
    """Batches of images and int64 labels.

    Attributes:
        batch_size: pairs in a full batch.
        crop_size: height and width, pixels.
        num_classes: labels are below this,
        ignore_index: or this.
        image_dtype: of images.
        device: where both lie, "cpu" or "cuda".
    """

    batch_size: int
    crop_size: tuple[int, int]
    num_classes: int
    ignore_index: int
    image_dtype: torch.dtype = torch.float32
    device: str = "cpu"

    @classmethod
    def from_config(cls, config: Config, spec: LabelSpec) -> BatchCheck:
        """Take what the configuration says."""
        return cls(
            batch_size=config.loader.batch_size,
            crop_size=config.augment.crop_size,
            num_classes=len(spec.classes),
            ignore_index=config.labels.ignore_index,
            image_dtype=getattr(torch, config.normalize.dtype),
            device=pick_device(config.loader.device).type,
        )

    def form(self, item: Item) -> None:
        """Check shapes, dtypes, device and layout: microseconds, so timed batches have it too.

        Raises:
            LoaderError: says what was found and what was expected.
        """
        n = count_pairs(item)
        if not 1 <= n <= self.batch_size:
            raise LoaderError(f"a batch has {n} pairs, expected 1 to {self.batch_size}")
        if isinstance(item, int):
            return
        expected = (
            ("images", item[0], self.image_dtype, (n, 3, *self.crop_size)),
            ("labels", item[1], torch.int64, (n, *self.crop_size)),
        )
        for what, tensor, dtype, shape in expected:
            if tensor.dtype != dtype or tensor.shape != shape:
                raise LoaderError(
                    f"{what} are {tensor.dtype} {list(tensor.shape)}, expected {dtype} "
                    f"{list(shape)}"
                )
            if tensor.device.type != self.device or not tensor.is_contiguous():
                raise LoaderError(
                    f"{what} are on {tensor.device} with strides {tensor.stride()}, expected "
                    f"contiguous ones on {self.device}"
                )

    def values(self, item: Item) -> None:
        """Check form and every value.

        Raises:
            LoaderError: says what was found and what was expected.
        """
        self.form(item)
        if isinstance(item, int):
            return
        images, labels = item
        if not images.isfinite().all():
            raise LoaderError("images have values that are not finite, expected none")
        allowed = ((labels >= 0) & (labels < self.num_classes)) | (labels == self.ignore_index)
        if not allowed.all():
            raise LoaderError(
                f"labels have the value {int(labels[~allowed][0])}, expected 0 to "
                f"{self.num_classes - 1} or {self.ignore_index}"
            )
