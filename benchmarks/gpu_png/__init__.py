"""PNG decoded by nvCOMP and our kernels on a GPU, against our CPU decoder and a copy to the GPU."""

from benchmarks.gpu_png.comparison import KINDS, measure

__all__ = ["KINDS", "measure"]
