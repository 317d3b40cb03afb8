"""An operator of one's own, in C++, for `augment.operators`; `build.py` compiles it.

PYTHONPATH=examples/own_operator dali-voc demo --set 'augment.operators=[posterize:posterize]'
"""

from pathlib import Path
from typing import Any

from nvidia.dali import fn, plugin_manager

plugin_manager.load_library(str(Path(__file__).parent / "libposterize.so"))


def posterize(image: Any, label: Any) -> tuple[Any, Any]:
    """Leave two bits of each colour."""
    return fn.posterize(image, bits=2), label
