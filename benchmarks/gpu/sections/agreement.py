"""Batches of the device against batches of the CPU: the same samples, crops and flips.

Labels have to be bit-equal. Of images, the difference is given in levels, 0 to 255: of JPEG,
decoders may differ (nvJPEG scales chroma up in another way than libjpeg-turbo does); of lossless
pictures only the last bit of the normalised number may.
"""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.data import write_lossless
from benchmarks.gpu.rounds import in_a_sentence
from benchmarks.gpu.sections._section import Note, SectionError, demand
from benchmarks.gpu.settings import TAILS, Settings
from dali_voc import build_loader

__all__ = ["Differences", "run"]

_BATCH = 16
_BATCHES = 6
_LOSSLESS = 48  # pairs


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """Of images, in levels 0 to 255."""

    mean: float
    percentile_99_9: float
    largest: float


_JPEG = Tolerance(mean=1.5, percentile_99_9=32.0, largest=255.0)
# two neighbouring float16 numbers of a normalised image are up to 0.12 levels apart
_EXACT = {"float32": 1e-3, "float16": 0.13}


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Compare batches of JPEG and of lossless pictures, float32 and float16, with every tail."""
    found: dict[str, Any] = {"compared": f"{settings.device} with cpu", "cases": {}}
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        lossless = write_lossless(Path(folder) / "voc", count=_LOSSLESS)
        for kind, root in ("jpeg", settings.root), ("lossless", lossless):
            for dtype, tail in itertools.product(("float32", "float16"), TAILS):
                name = f"{kind} {dtype} {tail}"
                limit = _EXACT[dtype]
                exact = Tolerance(mean=limit, percentile_99_9=limit, largest=limit)
                tolerance = _JPEG if kind == "jpeg" else exact
                try:
                    case = _compare(settings, root, dtype, tail, tolerance=tolerance)
                except Exception as e:  # of any library: the others are compared all the same
                    case = {"agrees": False, "error": in_a_sentence(e)}
                found["cases"][name] = case
                note(found)
                if not case["agrees"]:
                    wrong.append(name)
    demand(found["cases"])
    if wrong:
        raise SectionError(f"{found['compared']}: no agreement in: {', '.join(wrong)}")
    return found


def _compare(
    settings: Settings, root: str, dtype: str, tail: str, *, tolerance: Tolerance
) -> dict[str, Any]:
    ours, plain = (
        settings.config(
            batch_size=_BATCH,
            root=root,
            normalize={"dtype": dtype},
            loader={"device": device, "gpu_tail": tail},
        )
        for device in (settings.device, "cpu")
    )
    differences = Differences(std=plain.normalize.std)
    with build_loader(ours) as on_device, build_loader(plain) as on_cpu:
        pairs = zip(on_device, on_cpu, strict=True)
        for (images, labels), (images2, labels2) in itertools.islice(pairs, _BATCHES):
            differences.add(images.cpu(), labels.cpu(), images2, labels2)
    return differences.summary(tolerance)


class Differences:
    """Differences of batches, gathered.

    Args:
        std: what images were divided by, of values in 0..1.
    """

    def __init__(self, *, std: tuple[float, float, float]) -> None:
        self._levels = 255 * torch.tensor(std).view(3, 1, 1)
        self._found: list[torch.Tensor] = []
        self._pairs = 0
        self._unequal = 0

    def add(
        self,
        images: torch.Tensor,
        labels: torch.Tensor,
        images2: torch.Tensor,
        labels2: torch.Tensor,
    ) -> None:
        """Take in a batch, twice."""
        if labels.shape != labels2.shape or labels.dtype != labels2.dtype:
            raise SectionError(
                f"labels are {labels.dtype} {list(labels.shape)}, expected {labels2.dtype} "
                f"{list(labels2.shape)}"
            )
        if images.shape != images2.shape or images.dtype != images2.dtype:
            raise SectionError(
                f"images are {images.dtype} {list(images.shape)}, expected {images2.dtype} "
                f"{list(images2.shape)}"
            )
        self._pairs += len(labels)
        self._unequal += int((labels != labels2).sum())
        self._found.append(((images.float() - images2.float()).abs() * self._levels).flatten())

    def summary(self, tolerance: Tolerance) -> dict[str, Any]:
        """Return the figures and whether they are within the tolerance."""
        levels = torch.cat(self._found)
        rank = max(1, int(0.999 * len(levels)))
        mean = float(levels.mean(dtype=torch.float64))
        high, largest = float(levels.kthvalue(rank).values), float(levels.max())
        # so written that NaN is no agreement
        within = (
            mean <= tolerance.mean
            and high <= tolerance.percentile_99_9
            and largest <= tolerance.largest
        )
        return {
            "pairs": self._pairs,
            "label_pixels_unequal": self._unequal,
            "levels": {"mean": mean, "percentile_99_9": high, "largest": largest},
            "tolerance": {
                "mean": tolerance.mean,
                "percentile_99_9": tolerance.percentile_99_9,
                "largest": tolerance.largest,
            },
            "agrees": within and self._unequal == 0,
        }
