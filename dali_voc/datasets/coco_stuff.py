"""COCO-Stuff: `images/SPLIT/*.jpg` of COCO 2017, `stuffthingmaps/SPLIT/*.png`.

Label files hold a number less one: 0 to 181, and 255 where there is no label. Of 182 categories, 11
occur in no picture; the others, 80 of things and 91 of stuff, are the classes, in the order of
their numbers. Colours are VOC's, because those in use elsewhere repeat themselves.

https://github.com/nightrome/cocostuff
"""

from __future__ import annotations

from pathlib import Path

from dali_voc.datasets._by_stem import Side, find_by_stem, split_folder
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._layout import check_root
from dali_voc.datasets._options import DatasetOptions
from dali_voc.datasets._tables import names_of
from dali_voc.labels import LabelMap, LabelSpec, voc_colormap

__all__ = ["COCO_STUFF_SPEC", "find_pairs"]

# Numbers that COCO never used: street sign, hat, shoe, eye glasses, plate, mirror, window, desk,
# door, blender, hair brush.
_UNUSED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)
_ALSO = {"train": "train2017", "val": "val2017"}

_CLASSES = names_of("""
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant,
stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra,
giraffe, backpack, umbrella, handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite,
baseball bat, baseball glove, skateboard, surfboard, tennis racket, bottle, wine glass, cup, fork,
knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut,
cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote, keyboard,
cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear,
hair drier, toothbrush, banner, blanket, branch, bridge, building-other, bush, cabinet, cage,
cardboard, carpet, ceiling-other, ceiling-tile, cloth, clothes, clouds, counter, cupboard,
curtain, desk-stuff, dirt, door-stuff, fence, floor-marble, floor-other, floor-stone, floor-tile,
floor-wood, flower, fog, food-other, fruit, furniture-other, grass, gravel, ground-other, hill,
house, leaves, light, mat, metal, mirror-stuff, moss, mountain, mud, napkin, net, paper, pavement,
pillow, plant-other, plastic, platform, playingfield, railing, railroad, river, road, rock, roof,
rug, salad, sand, sea, shelf, sky-other, skyscraper, snow, solid-other, stairs, stone, straw,
structural-other, table, tent, textile-other, towel, tree, vegetable, wall-brick, wall-concrete,
wall-other, wall-panel, wall-stone, wall-tile, wall-wood, water-other, waterdrops, window-blind,
window-other, wood
""")


def _spec() -> LabelSpec:
    used = (number for number in range(1, 183) if number not in _UNUSED)
    # the first of VOC's colours, black, is what void is painted in
    return LabelSpec(
        classes=_CLASSES,
        colors=voc_colormap(172)[1:],
        void_colors=((0, 0, 0),),
        maps=(LabelMap(values=(*((number - 1, i) for i, number in enumerate(used)), (255, None))),),
    )


COCO_STUFF_SPEC = _spec()


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, sorted by name.

    Args:
        root: the folder that holds `images` and `stuffthingmaps`.
        split: train or val; `train2017` and `val2017`, as the folders are called, mean the same.
        must_exist: check that images and labels have a partner; else it turns out when they are
            read.
        options: `unlabeled`.

    Raises:
        DatasetError: the root or the split is not there, or files have no partner.
    """
    options = options or DatasetOptions()
    folders = ("images",) if options.unlabeled else ("images", "stuffthingmaps")
    check_root(root, folders, what="COCO-Stuff")
    folder = split_folder(root / "images", split, also=_ALSO)
    images, labels = find_by_stem(
        Side(folder=root / "images" / folder, suffix=".jpg"),
        Side(folder=root / "stuffthingmaps" / folder, suffix=".png"),
        must_exist=must_exist and not options.unlabeled,
    )
    return PairIndex(images=images, labels=labels, spec=COCO_STUFF_SPEC)
