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
    found = table("README.md", header="loader | pairs/s | of decoding alone").values()
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
    rows = result("scaling.json")["batch_size"]
    share = rows["16"]["pairs_per_second"] / rows["64"]["pairs_per_second"]
    assert f"a batch of 16 at {share:.2f} of that" in page


def test_listing_in_datasets() -> None:
    found = [result("listing.json")[layout]["medians"] for layout in ("voc2012", "cityscapes")]
    text = " ".join((ROOT / "docs/datasets.md").read_text().split())
    seconds = [f"{ways['listing']['seconds']:.1f} s" for ways in found]
    memory = [ways["listing"]["peak_mb"] for ways in found]
    assert f"VOC's layout took {seconds[0]}, in Cityscapes' {seconds[1]}" in text
    assert f"up to {memory[0]} and {memory[1]} MB of memory" in text
    index = [ways["index file"]["seconds"] for ways in found]
    assert f"took {index[0]:.2f} and {index[1]:.2f} s" in text


def test_waiting_in_performance() -> None:
    paths = result("training-curves.json")["data"]["VOC 2012"]["paths"]
    ours, workers, none = (path["wait_ms_per_step"] for path in paths.values())
    text = " ".join((ROOT / "docs/performance.md").read_text().split())
    assert f"waits {ours:.1f} ms a step" in text
    assert f"{workers:.0f} ms with the textbook's two workers and {none:.0f} ms with none" in text


def test_large_photographs() -> None:
    found = result("large-photos.json")
    windows = table(
        "docs/performance.md",
        header="photograph, window | DALI's `image_slice` | ours | ours, with restarts",
    )
    ways = ("image_slice, plain", "ours, plain", "ours, restarts")
    assert windows == {
        f"{size}, {part['crop'][0]}x{part['crop'][1]}": " | ".join(
            f"{part['ways'][way]['ms_per_picture']:.2f}" for way in ways
        )
        for size, part in found["windows"].items()
    }
    settings = ("crop 512x512, flip", "and scale 0.5 to 2")
    rates = {
        name: [f"{1000 / found['loader'][s][name]['ms_per_picture']:.0f}" for s in settings]
        for name in found["loader"][settings[0]]
    }
    loader = table("docs/performance.md", header=f"from | {' | '.join(settings)}")
    assert loader == {name: " | ".join(row) for name, row in rates.items()}
    said = f"cuts {rates['loose files'][0]} crops of 512x512 a second, and "
    text = " ".join((ROOT / "README.md").read_text().split())
    assert f"{said}{rates['pack with restarts'][0]} once they are" in text


def test_several_crops() -> None:
    found = result("several-crops.json")["data"]
    crops = ("1", "2", "4", "8", "16")
    assert table("docs/performance.md", header=f"crops of each sample | {' | '.join(crops)}") == {
        name: " | ".join(f"{1000 / rates[n]['ms_per_picture']:,.0f}" for n in crops)
        for name, rates in found.items()
    }


def gpu(section: str) -> Any:
    return result("gpu.json")["sections"][section]["result"]


def test_rates_on_a_gpu() -> None:
    rows = gpu("loader")["batch_size"]["256"]
    names = {
        "DALI decodes the JPEGs and does nothing else (the bound)": "bound",
        "dali_voc, float32": "float32 fused",
        "dali_voc, float32, `gpu_tail: dali`": "float32 dali",
        "dali_voc, float16": "float16 fused",
        "dali_voc, float16, `gpu_tail: dali`": "float16 dali",
    }
    expected = {
        title: f"{rows[name]['pairs_per_second']:,.0f} | {rows[name]['of_bound']:.2f}"
        for title, name in names.items()
    }
    assert table("docs/gpu.md", header="batches of 256 | pairs/s | of the bound") == expected
    peers = gpu("peers")["batch_size"]["64"]
    rates = {row["title"]: row["pairs_per_second"] for row in peers.values()}
    found = table("docs/gpu.md", header="batches of 64, on the GPU | pairs/s")
    assert found == {title: f"{rate:,.0f}" for title, rate in rates.items()}
    ours = rates["dali_voc"]
    best = max(row["pairs_per_second"] for row in peers.values() if row["is_dataloader"])
    textbook = peers["dataloader_float"]["pairs_per_second"]
    cache = gpu("cache")["batch_size"]["256"]["loader"]["pairs_per_second"]
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"{rows['float32 fused']['pairs_per_second']:,.0f} pairs/s, as many as" in readme
    assert f"{cache:,.0f} with `cache: decoded`" in readme
    page = " ".join((ROOT / "docs/gpu.md").read_text().split())
    # by the CPU time of a pair, 16 cores cannot make more
    most = {
        name: 16e3 / row["cpu_ms_per_pair"] for name, row in peers.items() if row["is_dataloader"]
    }
    best_bound, textbook_bound = max(most.values()), most["dataloader_float"]
    assert f"can make {textbook_bound:,.0f} and {best_bound:,.0f} at most" in page
    assert f"{ours / best_bound:.1f} to {ours / best:.1f} times the best `DataLoader`" in readme
    assert f"{ours / textbook_bound:.0f} to {ours / textbook:.0f} times the textbook" in readme
    bound = rows["bound"]["pairs_per_second"]
    assert f"the bound itself is {bound / best_bound:.1f} to {bound / best:.1f} times" in page
    assert f"the loader is {cache / best_bound:.0f} to {cache / best:.0f} times as fast" in page


def test_settings_on_a_gpu() -> None:
    page = " ".join((ROOT / "docs/gpu.md").read_text().split())
    swept = {
        "hw_decoder_load": ("0.0", "0.5", "0.75", "0.85", "1.0"),
        "threads": ("4", "8", "16"),
        "prefetch": ("1", "2", "4", "8"),
    }
    for key, values in swept.items():
        *rates, last = (f"{gpu('sweeps')[key][v]['pairs_per_second']:,.0f}" for v in values)
        assert f"{', '.join(rates)} and {last}" in page, key
    step = gpu("training")["deeplabv3_resnet50"]
    assert f"{1000 * step['seconds_per_step']['loader']:.1f} ms with our loader" in page
    assert f"{100 * step['waiting_share_by_steps']:.1f} % longer" in page
    cache = {
        size: {name: row["pairs_per_second"] for name, row in rows.items()}
        for size, rows in gpu("cache")["batch_size"].items()
    }
    tuning = " ".join((ROOT / "docs/tuning.md").read_text().split())
    large = cache["256"]
    assert f"{large['loader'] / large['loader, prefetch 2']:.2f} times the rate of 2" in tuning
    assert f"`cache: decoded` {large['loader'] / cache['64']['loader']:.2f} times" in tuning
    name = "float32 fused"
    sizes = [gpu("loader")["batch_size"][n][name]["pairs_per_second"] for n in ("256", "64")]
    assert f"256 made {sizes[0] / sizes[1]:.2f} times the rate of 64" in tuning


def test_kernels_on_a_gpu() -> None:
    expected = {
        name: f"{row['gigabytes_per_second']:,.0f} | {row['of_copy']:.2f}"
        for name, row in gpu("kernels")["kernels"].items()
        if name != "copy"
    }
    assert table("docs/gpu.md", header="kernel | GB/s | of a copy") == expected


def test_speed_of_verify() -> None:
    rates = result("verify-speed.json")["pairs_per_second"]
    whole, fast = (f"{rates[kind]['start included']:,}" for kind in ("whole", "fast"))
    text = " ".join((ROOT / "docs/datasets.md").read_text().split())
    assert f"8,000 pairs of VOC at {whole} pairs/s, with `--fast` at {fast}" in text
