"""Tables of figures in README and docs are those of the files in benchmarks/results."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TUNING = {
    "random `scale`": ["scale"],
    "`brightness`, `contrast`, `saturation`, `hue`": ["photometric"],
    "both": ["scale, photometric"],
    "`category_max_ratio: 0.75`": ["category_max_ratio 0.75"],
    "`class_crop: 0.5`": ["class_crop 0.5"],
    "`erase`, half": ["erase, half"],
    "`cutmix`, half": ["cutmix, half"],
    "`classmix`, half; `copy_paste`, half": ["classmix, half", "copy_paste, half"],
    "`jpeg`, half": ["jpeg, half"],
    "`rotate: 10`, half": ["rotate 10, half"],
    "`noise`, half": ["noise, half"],
    "`blur`, half": ["blur, half"],
    "`normalize.channels_last`": ["channels_last"],
    "images and labels as `uint8`": ["images uint8, labels uint8"],
    "images as `float16`; `bfloat16`": ["images float16", "images bfloat16"],
    "`labels.one_hot`, as `uint8`": ["one_hot uint8"],
}
STEPS = {
    "1 thread": ["1 thread"],
    "3 threads": ["3 threads"],
    "`prefetch: 1`; `4`": ["prefetch 1", "prefetch 4"],
    "images as bytes": ["images as bytes"],
    "labels as bytes": ["labels as bytes"],
    "`cache: encoded`": ["cache: encoded"],
}


def result(name: str) -> Any:
    return json.loads((ROOT / "benchmarks/results" / name).read_text())


def table(page: str, *, header: str) -> dict[str, str]:
    """First column of a table to the rest of each row."""
    text = (ROOT / page).read_text()
    [body] = re.findall(rf"^\| {re.escape(header)} \|\n\|[-| ]*\n((?:\|.*\n)+)", text, re.M)
    rows = (line.strip("| ").partition(" | ") for line in body.splitlines())
    return {first: rest for first, _, rest in rows}


def test_speed_in_the_readme() -> None:
    found = set(table("README.md", header="loader | pairs/s | of the bound").values())
    loaders = result("cpu.json")["loaders"]
    known = {f"{r['pairs_per_second']:,.0f} | {r['of_bound']:.2f}" for r in loaders.values()}
    assert len(found) == 9
    assert {row.replace("*", "") for row in found} <= known
    peers = ("dataloader", "spdl", "grain", "opencv", "albumentations", "pillow", "textbook")
    best = max(r["pairs_per_second"] for n, r in loaders.items() if n.startswith((*peers, "dali_")))
    ratio = loaders["loader"]["pairs_per_second"] / best
    assert f"{ratio:.2f} times the best of the others" in (ROOT / "README.md").read_text()


def test_rates_in_tuning() -> None:
    page = (ROOT / "docs/tuning.md").read_text()
    of_crop_only = result("augmentation-speed.json")["of_crop_only"]
    rates = {row: [of_crop_only[name] for name in names] for row, names in TUNING.items()}
    steps = result("steps.json")["steps"]
    rates |= {
        row: [steps[name]["of_last_commit"] for name in names] for row, names in STEPS.items()
    }
    for row, values in rates.items():
        assert f"| {row} | {'; '.join(f'{value:.2f}' for value in values)} |" in page, row
    assert page.count("| setting | rate |") == 2
    batches = {n: r["pairs_per_second"] for n, r in result("scaling.json")["batch_size"].items()}
    assert f"a batch of 16 at {batches['16'] / batches['64']:.2f}" in page


def test_waiting_in_performance() -> None:
    paths = result("training-curves.json")["data"]["VOC 2012"]["paths"]
    ours, workers, none = (path["wait_ms_per_step"] for path in paths.values())
    text = " ".join((ROOT / "docs/performance.md").read_text().split())
    assert f"waits {ours:.1f} ms a step" in text
    assert f"{workers:.0f} ms with the textbook's two workers and {none:.0f} ms with none" in text


def test_first_look_at_a_gpu() -> None:
    rows = result("gpu-first-look.json")["pairs_per_second"]["batch_size"]["256"]
    rates = {name: row["pairs_per_second"] for name, row in rows.items()}
    load = "hw_decoder_load 0.75"
    bound = rates[f"bound, {load}"]
    names = {
        "DALI decodes the JPEGs and does nothing else (the bound)": f"bound, {load}",
        "dali_voc": f"loader, {load}",
        "dali_voc, `prefetch: 4`": f"loader, prefetch 4, {load}",
        "dali_voc, 8 threads": f"loader, 8 threads, {load}",
        "dali_voc, `jpeg_fancy_upsampling`": f"loader, jpeg_fancy_upsampling, {load}",
    }
    expected = {
        title: f"{rates[name]:,} | {rates[name] / bound:.2f}" for title, name in names.items()
    }
    assert table("docs/gpu.md", header="batches of 256 | pairs/s | of the bound") == expected
    page = (ROOT / "docs/gpu.md").read_text()
    loose = "loader, decoder threads not pinned, hw_decoder_load"
    low, middle, high = (f"{rates[f'{loose} {load}']:,}" for load in ("0.65", "0.75", "0.85"))
    assert f"{low}, {middle} and {high} pairs/s" in " ".join(page.split())


def test_kernels_on_a_gpu() -> None:
    kernels = result("gpu-kernels.json")["sections"]["kernels"]["result"]["kernels"]
    expected = {
        name: f"{row['gigabytes_per_second']:,.0f} | {row['of_copy']:.2f}"
        for name, row in kernels.items()
        if name != "copy"
    }
    assert table("docs/gpu.md", header="kernel | GB/s | of a copy") == expected


def test_speed_of_verify() -> None:
    rates = result("verify-speed.json")["pairs_per_second"]
    whole, fast = (f"{rates[kind]['start included']:,}" for kind in ("whole", "fast"))
    text = " ".join((ROOT / "docs/datasets.md").read_text().split())
    assert f"8,000 pairs of VOC at {whole} pairs/s, with `--fast` at {fast}" in text
