"""The README's Python works as it stands there, with the data's place replaced."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
# what the operator's snippet leaves to the reader
PIPELINE = """
import numpy as np
from nvidia.dali import Pipeline, fn
pipeline = Pipeline(batch_size=1, num_threads=1, device_id=None)
with pipeline:
    rgb = fn.external_source(source=lambda: [np.zeros((4, 5, 3), np.uint8)], layout="HWC")
    {block}
    pipeline.set_outputs(labels)
assert np.array(pipeline.run()[0][0]).tolist() == [[0] * 5] * 4
"""


@pytest.mark.parametrize("block", BLOCKS)
def test_python_block(block: str, voc: Path) -> None:
    code = block.replace("/data/VOCdevkit/VOC2012", str(voc)).replace("(64,", "(4,")
    if "rgb" in code:
        code = PIPELINE.replace("{block}", code.replace("\n", "\n    "))
    subprocess.run([sys.executable, "-c", code], check=True, cwd=README.parent, timeout=120)


def test_there_are_blocks() -> None:
    assert len(BLOCKS) == 3
