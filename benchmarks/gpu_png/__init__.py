"""PNG decoded by nvCOMP and our kernels on a GPU, against our CPU decoder and a copy to the GPU."""

from benchmarks.gpu_png.comparison import DRY_SIZES, SIZES, measure

__all__ = ["DRY_SIZES", "SIZES", "measure"]
