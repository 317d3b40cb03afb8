"""All that is asked of a GPU, by one command, without a network.

    python -m benchmarks.gpu --root VOC2012 --out FILE.json --plot FILE.png

Each section runs in a process of its own and is in the file as soon as there is something of it;
one that fails does not stop the others. --dry-run does the same on the CPU, with figures that say
nothing about a GPU.
"""

from __future__ import annotations

import argparse
import datetime
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.data import prepare
from benchmarks.gpu.goals import best_batch_size, judge
from benchmarks.gpu.machine import describe_gpu_machine, read_clocks
from benchmarks.gpu.plot import write_plot
from benchmarks.gpu.report import print_report
from benchmarks.gpu.result_file import ResultError, check_place, open_result, save
from benchmarks.gpu.runner import Outcome, run_apart
from benchmarks.gpu.sections import SECTIONS
from benchmarks.gpu.settings import Settings

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line says; return 1 if a section failed."""
    begin = time.monotonic()
    options = _options(arguments)
    if not options.dry_run and not torch.cuda.is_available():
        sys.exit("PyTorch finds no CUDA GPU; --dry-run does the same on the CPU")
    device = "cpu" if options.dry_run else "cuda"
    with tempfile.TemporaryDirectory(prefix="benchmarks_gpu_") as folder:
        try:
            check_place(options.out, dry_run=options.dry_run)
            root, data = prepare(
                options.root, distinct=options.distinct, epoch=options.epoch, folder=Path(folder)
            )
            facts = {
                "dry_run": options.dry_run,
                "device": device,
                "data": data,
                "crop": options.crop,
                "machine": describe_gpu_machine(device=device),
            }
            result = open_result(options.out, facts)
        except (ResultError, OSError) as e:
            sys.exit(str(e))
        settings = Settings(
            device=device,  # type: ignore[arg-type]
            root=root,
            crop=tuple(options.crop),
            seconds=options.seconds,
            rounds=options.rounds,
            batch_sizes=tuple(sorted(options.batch_sizes)),
            cached_pairs=min(options.epoch, Settings.cached_pairs),
            limit=options.limit,
        )
        for name in SECTIONS:
            if name in options.only:
                late = options.deadline and time.monotonic() - begin > options.deadline
                _one(name, settings, options, result, late=bool(late))
    print_report(result)
    if options.plot:
        write_plot(result, options.plot)
    return int(any(result["sections"][name]["status"] == "failed" for name in options.only))


def _one(
    name: str,
    settings: Settings,
    options: argparse.Namespace,
    result: dict[str, Any],
    *,
    late: bool,
) -> None:
    """Run a section, or leave it out because it is late, and keep what becomes of it."""
    known = {name: outcome.get("result") for name, outcome in result["sections"].items()}
    size = min(settings.batch_sizes, key=lambda n: abs(n - Settings.batch_size))
    settings = replace(settings, batch_size=best_batch_size(known) or size)
    facts = {
        "began": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "seconds_per_measurement": settings.seconds,
        "rounds": settings.rounds,
        "batch_sizes": settings.batch_sizes,
        "batch_size": settings.batch_size,
        "clocks_before": read_clocks(device=settings.device),
    }

    def keep(outcome: Outcome) -> None:
        result["sections"][name] = {**outcome, **facts}
        result["goals"] = judge(result)
        save(options.out, result)

    if late:
        # what an earlier run has found stays
        if name not in result["sections"]:
            keep({"status": "left out", "reason": f"not begun before {options.deadline:g} s"})
        return
    print(f"{name} ...", file=sys.stderr, flush=True)
    keep({"status": "running", "result": {}})
    outcome = run_apart(name, settings, limit=options.limit, note=keep)
    facts["clocks_after"] = read_clocks(device=settings.device)
    keep(outcome)
    why = outcome.get("error") or outcome.get("reason")
    said = f"{outcome['status']} after {outcome['seconds']} s" + (f": {why}" if why else "")
    print(f"{name}: {said}", file=sys.stderr, flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--root", type=Path, help="the folder VOC2012; without it, made-up pairs")
    parser.add_argument(
        "--out", type=Path, required=True, help="the result as JSON; one that is there is added to"
    )
    parser.add_argument("--plot", type=Path, help="and a picture of it as PNG")
    parser.add_argument("--dry-run", action="store_true", help="everything on the CPU")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[16, 32, 64, 128, 256])
    parser.add_argument("--crop", type=int, nargs=2, default=[320, 480], help="height, width")
    parser.add_argument(
        "--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="some of the sections"
    )
    parser.add_argument("--deadline", type=float, help="seconds after which no section begins")
    parser.add_argument(
        "--limit", type=float, default=Settings.limit, help="seconds that one may take"
    )
    parser.add_argument("--distinct", type=int, default=1024, help="pairs that are made up")
    parser.add_argument("--epoch", type=int, default=16384, help="names that they get")
    options = parser.parse_args(arguments)
    for name in "seconds", "rounds", "distinct", "epoch", "limit":
        if getattr(options, name) <= 0:
            parser.error(f"--{name}: expected more than 0")
    if min(options.batch_sizes) < 1 or max(options.batch_sizes) > options.epoch:
        parser.error("--batch-sizes: expected 1 to --epoch")
    return options


if __name__ == "__main__":
    # so that a section's processes end with this one
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    sys.exit(main())
