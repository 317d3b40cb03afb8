"""Lightning's Trainer saves in mid-epoch and goes on with the very next batch.

In one process, with the data module of examples/with_lightning.py; see also test_examples.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import encoded_voc
import pytest
import torch

from dali_voc import Config
from dali_voc.pictures import denormalize

lightning = pytest.importorskip("lightning")

CROP = {"crop_size": [40, 48]}
# of every trainer
QUIET: dict[str, Any] = {
    "accelerator": "cpu",
    "limit_val_batches": 0,
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}
EXAMPLES = Path(__file__).parents[1] / "examples"


class Recorder(lightning.LightningModule):
    """Trains one number, and notes the samples of every batch."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.config = config
        self.seen: list[list[int]] = []
        self.epochs: list[int] = []

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        images, _labels = batch
        self.seen.append([int(p[0, 0, 0]) for p in denormalize(images, self.config.normalize)])
        self.epochs.append(self.current_epoch)
        return (images.mean() - self.weight) ** 2

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture
def segmentation(monkeypatch: pytest.MonkeyPatch) -> type:
    """The data module of the example."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import with_lightning

    found: type = with_lightning.Segmentation
    return found


def run(
    data: Any, config: Config, folder: Path, *, steps: int, resume: Path | None = None
) -> Recorder:
    model = Recorder(config)
    trainer = lightning.Trainer(
        default_root_dir=folder,
        max_steps=steps,
        enable_checkpointing=False,
        **QUIET,
    )
    trainer.fit(model, datamodule=data(config), ckpt_path=resume)
    trainer.save_checkpoint(folder / f"{steps}.ckpt")
    return model


@pytest.mark.parametrize("stop", [1, 3, 6, 8, 11])
@pytest.mark.filterwarnings("ignore")
def test_resume_in_mid_epoch(
    tmp_path: Path, make_config: Callable[..., Config], segmentation: type, stop: int
) -> None:
    root = encoded_voc.write(tmp_path / "voc", sizes=[(50 + i, 60) for i in range(22)])
    config = make_config(root, augment=CROP, loader={"batch_size": 4})
    whole = run(segmentation, config, tmp_path, steps=17)
    first = run(segmentation, config, tmp_path, steps=stop)
    rest = run(segmentation, config, tmp_path, steps=17, resume=tmp_path / f"{stop}.ckpt")
    assert first.seen == whole.seen[:stop]
    assert rest.seen == whole.seen[stop:]
    assert torch.equal(rest.weight, whole.weight)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_epochs": 3},
        {"max_epochs": 3, "limit_train_batches": 4},
        {"max_steps": 14},
        {"max_epochs": 3, "accumulate_grad_batches": 2},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore")
def test_every_checkpoint_resumes(
    tmp_path: Path,
    make_config: Callable[..., Config],
    segmentation: type,
    limits: dict[str, int],
) -> None:
    """Those of an epoch's end too, which Lightning takes for the beginning of the next."""
    root = encoded_voc.write(tmp_path / "voc", sizes=[(50 + i, 60) for i in range(22)])
    config = make_config(root, augment=CROP, loader={"batch_size": 4})

    def fit(folder: Path, resume: Path | None = None) -> Recorder:
        savers = [
            lightning.pytorch.callbacks.ModelCheckpoint(
                folder, f"{name}-{{step}}", save_top_k=-1, save_last=False, **when
            )
            for name, when in (("step", {"every_n_train_steps": 2}), ("epoch", {}))
        ]
        model = Recorder(config)
        trainer = lightning.Trainer(
            callbacks=savers,
            **limits,
            **QUIET,
        )
        trainer.fit(model, datamodule=segmentation(config), ckpt_path=resume)
        return model

    whole = fit(tmp_path / "whole")
    accumulated = limits.get("accumulate_grad_batches", 1)
    checkpoints = sorted((tmp_path / "whole").glob("*.ckpt"))
    assert {path.name.partition("-")[0] for path in checkpoints} == {"step", "epoch"}
    for path in checkpoints:
        done = accumulated * torch.load(path, weights_only=False)["global_step"]
        rest = fit(tmp_path / "rest", path)
        assert rest.seen == whole.seen[done:], path.name
        # with max_steps Lightning itself takes one batch more for an epoch that had ended
        if "max_steps" not in limits:
            assert rest.epochs == whole.epochs[done:], path.name
        assert torch.equal(rest.weight, whole.weight), path.name
