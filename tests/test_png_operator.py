"""`decode_png` and `decode_png_label` as far as they go without a GPU: graphs are defined."""

from __future__ import annotations

import numpy as np
import nvidia.dali.backend
import pytest
from nvidia.dali import Pipeline, fn
from test_kernel_png import TABLES

from dali_voc.ops._plugin import load_plugin
from dali_voc.ops.experimental import decode_png, decode_png_label


def test_operator_is_there_from_cpu_to_gpu() -> None:
    load_plugin()
    assert "dali_voc__DecodePng" in nvidia.dali.backend.RegisteredMixedOps()


def test_results_are_on_the_gpu() -> None:
    with Pipeline(batch_size=2, num_threads=1, device_id=0):
        file, name = fn.external_source(source=lambda: [[np.zeros(1, np.uint8)]] * 2, num_outputs=2)
        whole = decode_png(file, name)
        window = decode_png(file, name, start=np.array([1, 2]), shape=np.array([3, 4]))
        label = decode_png_label(file, name, tables=TABLES, unknown=255, dtype="int64")
    for pictures, reports in whole, window, label:
        assert (pictures.device, reports.device) == ("gpu", "gpu")


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="both start and shape"):
        decode_png(None, None, start=[0, 0])
    with pytest.raises(
        ValueError, match="unknown: found 256, expected a class, 0 to 255 for uint8"
    ):
        decode_png_label(None, None, tables=TABLES, unknown=256)
