"""Keys of `dataset.map` of another kind than the labels' pixels: nothing comes of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from PIL import Image

from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._options import LabelKey
from dali_voc.datasets._spread import spread

__all__ = ["warn_of_idle_map_keys"]

_log = logging.getLogger("dali_voc")
_LOOKED_AT = 4


def warn_of_idle_map_keys(
    index: PairIndex, mapping: Mapping[LabelKey, str | None] | None, *, palette: str
) -> None:
    """Warn where a map has values, and labels are read by their colours; or the other way round.

    Args:
        index: of the split; a few of its labels' headers are read.
        mapping: `dataset.map`.
        palette: `labels.palette`.
    """
    values = [key for key in mapping or () if isinstance(key, int)]
    colors = [key for key in mapping or () if isinstance(key, tuple)]
    # with both, each may be for some of the files
    if bool(values) == bool(colors) or not len(index.labeled):
        return
    knows_colors = any(label_map.colors for label_map in index.spec.label_maps())
    palettes_by_color = knows_colors and index.spec.palette_rule(palette) != "index"
    kinds = set()
    longest = 0
    for i in index.labeled[spread(len(index.labeled), most=_LOOKED_AT)].tolist():
        try:
            with index.labels.open(i) as file, Image.open(file, formats=("PNG",)) as label:
                kinds.add({"P": "palette", "RGB": "color", "RGBA": "color"}.get(label.mode, "gray"))
                palette_bytes = label.palette.palette if label.palette else b""  # not decoded
                longest = max(longest, len(palette_bytes) // 3)
        except Exception:  # no PNG; or what is wrong with it is said when it is read
            return
    by_color = {"color": True, "gray": False, "palette": palettes_by_color}
    if any(by_color[kind] == bool(colors) for kind in kinds):
        return
    # numbers without a colour are read as such
    if "palette" in kinds and any(value >= longest for value in values):
        return
    what, of_files, other = (
        ("value", "colours", "index") if values else ("colour", "values", "color")
    )
    _log.warning(
        "dataset.map: %r is a %s, and labels such as %s are read by their %s: nothing comes of it; "
        "expected %s or names of classes%s",
        (values or colors)[0],
        what,
        index.labels[int(index.labeled[0])],
        of_files,
        of_files,
        f", or labels.palette: {other}" if kinds == {"palette"} else "",
    )
