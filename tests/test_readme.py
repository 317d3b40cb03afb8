"""The Python in README and docs works as it stands there, with the data's place replaced."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
]
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
    code = code.replace(f'{voc}"]', f'{voc}", "loader.batch_size=4"]')
    if "rgb" in code:
        code = PIPELINE.replace("{block}", code.replace("\n", "\n    "))
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)


def test_there_are_blocks() -> None:
    assert len(BLOCKS) == 7
