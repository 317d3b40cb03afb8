"""The networks that `train.py` can train."""

import itertools
import sys

from torch import Tensor, nn
from torch.nn import functional


class SmallFcn(nn.Module):
    """Scores the classes at 1/2, 1/4, 1/8 and 1/16 of the picture's size and adds the scores up."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 128)
        # GroupNorm: unlike with BatchNorm, a picture's scores do not depend on its batch's others
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(8, after), nn.ReLU())
            for before, after in itertools.pairwise(widths)
        )
        self.scores = nn.ModuleList(nn.Conv2d(width, classes, 1) for width in widths[1:])

    def forward(self, images: Tensor) -> Tensor:
        """Return [n, classes, height, width] for images [n, 3, height, width]."""
        features, scores = images, []
        for stage, score in zip(self.stages, self.scores, strict=True):
            features = stage(features)
            scores.append(score(features))
        total = scores.pop()
        for finer in reversed(scores):
            total = finer + functional.interpolate(total, finer.shape[2:], mode="bilinear")
        return functional.interpolate(total, images.shape[2:], mode="bilinear")


class OnlyOut(nn.Module):
    """A network of torchvision, which returns a dictionary, as one that returns scores."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return [n, classes, height, width] for images [n, 3, height, width]."""
        scores: Tensor = self.network(images)["out"]
        return scores


def build_network(name: str, *, classes: int, pretrained: bool = False) -> nn.Module:
    """Return the network called "small" or "torchvision:NAME"."""
    family, _, builder = name.partition(":")
    if name == "small":
        return SmallFcn(classes)
    if family != "torchvision":
        sys.exit(f"--model {name}: expected small or torchvision:NAME")
    try:
        from torchvision.models import segmentation  # noqa: PLC0415
    except ImportError:
        sys.exit(f"--model {name}: needs torchvision, which is not installed")
    if not hasattr(segmentation, builder):
        sys.exit(f"--model {name}: torchvision.models.segmentation has no {builder!r}")
    backbone = "DEFAULT" if pretrained else None
    build = getattr(segmentation, builder)
    return OnlyOut(build(weights=None, weights_backbone=backbone, num_classes=classes))
