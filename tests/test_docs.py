"""Every code block in README and docs works as it stands there, with the data's place replaced.

Python and commands are run, YAML is read as a configuration; a block that begins with `# FILE` is a
part of that file. What is quoted in troubleshooting.md has a test of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from warm_python import warm_python

from dali_voc import parse_config

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    (page.name, language, block)
    for page in PAGES
    for language, block in re.findall(
        r"^```(\w*)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE
    )
]
DATA = "/data/VOCdevkit/VOC2012"
SHARE = "/mnt/share/photos"
# .ci/run follows the first two; the others need the network, see test_download_*.py
NOT_RUN = ("$(command -v sudo)", "pip install -c", "dali-voc download voc2012", "docker ")
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


def blocks(language: str, *, quoted: bool = False) -> list[str]:
    """All blocks of a language, without or with those that are a part of a file."""
    found = [block for _, name, block in BLOCKS if name == language]
    return [block for block in found if block.startswith("# examples/") == quoted]


def commands() -> list[list[str]]:
    """The lines of each of the shell's blocks, comments removed."""
    whole = [block.replace("\\\n", " ") for block in blocks("bash")]  # lines that go on
    found = [[line.split("  #")[0].strip() for line in b.split("\n")] for b in whole]
    return [[line for line in lines if line] for lines in found]


def run_here() -> list[list[str]]:
    """Those of them that are run, block by block: a line may need the one before."""
    kept = [[line for line in lines if not line.startswith(NOT_RUN)] for lines in commands()]
    return [lines for lines in kept if lines]


@pytest.mark.parametrize("block", blocks("python"))
def test_python(block: str, voc: Path, tmp_path: Path) -> None:
    code = block.replace(DATA, str(voc)).replace("(64,", "(4,")
    code = code.replace("/data/labelme", str(tmp_path))  # where lists are written
    code = (
        code.replace(f'{voc}"', f'{voc}", "loader.batch_size=4"') if "overrides" in code else code
    )
    if "rgb" in code:
        code = PIPELINE.replace("{block}", code.replace("\n", "\n    "))
    subprocess.run([*warm_python(), "-c", code], check=True, cwd=ROOT, timeout=120)


@pytest.mark.parametrize("block", blocks("python", quoted=True))
def test_part_of_a_file(block: str) -> None:
    first, _, rest = block.partition("\n")
    assert rest in (ROOT / first.removeprefix("# ")).read_text()


@pytest.mark.parametrize("block", blocks("yaml"))
def test_yaml(block: str, own_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(own_dataset))
    tree = yaml.safe_load(block)
    assert parse_config({"dataset": {"root": "/data"}, **tree})


def test_toml() -> None:
    [block] = blocks("toml")
    assert block in (ROOT / "examples/own_dataset/pyproject.toml").read_text()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, voc: Path) -> Path:
    """What the commands need of a clone, and data in it."""
    folder = tmp_path_factory.mktemp("clone")
    for name in "configs", "examples":
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(voc, folder / DATA[1:])
    shutil.copytree(voc / "JPEGImages", folder / SHARE[1:])
    label = next((voc / "SegmentationClass").iterdir())
    cells = {
        "pixel_values": [(voc / f"JPEGImages/{label.stem}.jpg").read_bytes()],
        "label": [label.read_bytes()],
    }
    pq.write_table(pa.table(cells), folder / "train-0.parquet")
    polygons = folder / "data/mine/annotations/instances_train.json"
    polygons.parent.mkdir(parents=True)
    polygons.write_text('{"images": [], "categories": [], "annotations": []}')
    return folder


@pytest.mark.parametrize("lines", run_here(), ids=lambda lines: lines[0][:40])
def test_commands(lines: list[str], clone: Path) -> None:
    python = shlex.join(warm_python())
    # before what a line itself puts there
    path = os.pathsep.join(filter(None, [str(clone), os.environ.get("PYTHONPATH")]))
    for command in lines:
        line = command.replace("CONFIG", f"configs/voc2012.yaml --set dataset.root={DATA}")
        line = line.replace("/data/", f"{clone}/data/").replace(SHARE, f"{clone}{SHARE}")
        line = re.sub(r"(?<![\w/.-])dali-voc ", f"{python} -m dali_voc ", line)
        line = re.sub(r"^python ", f"{python} ", line)
        line = line.replace("PYTHONPATH=", f"PYTHONPATH={path}:")
        subprocess.run(["bash", "-c", line], check=True, cwd=clone, timeout=120)


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    assert {language for _, language, _ in BLOCKS} == {"bash", "python", "text", "toml", "yaml"}
    for prefix in NOT_RUN:
        assert any(line.startswith(prefix) for lines in commands() for line in lines)


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "benchmarks/README.md"], ids=lambda p: p.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_every_page_is_linked_from_the_readme() -> None:
    readme = PAGES[0].read_text()
    for page in PAGES[1:]:
        assert f"(docs/{page.name}" in readme, page.name


def test_rooms_are_those_of_the_tree() -> None:
    table = re.findall(r"^\| (`.*?`) \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    rooms: set[Path] = set()
    for row in table:
        names = re.findall(r"`(.*?)`", row)
        folder = Path(names[0]).parent
        for name in names:
            room = Path(name) if "/" in name else folder / name
            assert (ROOT / room).exists(), room
            rooms.add(room)
    package = Path("dali_voc")
    there = {package / path.name for path in (ROOT / package).iterdir()}
    there = {path for path in there if path.suffix in ("", ".py") and path.stem[:2] != "__"}
    assert there == {room for room in rooms if room.parent == package}
