"""GPU kernels on tensors of PyTorch's, outside DALI: for tests and benchmarks.

The launchers are those that the operators use. Nothing here waits for the GPU.
"""

from __future__ import annotations

from dali_voc.ops._kernels._colors import color_to_index
from dali_voc.ops._kernels._images import crop_images
from dali_voc.ops._kernels._labels import crop_labels
from dali_voc.ops._kernels._library import KernelError, ptx_images, use_driver
from dali_voc.ops._kernels._png import PngClasses, Window, decode_png
from dali_voc.ops._kernels._rows import copy_rows

__all__ = [
    "KernelError",
    "PngClasses",
    "Window",
    "color_to_index",
    "copy_rows",
    "crop_images",
    "crop_labels",
    "decode_png",
    "ptx_images",
    "use_driver",
]
