"""What every section is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dali_voc.config import Config, parse_config

__all__ = ["REPOSITORY", "TAILS", "Settings"]

REPOSITORY = Path(__file__).parents[2]
TAILS = "dali", "fused"  # of loader.gpu_tail


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is read, where to, and how long it is measured.

    Attributes:
        device: where batches are made; a dry run does the same on the CPU.
        root: folder in VOC's layout; its split "train" is read.
        crop: height and width, pixels.
        seconds: of each measurement.
        rounds: measurements of each contestant.
        batch_sizes: those that are swept.
        batch_size: for what is not swept.
        cached_pairs: length of the data set that is kept in memory; VOC's trainval has 2,913.
        limit: seconds that a section may take.
    """

    device: Literal["cpu", "cuda"]
    root: str
    crop: tuple[int, int] = (320, 480)
    seconds: float = 2.0
    rounds: int = 3
    batch_sizes: tuple[int, ...] = (16, 32, 64, 128, 256)
    batch_size: int = 64
    cached_pairs: int = 2913
    limit: float = 480.0

    @property
    def dry_run(self) -> bool:
        """Whether nothing here says anything about a GPU."""
        return self.device == "cpu"

    def config(
        self, *, batch_size: int | None = None, root: str | None = None, **sections: dict[str, Any]
    ) -> Config:
        """Return a configuration; keywords are sections, over what all share."""
        size = self.batch_size if batch_size is None else batch_size
        tree: dict[str, dict[str, Any]] = {
            "dataset": {"root": root or self.root},
            "augment": {"crop_size": list(self.crop)},
            "loader": {"device": self.device, "batch_size": size},
        }
        for name, keys in sections.items():
            tree[name] = {**tree.get(name, {}), **keys}
        return parse_config(tree)
