"""Does training go alike from our loader and from the textbook's, and how long does each wait?

    python benchmarks/training_curves.py --root ROOT --out FILE.json --plot FILE.png

The small network of `examples/train.py` is trained on made-up data and on ROOT, from the same
initial weights, for the same steps, by: `dali_voc`, `textbook` (`VOCSegDataset` in a DataLoader
with two workers) and, once and in short, only to see the wait, `textbook, no workers`.

- Each run has a process of its own; runs are interleaved, and each seed reverses their order.
- Alike for all: crop, batch size, small pictures and a last batch that is not full are left out,
  no flips, border ignored. Each draws its own order and crops, as one seed differs from another.
- As in the textbook, each epoch is a plain `for` over the DataLoader, which starts new workers.
- A step's wait is the time inside `next`, where a new epoch starts too. The first batch is start-up
  and stands apart, like building the loader: there the textbook reads the split into memory.
- A curve is smoothed by the mean over the last `window` steps: by default an epoch, since 176 of
  ROOT's 240 pairs are as large as the crop, and as many of the made-up ones. See `overlap`.

Nothing else may run meanwhile: two threads on two cores wait long for each other when disturbed.
Exit code 1 if the curves do not overlap, or ours waits a tenth of the textbook's time or more.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from results_file import report

from dali_voc import build_loader, parse_config
from dali_voc.datasets.voc import VOC_BORDER_COLOR
from dali_voc.reference import VOC_CLASSES, VOCSegDataset
from dali_voc.synthetic import write_voc

sys.path.append(str(Path(__file__).parents[1] / "examples"))
from networks import SmallFcn
from train import learning_rate

Batch = tuple[torch.Tensor, torch.Tensor]
Array = npt.NDArray[np.float64]
OURS, THEIRS, ALONE = "dali_voc", "textbook", "textbook, no workers"
WORKERS = {THEIRS: 2, ALONE: 0}


def build(path: str, root: str, options: argparse.Namespace, seed: int) -> Iterable[Batch]:
    """What one `for` over is an epoch."""
    if path == OURS:
        config = {
            "dataset": {"root": root},
            "augment": {"crop_size": options.crop, "flip": 0.0, "small": "drop"},
            "loader": {"batch_size": options.batch_size, "seed": seed, "last_batch": "drop"},
        }
        config["loader"]["device"] = "cpu"
        return build_loader(parse_config(config))
    dataset = VOCSegDataset(True, tuple(options.crop), root)
    # The textbook trains border pixels as background, we ignore them: losses would not compare.
    r, g, b = VOC_BORDER_COLOR
    dataset.colormap2label[(r * 256 + g) * 256 + b] = 255
    return torch.utils.data.DataLoader(
        dataset,
        options.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=WORKERS[path],
        # what a script of its own gets; here it would be spawn, which starts much more slowly
        multiprocessing_context="fork" if WORKERS[path] else None,
    )


def endless(loader: Iterable[Batch]) -> Iterator[Batch]:
    while True:
        epoch = iter(loader)
        try:
            yield from epoch
        finally:
            # workers that are stopped in the middle of a batch abort (PyTorch 2.13)
            for _ in epoch:
                pass


def run(path: str, root: str, options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Train; losses, and milliseconds waited and worked, of each step."""
    torch.manual_seed(seed)
    model = SmallFcn(len(VOC_CLASSES))
    optimizer = torch.optim.AdamW(model.parameters())
    begin = mark = time.perf_counter()
    loader = build(path, root, options, seed)
    built = time.perf_counter() - begin
    losses, waited, worked = [], [], []
    batches = endless(loader)
    for step in range(options.steps):
        mark = time.perf_counter()
        images, labels = next(batches)
        got = time.perf_counter()
        optimizer.param_groups[0]["lr"] = learning_rate(step, steps=options.steps, peak=options.lr)
        loss = torch.nn.functional.cross_entropy(model(images), labels, ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        waited.append(1000 * (got - mark))
        worked.append(1000 * (time.perf_counter() - got))
    batches.close()  # type: ignore[attr-defined]
    return {"losses": losses, "waited": waited, "worked": worked, "built": built}


def smooth(losses: Array, window: int) -> Array:
    """Means over each `window` steps in a row, along the last axis."""
    sums = np.cumsum(np.insert(losses, 0, 0.0, axis=-1), axis=-1)
    return (sums[..., window:] - sums[..., :-window]) / window


def overlap(ours: Array, theirs: Array) -> dict[str, Any]:
    """Compare smoothed curves, [seeds, steps] each.

    A path's band goes from its lowest to its highest seed. Curves overlap if the bands touch at
    80% of the steps or more, and the means of the seeds differ by less than 5% at the end. (Bands
    of three seeds of one and the same thing are disjoint by chance at a tenth of the steps.)
    """
    touching = (ours.min(0) <= theirs.max(0)) & (theirs.min(0) <= ours.max(0))
    ends = ours[:, -1].mean(), theirs[:, -1].mean()
    difference = ends[0] / ends[1] - 1
    share = touching.mean()
    return {
        "share_of_steps_where_bands_touch": round(float(share), 4),
        "difference_of_means_at_the_end": round(float(difference), 4),
        "largest_difference_of_means": round(
            float(np.abs(ours.mean(0) / theirs.mean(0) - 1).max()), 4
        ),
        "met": bool(share >= 0.8 and abs(difference) < 0.05),
    }


def summarise(runs: list[dict[str, Any]], window: int) -> dict[str, Any]:
    """What is kept of the runs of one path, one per seed."""
    curves = smooth(np.array([r["losses"] for r in runs]), window)
    waited = np.array([r["waited"] for r in runs])
    steady = waited[:, 1:]
    shown = np.linspace(0, curves.shape[1] - 1, min(60, curves.shape[1])).round().astype(int)
    return {
        "wait_ms_per_step": round(float(steady.mean()), 3),
        "wait_ms_per_step_by_seed": steady.mean(1).round(3).tolist(),
        "wait_ms_median": round(float(np.median(steady)), 3),
        "wait_ms_highest": round(float(steady.max()), 1),
        "work_ms_per_step": round(float(np.mean([r["worked"][1:] for r in runs])), 1),
        "build_s": [round(r["built"], 2) for r in runs],
        "first_batch_s": (waited[:, 0] / 1000).round(2).tolist(),
        "final_loss_by_seed": curves[:, -1].round(4).tolist(),
        "final_loss": round(float(curves[:, -1].mean()), 4),
        "steps_shown": (shown + window).tolist(),
        "smoothed_losses": curves[:, shown].round(4).tolist(),
    }


def measure(roots: dict[str, str], options: argparse.Namespace) -> dict[str, Any]:
    """All runs, interleaved, and what comes of them for each data set."""
    runs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    spawn = multiprocessing.get_context("spawn")
    # not a Pool: its processes may not have workers of their own
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        for seed in range(options.seeds):
            tasks = [
                (d, p) for d in roots for p in (OURS, THEIRS, ALONE) if seed == 0 or p != ALONE
            ]
            for data, path in tasks[:: -1 if seed % 2 else 1]:
                print(f"seed {seed}, {data}: {path}", file=sys.stderr, flush=True)
                keys = {
                    **vars(options),
                    "steps": min(options.steps, 22 if path == ALONE else 10**9),
                }
                task = pool.submit(run, path, roots[data], argparse.Namespace(**keys), seed)
                runs.setdefault((data, path), []).append(task.result())
    found: dict[str, Any] = {}
    for data in roots:
        paths = {p: summarise(runs[data, p], options.window) for p in (OURS, THEIRS, ALONE)}
        losses = [np.array([r["losses"] for r in runs[data, p]]) for p in (OURS, THEIRS)]
        ratio = paths[OURS]["wait_ms_per_step"] / paths[THEIRS]["wait_ms_per_step"]
        found[data] = {
            "overlap": overlap(*(smooth(values, options.window) for values in losses)),
            "wait": {"ours_to_textbooks": round(ratio, 4), "met": ratio < 0.1},
            "paths": paths,
        }
    return found


def plot(found: dict[str, Any], path: Path) -> None:
    import matplotlib  # noqa: PLC0415

    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    figure, panels = pyplot.subplots(1, len(found), figsize=(5.5 * len(found), 4), squeeze=False)
    for panel, (data, result) in zip(panels[0], found.items(), strict=True):
        for name, color in (OURS, "tab:green"), (THEIRS, "tab:orange"):
            part = result["paths"][name]
            for curve in part["smoothed_losses"]:
                panel.plot(part["steps_shown"], curve, color=color, linewidth=0.7, alpha=0.6)
            mean = np.mean(part["smoothed_losses"], axis=0)
            label = f"{name}: waits {part['wait_ms_per_step']:.2f} ms a step"
            panel.plot(part["steps_shown"], mean, color=color, linewidth=2.2, label=label)
        panel.set(title=data, xlabel="step", ylabel="smoothed loss")
        panel.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", help="the folder VOC2012; without it, made-up data only")
    parser.add_argument("--steps", type=int, default=55)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--window", type=int, default=11)
    parser.add_argument("--crop", type=int, nargs=2, default=[320, 480], metavar=("H", "W"))
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--made-up", type=int, default=308, help="made-up pairs; 4 of 7 are large")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path, help="PNG; needs matplotlib")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        roots = {"made-up": str(write_voc(Path(folder), train=options.made_up, val=1))}
        if options.root:
            roots["VOC 2012"] = options.root
        found = measure(roots, options)
    names = "steps", "seeds", "window", "crop", "batch_size", "lr"
    report({**{name: getattr(options, name) for name in names}, "data": found}, options.out)
    if options.plot:
        plot(found, options.plot)
    bars = [result[bar]["met"] for result in found.values() for bar in ("overlap", "wait")]
    return 0 if all(bars) else 1


if __name__ == "__main__":
    sys.exit(main())
