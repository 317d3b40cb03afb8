"""The files in `configs`, and the examples in docs/datasets.md and label-formats.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from dali_voc import load_config, parse_config
from dali_voc.datasets import DATASETS
from dali_voc.datasets._own_classes import own_classes
from dali_voc.datasets._remap import remap
from dali_voc.datasets.cityscapes import CITYSCAPES_SPEC
from dali_voc.datasets.voc import VOC_SPEC

ROOT = Path(__file__).parents[1]
DOCS = "".join((ROOT / f"docs/{name}.md").read_text() for name in ("datasets", "label-formats"))


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.stem)
def test_files_are_named_as_their_data_sets(path: Path) -> None:
    config = load_config(path)
    assert config.dataset.name == path.stem
    options = config.dataset.options
    DATASETS[path.stem].check(path.stem, options)
    assert f"| `{path.stem}` |" in DOCS


def test_examples_fit_their_classes() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert blocks
    for block in blocks:
        dataset = parse_config(yaml.safe_load(block)).dataset
        options = dataset.options
        if dataset.name in ("voc_layout", "folder"):
            own_classes(dataset.name, options)
        elif dataset.name == "cityscapes":
            remap(CITYSCAPES_SPEC, classes=options.classes, mapping=options.map)
        elif dataset.name == "sources":
            for source in options.sources:
                spec = CITYSCAPES_SPEC if source.name == "cityscapes" else VOC_SPEC
                remap(spec, classes=options.classes, mapping=source.options.map)
