"""Fetching data sets: over HTTP with resumption, checked, and unpacked safely."""

from __future__ import annotations

from dali_voc.downloading._by_hand import BY_HAND, ByHand
from dali_voc.downloading._catalogue import ARCHIVES, Archive
from dali_voc.downloading._checksum import Checksum, parse_checksum
from dali_voc.downloading._choose import choose_archive, data_set_name
from dali_voc.downloading._download import Downloaded, download
from dali_voc.downloading._transfer import Patience, Progress

__all__ = [
    "ARCHIVES",
    "BY_HAND",
    "Archive",
    "ByHand",
    "Checksum",
    "Downloaded",
    "Patience",
    "Progress",
    "choose_archive",
    "data_set_name",
    "download",
    "parse_checksum",
]
