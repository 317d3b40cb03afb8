"""ADE20K as in its benchmark of 150 classes: `images/SPLIT/*.jpg`, `annotations/SPLIT/*.png`.

This is `ADEChallengeData2016`. Label files hold 1 to 150 for the classes and 0 for everything else.
Names are one each of those in `objectInfo150.txt`, and colours the usual ones: for display only, as
road and skyscraper share theirs.

http://sceneparsing.csail.mit.edu
"""

from __future__ import annotations

from pathlib import Path

from dali_voc.datasets._by_stem import Side, find_by_stem, split_folder
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._layout import check_root
from dali_voc.datasets._options import DatasetOptions, choose_labels
from dali_voc.datasets._tables import colors_of, names_of
from dali_voc.labels import LabelMap, LabelSpec

__all__ = ["ADE20K_SPEC", "ADE20K_SPEC_WITH_OTHER", "KINDS", "find_pairs"]

KINDS = ("reduce_zero_label", "keep_zero_label")
_ALSO = {"train": "training", "val": "validation"}

_CLASSES = names_of("""
wall, building, sky, floor, tree, ceiling, road, bed, windowpane, grass, cabinet, sidewalk,
person, earth, door, table, mountain, plant, curtain, chair, car, water, painting, sofa, shelf,
house, sea, mirror, rug, field, armchair, seat, fence, desk, rock, wardrobe, lamp, bathtub,
railing, cushion, base, box, column, signboard, chest of drawers, counter, sand, sink, skyscraper,
fireplace, refrigerator, grandstand, path, stairs, runway, case, pool table, pillow, screen door,
stairway, river, bridge, bookcase, blind, coffee table, toilet, flower, book, hill, bench,
countertop, stove, palm, kitchen island, computer, swivel chair, boat, bar, arcade machine, hovel,
bus, towel, light, truck, tower, chandelier, awning, streetlight, booth, television receiver,
airplane, dirt track, apparel, pole, land, bannister, escalator, ottoman, bottle, buffet, poster,
stage, van, ship, fountain, conveyer belt, canopy, washer, plaything, swimming pool, stool,
barrel, basket, waterfall, tent, bag, minibike, cradle, oven, ball, food, step, tank, trade name,
microwave, pot, animal, bicycle, lake, dishwasher, screen, blanket, sculpture, hood, sconce, vase,
traffic light, tray, ashcan, fan, pier, crt screen, plate, monitor, bulletin board, shower,
radiator, glass, clock, flag
""")

_COLORS = colors_of("""
787878 b47878 06e6e6 503232 04c803 787850 8c8c8c cc05ff e6e6e6 04fa07 e005ff ebff07 96053d 787846
08ff33 ff0652 8fff8c ccff04 ff3307 cc4603 0066c8 3de6fa ff0633 0b66ff ff0747 ff09e0 0907e6 dcdcdc
ff095c 7009ff 08ffd6 07ffe0 ffb806 0aff47 ff290a 07ffff e0ff08 6608ff ff3d06 ffc207 ff7a08 00ff14
ff0829 ff0599 0633ff eb0cff a09614 00a3ff 8c8c8c fa0a0f 14ff00 1fff00 ff1f00 ffe000 99ff00 0000ff
ff4700 00ebff 00adff 1f00ff 0bc8c8 ff5200 00fff5 003dff 00ff70 00ff85 ff0000 ffa300 ff6600 c2ff00
008fff 33ff00 0052ff 00ff29 00ffad 0a00ff adff00 00ff99 ff5c00 ff00ff ff00f5 ff0066 ffad00 ff0014
ffb8b8 001fff 00ff3d 0047ff ff00cc 00ffc2 00ff52 000aff 0070ff 3300ff 00c2ff 007aff 00ffa3 ff9900
00ff0a ff7000 8fff00 5200ff a3ff00 ffeb00 08b8aa 8500ff 00ff5c b800ff ff001f 00b8ff 00d6ff ff0070
5cff00 00e0ff 70e0ff 46b8a0 a300ff 9900ff 47ff00 ff00a3 ffcc00 ff008f 00ffeb 85ff00 ff00eb f500ff
ff007a fff500 0abed4 d6ff00 00ccff 1400ff ffff00 0099ff 0029ff 00ffcc 2900ff 29ff00 ad00ff 00f5ff
4700ff 7a00ff 00ffb8 005cff b8ff00 0085ff ffd600 19c2c2 66ff00 5c00ff
""")

ADE20K_SPEC = LabelSpec(
    classes=_CLASSES,
    colors=_COLORS,
    void_colors=((0, 0, 0),),
    maps=(LabelMap(values=((0, None), *((k + 1, k) for k in range(150)))),),
)

ADE20K_SPEC_WITH_OTHER = LabelSpec(
    classes=("other", *_CLASSES),
    colors=((0, 0, 0), *_COLORS),
    maps=(LabelMap(values=tuple((k, k) for k in range(151))),),
)


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, sorted by name.

    Args:
        root: the folder `ADEChallengeData2016`, which holds `images` and `annotations`.
        split: train or val; `training` and `validation`, as the folders are called, mean the same.
        must_exist: check that images and labels have a partner; else it turns out when they are
            read.
        options: `labels` may be `reduce_zero_label`, the default: 0 is void and 1..150 become
            0..149, as mmsegmentation's key of that name does it; or `keep_zero_label`: 0 is a class
            "other", and 1..150 stay, 151 classes in all; `unlabeled`.

    Raises:
        DatasetError: the root or the split is not there, or files have no partner.
    """
    kind = choose_labels(options, KINDS)
    options = options or DatasetOptions()
    folders = ("images",) if options.unlabeled else ("images", "annotations")
    check_root(root, folders, what="ADE20K (ADEChallengeData2016)")
    folder = split_folder(root / "images", split, also=_ALSO)
    images, labels = find_by_stem(
        Side(folder=root / "images" / folder, suffix=".jpg"),
        Side(folder=root / "annotations" / folder, suffix=".png"),
        must_exist=must_exist and not options.unlabeled,
    )
    spec = ADE20K_SPEC if kind == "reduce_zero_label" else ADE20K_SPEC_WITH_OTHER
    return PairIndex(images=images, labels=labels, spec=spec)
