"""Data sets that have to be fetched by hand: what, and where to put it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

__all__ = ["BY_HAND", "ByHand"]


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """What to fetch.

    Attributes:
        title: what the data set is called.
        needs: why this is not done for you.
        files: names of archives or their addresses, and what to do with them.
        folder: name of the folder that `dataset.root` names.
        makes_folder: whether that folder comes out of the archive.
        layout: paths below that folder, when all is done.
    """

    title: str
    needs: str
    files: tuple[str, ...]
    folder: str
    layout: tuple[str, ...]
    makes_folder: bool = False

    def place(self, root: Path) -> Path:
        """Return the folder of the data, which `root` itself may be."""
        root = root.expanduser().absolute()
        return root if root.name == self.folder else root / self.folder

    def is_there(self, root: Path) -> bool:
        """Whether everything of the layout is there, without looking into it."""
        return all((self.place(root) / path).exists() for path in self.layout)


_COCO = "http://images.cocodataset.org"

BY_HAND: Mapping[str, ByHand] = MappingProxyType(
    {
        "cityscapes": ByHand(
            title="Cityscapes",
            needs="an account, at https://www.cityscapes-dataset.com/register",
            files=(
                "leftImg8bit_trainvaltest.zip: unpack it",
                "gtFine_trainvaltest.zip: unpack it into the same folder",
            ),
            folder="cityscapes",
            layout=("leftImg8bit/train", "leftImg8bit/val", "gtFine/train", "gtFine/val"),
        ),
        "ade20k": ByHand(
            title="ADE20K (ADEChallengeData2016, the benchmark of 150 classes)",
            needs="that you accept its terms of use, at https://groups.csail.mit.edu/vision/"
            "datasets/ADE20K; the full set needs an account there, and is not read",
            files=(
                "http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip: unpack it",
            ),
            folder="ADEChallengeData2016",
            makes_folder=True,
            layout=(
                *("images/training", "images/validation"),
                *("annotations/training", "annotations/validation"),
            ),
        ),
        "coco_stuff": ByHand(
            title="COCO-Stuff",
            needs="no account, but 20 GB in three archives; see https://cocodataset.org/#download",
            files=(
                f"{_COCO}/zips/train2017.zip and val2017.zip: unpack them into images",
                "http://calvin.inf.ed.ac.uk/wp-content/uploads/data/cocostuffdataset/"
                "stuffthingmaps_trainval2017.zip: unpack it into stuffthingmaps",
            ),
            folder="coco",
            layout=(
                *("images/train2017", "images/val2017"),
                *("stuffthingmaps/train2017", "stuffthingmaps/val2017"),
            ),
        ),
        "coco_panoptic": ByHand(
            title="COCO panoptic",
            needs="no account, but 20 GB in three archives; see https://cocodataset.org/#download",
            files=(
                f"{_COCO}/zips/train2017.zip and val2017.zip: unpack them",
                f"{_COCO}/annotations/panoptic_annotations_trainval2017.zip: unpack it, and then, "
                "in annotations, the two archives that were in it",
            ),
            folder="coco",
            layout=(
                *("train2017", "val2017"),
                *("annotations/panoptic_train2017.json", "annotations/panoptic_train2017"),
                *("annotations/panoptic_val2017.json", "annotations/panoptic_val2017"),
            ),
        ),
        "mapillary": ByHand(
            title="Mapillary Vistas",
            needs="an account, and that you accept its licence, at "
            "https://www.mapillary.com/dataset/vistas",
            files=("the archive of release 2.0, which holds the labels of 1.2, too: unpack it",),
            folder="mapillary",
            layout=(
                *("config_v1.2.json", "training/images", "training/v1.2/labels"),
                *("validation/images", "validation/v1.2/labels"),
            ),
        ),
        "camvid": ByHand(
            title="CamVid",
            needs="an account where the form with folders circulates, at "
            "https://www.kaggle.com/datasets/carlolepelaars/camvid",
            files=("the archive of that page: unpack it",),
            folder="CamVid",
            makes_folder=True,
            layout=(
                *("class_dict.csv", "train", "train_labels", "val", "val_labels"),
                *("test", "test_labels"),
            ),
        ),
    }
)
