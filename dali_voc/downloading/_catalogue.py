"""Archives with a public address.

Addresses and MD5 are those of torchvision's `voc.py` and `sbd.py`. Sizes are given where they are
known for sure; SBD's is from https://github.com/pytorch/vision/issues/8471.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dali_voc.downloading._checksum import Checksum

__all__ = ["ARCHIVES", "SBD", "Archive"]

_VOC = "http://host.robots.ox.ac.uk/pascal/VOC"
SBD = "voc2012_aug"


@dataclass(frozen=True, kw_only=True)
class Archive:
    """An archive and where it is.

    Attributes:
        url: http, https or file address.
        size: bytes, or None where that is not known.
        checksum: what it must hash to, or None where that is not known.
    """

    url: str
    size: int | None = None
    checksum: Checksum | None = None


def _voc(year: int, name: str, md5: str, size: int | None = None) -> Archive:
    return Archive(
        url=f"{_VOC}/voc{year}/{name}", size=size, checksum=Checksum(algorithm="md5", digits=md5)
    )


ARCHIVES: Mapping[str, Archive] = MappingProxyType(
    {
        "voc2007": _voc(2007, "VOCtrainval_06-Nov-2007.tar", "c52e279531787c972589f7e41ab4ae64"),
        "voc2008": _voc(2008, "VOCtrainval_14-Jul-2008.tar", "2629fa636546599198acfcfbfcf1904a"),
        "voc2009": _voc(2009, "VOCtrainval_11-May-2009.tar", "a3e00b113cfcfebf17e343f59da3caa1"),
        "voc2010": _voc(2010, "VOCtrainval_03-May-2010.tar", "da459979d0c395079b5c75ee67908abb"),
        "voc2011": _voc(2011, "VOCtrainval_25-May-2011.tar", "6c3384ef61512963050cb5d687e5bf1e"),
        "voc2012": _voc(
            2012, "VOCtrainval_11-May-2012.tar", "6cd6e144f989b92b3379bac3b3de84fd", 1_999_639_040
        ),
        SBD: Archive(
            url="https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/"
            "semantic_contours/benchmark.tgz",
            size=1_419_539_633,
            checksum=Checksum(algorithm="md5", digits="82b4d87ceb2ed10f6038a1cba92111cb"),
        ),
    }
)
