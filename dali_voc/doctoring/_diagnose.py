"""All checks, in the order in which they are told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dali_voc import __version__
from dali_voc._threads import pick_threads
from dali_voc.config import Config, LabelsConfig, parse_config
from dali_voc.doctoring import _gpus, _limits, _packages
from dali_voc.doctoring._batch_lines import check_batch, check_gpu_batch
from dali_voc.doctoring._child import Outcome, run_probe
from dali_voc.doctoring._finding import Finding
from dali_voc.doctoring._plugin_lines import check_nvcomp, check_nvjpeg, check_operators
from dali_voc.doctoring._requirements import check_requirements
from dali_voc.doctoring._storage_lines import check_data, check_storage
from dali_voc.probing._report import describe_error
from dali_voc.synthetic import write_voc

__all__ = ["diagnose"]

_MADE_UP = 16  # pairs
_MEASURING = 0.3  # seconds of making batches
_READING = 2.0  # seconds of reading files
_FILES = 400  # of which that many at most


def diagnose(
    *,
    config: Config | None = None,
    overrides: Sequence[str] = (),
    split: str = "train",
    folder: Path | None = None,
    limit: float = 120.0,
) -> Iterator[Finding]:
    """Yield what each check finds; one that fails, crashes or hangs becomes a finding.

    Args:
        config: whose data and settings to try; None: made-up data and the defaults.
        overrides: of those defaults, as `load_config` takes them.
        split: name of the split.
        folder: whose files are read for the speed of storage; None: the split's, if there is a
            configuration.
        limit: seconds for each part that runs in a child process.

    Raises:
        ConfigError: the overrides are wrong.
    """
    settings = config or parse_config({"dataset": {"root": "made-up"}}, overrides=overrides)
    visit = _Visit(
        settings=settings, has_data=config is not None, split=split, folder=folder, limit=limit
    )
    return visit.findings()


@dataclass(frozen=True, kw_only=True)
class _Visit:
    settings: Config
    has_data: bool
    split: str
    folder: Path | None
    limit: float

    def findings(self) -> Iterator[Finding]:
        with ThreadPoolExecutor(2) as pool:
            driver_later = pool.submit(self._run, "driver")
            plugin_later = pool.submit(self._run, "plugin")
            yield from _guarded("dali_voc", lambda: _packages.describe_ourselves(__version__))
            yield from _guarded("packages", check_requirements)
            yield from self._of_the_system()
            driver, plugin = driver_later.result(), plugin_later.result()
        yield from _guarded(
            "driver", lambda: _gpus.check_driver(driver, has_card=_gpus.has_nvidia_card())
        )
        yield from _guarded("GPU", lambda: _gpus.check_gpus(driver))
        has_gpu = _gpus.has_gpu(driver)
        seen = None
        if has_gpu:
            engines = self._run("jpeg_engines")
            yield from _guarded("JPEG engines", lambda: _gpus.check_jpeg_engines(engines, driver))
            seen = self._run("torch_gpus")
        cuda = driver.facts.get("cuda") if has_gpu else None
        yield from _guarded("PyTorch", lambda: _packages.check_torch(driver_cuda=cuda, gpus=seen))
        yield from _guarded("DALI", lambda: _packages.check_dali(_packages.dali_wheels(), plugin))
        yield from _guarded("operators", lambda: check_operators(plugin))
        read = self._read() if self.has_data else Outcome()
        listed = "pairs" in read.facts
        if self.has_data:
            yield from _guarded("data set", lambda: check_data(read, split=self.split))
        made: list[Outcome] = []
        if plugin.trouble is None:
            gpus = seen.facts.get("gpus", 0) if seen else 0
            yield from self._of_batches(made, gpus=gpus, listed=listed)
        yield from self._of_the_gpus_needs(plugin, made, has_gpu=has_gpu)
        if self.folder:
            read = self._read_folder(self.folder)
        if self.folder or listed:
            rates = [one.facts.get("pairs_per_second", 0.0) for one in made]
            needed, of_split = max(rates, default=0.0) or None, self.folder is None
            yield from _guarded(
                "storage", lambda: check_storage(read, of_split=of_split, needed=needed)
            )

    def _run(self, probe: str, **request: Any) -> Outcome:
        return run_probe(f"dali_voc.probing.{probe}", request, limit=self.limit)

    def _of_the_system(self) -> Iterator[Finding]:
        settings = self.settings
        yield from _guarded("CPU cores", lambda: _limits.check_cores(settings.loader.threads))
        yield from _guarded("memory", lambda: _limits.check_memory(settings))
        yield from _guarded("shared memory", lambda: _limits.check_shared(settings))
        yield from _guarded("open files", _limits.check_open_files)
        yield from _guarded("processes", _limits.check_processes)

    def _read(self) -> Outcome:
        """List the split's files and, if no other folder is asked for, read some of them."""
        return self._run(
            "storage",
            config=self.settings.model_dump(mode="json"),
            split=self.split,
            threads=pick_threads(self.settings.loader.threads),
            seconds=_READING,
            most=0 if self.folder else _FILES,
        )

    def _read_folder(self, folder: Path) -> Outcome:
        return self._run(
            "storage",
            config=None,
            folder=str(folder),
            threads=pick_threads(self.settings.loader.threads),
            seconds=_READING,
            most=_FILES,
        )

    def _of_batches(self, made: list[Outcome], *, gpus: int, listed: bool) -> Iterator[Finding]:
        """Yield what comes of a batch on each device, from made-up data where there are no others.

        Outcomes are added to `made`, the CPU's first.
        """
        where = "" if listed else " of made-up data"
        names = [f"batch on {device}" for device in ("CPU", *(f"GPU {i}" for i in range(gpus)))]
        try:
            with tempfile.TemporaryDirectory(prefix="dali-voc-") as place:
                config = self.settings if listed else self._made_up(Path(place))
                request = {
                    "config": config.model_dump(mode="json"),
                    "split": self.split if listed else "train",
                    "seconds": _MEASURING,
                }
                made.append(self._run("batch", gpu=None, **request))
                yield from _guarded(names[0], lambda: check_batch(names[0], made[0], data=where))
                with ThreadPoolExecutor(max(1, gpus)) as pool:
                    made += pool.map(lambda i: self._run("batch", gpu=i, **request), range(gpus))
        except OSError as e:
            yield Finding.failure(
                names[0],
                f"made-up data cannot be written: {e.strerror or e}",
                advice="set TMPDIR to a folder that can be written to and has 10 MB free",
            )
            return
        for name, one in zip(names[1:], made[1:], strict=True):
            yield from _guarded(name, lambda: check_gpu_batch(name, one, data=where))  # noqa: B023

    def _made_up(self, place: Path) -> Config:
        """Write made-up data, and return the settings with them."""
        root = write_voc(place / "VOC2012", train=_MADE_UP, val=0)
        dataset = parse_config({"dataset": {"root": str(root)}}).dataset
        defaults = {"dataset": dataset, "labels": LabelsConfig()}
        return self.settings.model_copy(update=defaults)

    def _of_the_gpus_needs(
        self, plugin: Outcome, made: Sequence[Outcome], *, has_gpu: bool
    ) -> Iterator[Finding]:
        """Yield what only a GPU needs."""
        on_gpu = made[1].facts if len(made) > 1 else {}
        used, unpinned = on_gpu.get("nvjpeg"), on_gpu.get("pinned_error")
        if "nvjpeg" in plugin.facts:
            yield from _guarded("nvJPEG", lambda: check_nvjpeg(plugin, used=used, has_gpu=has_gpu))
        if "nvcomp" in plugin.facts:
            yield from _guarded("nvCOMP", lambda: check_nvcomp(plugin, has_gpu=has_gpu))
        yield from _guarded(
            "locked memory",
            lambda: _limits.check_locked_memory(has_gpu=has_gpu, pinned_error=unpinned),
        )


def _guarded(name: str, check: Callable[[], Finding | Iterable[Finding]]) -> Iterator[Finding]:
    """Yield what a check finds, or that it failed itself."""
    try:
        found = check()
        yield from (found,) if isinstance(found, Finding) else found
    except Exception as e:  # whatever it is, the other checks go on
        yield Finding.failure(
            name,
            f"the check itself failed: {describe_error(e)}",
            advice="report it, with the output of 'dali-voc doctor --json'",
        )
