"""examples/own_operator: compiled as its page says, and used by the loader."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_code import run_code

from dali_voc.synthetic import write_voc

SOURCE = Path(__file__).parents[1] / "examples/own_operator"
# in a process of its own, as a plugin stays loaded
SCRIPT = """
import json, sys
import numpy as np
import torch
from nvidia.dali import Pipeline, fn
from dali_voc import build_loader, parse_config

def images(*operators):
    tree = {"dataset": {"root": sys.argv[1]}, "normalize": {"dtype": "uint8"}}
    tree["augment"] = {"crop_size": [64, 64], "operators": list(operators)}
    tree["loader"] = {"device": "cpu", "threads": 2, "batch_size": 3}
    with build_loader(parse_config(tree)) as loader:
        return torch.cat([images for images, _ in loader])

plain, changed = images(), images("posterize:posterize")
values = sorted(changed.unique().tolist())

def fails(dtype="u1", **arguments):
    pipeline = Pipeline(batch_size=1, num_threads=1, device_id=None)
    with pipeline:
        data = fn.external_source(source=lambda: [np.zeros((2, 2), dtype)])
        pipeline.set_outputs(fn.posterize(data, **arguments))
    try:
        pipeline.build()
        pipeline.run()
    except Exception as e:
        return str(e)

print(json.dumps({
    "same": bool((changed == plain // 64 * 64).all()), "values": values,
    "bits": fails(bits=9), "type": fails(dtype="i4"),
}))
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_it_keeps_two_bits_of_each_colour(tmp_path: Path) -> None:
    folder = shutil.copytree(SOURCE, tmp_path / "operator")
    subprocess.run([sys.executable, folder / "build.py"], check=True, timeout=200)
    root = write_voc(tmp_path / "voc", train=6, val=1)
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    done = run_code(SCRIPT, root, warm=True, timeout=200, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["same"]
    assert found["values"] == [0, 64, 128, 192]
    assert "posterize: found bits=9, expected 1 to 8" in found["bits"]
    assert "posterize: expected an input of type uint8" in found["type"]
