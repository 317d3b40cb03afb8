"""A `LightningDataModule` whose runs resume in mid-epoch.

pip install lightning
dali-voc demo    # makes data up, if you have none
python examples/with_lightning.py dali-voc-demo/VOCdevkit/VOC2012 --steps 50
python examples/with_lightning.py dali-voc-demo/VOCdevkit/VOC2012 --steps 100 --resume last.ckpt

Lightning puts the state of a training loader that has `state_dict` and `load_state_dict` into its
checkpoints by itself, so the second run goes on with the very next batch of the first. Samplers it
puts into a `torch.utils.data.DataLoader` only: this loader asks `torch.distributed` for its rank,
and its batches are on the right device already. For two processes: `torchrun --nproc-per-node 2`.
"""

import argparse
import os
from typing import Any

import lightning
import torch
from networks import SmallFcn
from torch.nn import functional

from dali_voc import Config, Loader, build_loader, parse_config


class Segmentation(lightning.LightningDataModule):
    """The splits train and val of a configuration."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.loaders: dict[str, Loader] = {}

    def setup(self, stage: str) -> None:
        """Build the loaders: here every process knows its rank."""
        for split in ("train", "val") if stage == "fit" else ("val",):
            self.loaders.setdefault(split, build_loader(self.config, split=split))

    def train_dataloader(self) -> Loader:
        """Return the loader that Lightning trains from and takes the state of."""
        return self.loaders["train"]

    def val_dataloader(self) -> Loader:
        """Return the loader of the split val."""
        return self.loaders["val"]

    def teardown(self, stage: str) -> None:
        """Stop the loaders' threads."""
        while self.loaders:
            self.loaders.popitem()[1].close()


class Model(lightning.LightningModule):
    """A small network."""

    def __init__(self, *, classes: int) -> None:
        super().__init__()
        self.network = SmallFcn(classes)

    def loss(self, batch: Any) -> torch.Tensor:
        """Return the mean over the pixels that are not void."""
        images, labels = batch
        return functional.cross_entropy(self.network(images), labels, ignore_index=255)

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        """Return the loss to be made smaller."""
        return self.loss(batch)

    def validation_step(self, batch: Any, _: int) -> None:
        """Note the loss of a batch of val."""
        self.log("val_loss", self.loss(batch), batch_size=len(batch[0]), sync_dist=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimizer."""
        return torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)


def main() -> None:
    """Train some steps, and leave a checkpoint."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", help="the folder VOC2012")
    parser.add_argument("--steps", type=int, default=100, help="in all, earlier runs included")
    parser.add_argument("--resume", help="a checkpoint")
    parser.add_argument("--out", default="last.ckpt", help="the checkpoint to write")
    options = parser.parse_args()
    sections = {"augment": {"crop_size": [128, 160]}, "loader": {"batch_size": 2}}
    config = parse_config({"dataset": {"root": options.root}, **sections})
    lightning.seed_everything(0)
    devices = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # of torchrun
    trainer = lightning.Trainer(
        max_steps=options.steps, devices=devices, logger=False, enable_checkpointing=False
    )
    trainer.fit(Model(classes=21), Segmentation(config), ckpt_path=options.resume)
    trainer.save_checkpoint(options.out)
    if trainer.is_global_zero:
        print(f"step {trainer.global_step}: {options.out} is written")


if __name__ == "__main__":
    main()
