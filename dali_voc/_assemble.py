"""From a pipeline's outputs to what the consumer gets: mixed, blanked, encoded, laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dali_voc._batches import Batch
from dali_voc.config import Config
from dali_voc.mixing import Mixer
from dali_voc.pictures import fill_pictures
from dali_voc.targets import LabelEncoder
from dali_voc.validation import FullBatch, SlideBatch, cut_tiles

__all__ = ["Assembler", "LoaderBatch"]

# (images, labels), or a FullBatch or a SlideBatch
LoaderBatch = tuple[torch.Tensor, ...]


@dataclass(frozen=True, kw_only=True)
class Assembler:
    """Makes the batches that a loader hands out.

    Attributes:
        config: sections `augment`, `labels` and `normalize`, and `loader.on_error` are used.
        whole: whether the pipeline shows whole pictures.
        mixer: mixes training batches.
        encoder: what becomes of class indices.
    """

    config: Config
    whole: bool
    mixer: Mixer | None
    encoder: LabelEncoder | None

    @classmethod
    def from_config(cls, config: Config, classes: tuple[str, ...], *, training: bool) -> Assembler:
        """Take what the configuration says.

        Raises:
            ConfigError: it names a class that the data set does not have.
        """
        mixer = Mixer.from_config(config.augment, classes, ignore_index=config.labels.ignore_index)
        return cls(
            config=config,
            whole=config.augment.shows_whole(training=training),
            mixer=mixer if training else None,
            encoder=LabelEncoder.from_config(config.labels, classes),
        )

    def assemble(self, batch: Batch, outputs: Sequence[torch.Tensor]) -> LoaderBatch:
        """Return the batch; `outputs`, from the pipeline, are changed in place.

        Samples that stand in for others become blank if bad files are to be skipped.
        """
        images, labels = outputs[:2]
        normalize = self.config.normalize
        fill = normalize.mean_color if normalize.dtype == "uint8" else (0.0, 0.0, 0.0)
        if normalize.channels_last:
            images = images.permute(0, 3, 1, 2)
        if normalize.dtype == "bfloat16":
            as_bits = images.dtype == torch.int16
            images = images.view(torch.bfloat16) if as_bits else images.to(torch.bfloat16)
        blank: list[int] = []
        if self.config.loader.on_error == "skip":
            blank = np.flatnonzero(batch.samples != batch.planned).tolist()
        if self.mixer:
            self.mixer.mix(images, labels, batch.mixing, leave=blank)
        for i in blank:
            fill_pictures(images[i], fill)
            labels[i] = self.config.labels.ignore_index
        if self.encoder:
            labels = self.encoder.encode(labels)
        if not self.whole:
            return images, labels
        sizes, stored = (sizes.cpu() for sizes in outputs[2:])
        shown = batch.samples.copy()
        shown[blank] = -1
        samples = torch.from_numpy(shown)
        if self.config.augment.validation != "slide":
            return FullBatch(images, labels, sizes, stored, samples)
        tile = self.config.augment.crop_size
        stride = self.config.augment.stride or (-(-2 * tile[0] // 3), -(-2 * tile[1] // 3))
        tiles, places = cut_tiles(
            images,
            sizes,
            tile=tile,
            stride=stride,
            fill=fill,
            channels_last=normalize.channels_last,
        )
        return SlideBatch(tiles, labels, sizes, stored, places, samples)
