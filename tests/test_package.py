"""How the parts hang together: imports, the plugin's version, ranks."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from dali_voc import ConfigError, LoaderError, PluginError
from dali_voc._devices import pick_device, pick_hw_decoder_load, pick_prefetch
from dali_voc._ranks import Ranks, find_ranks
from dali_voc.ops import _plugin


def test_dali_is_imported_only_when_a_loader_is_built() -> None:
    """Order, randomness, labels and configuration work where DALI cannot even be imported."""
    code = """
import sys
import dali_voc, dali_voc.order, dali_voc.randomness, dali_voc.labels, dali_voc.reference
import dali_voc.commands, dali_voc.synthetic, dali_voc.pictures
assert not [name for name in sys.modules if name.startswith("nvidia")]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_are_found_without_importing_all_at_once() -> None:
    """A mistake in errors or configuration does not cost a second for PyTorch."""
    code = """
import sys
import dali_voc
from dali_voc import ConfigError, SampleError
assert not {"torch", "numpy", "pydantic"} & {*sys.modules}
assert {*dali_voc.__all__} <= {*dir(dali_voc)}
for name in dali_voc.__all__:
    value = getattr(dali_voc, name)
    assert value.__name__ == name and value.__module__.startswith("dali_voc."), name
assert not hasattr(dali_voc, "build_loaders")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_commands_import_pytorch_when_they_need_it() -> None:
    """Help, a configuration and mistakes in it do not cost seconds for PyTorch."""
    code = """
import sys
import dali_voc.commands, dali_voc.doctoring
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_few_modules_import_dali() -> None:
    package = Path(__file__).parents[1] / "dali_voc"
    importing = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if "csrc" not in path.parts
        for line in path.read_text().splitlines()
        if line.strip().startswith(("import nvidia", "from nvidia"))
    }
    assert importing == {"pipeline", "ops"}


def test_plugin_refuses_another_dali(tmp_path: Path) -> None:
    (tmp_path / "built_for_dali.txt").write_text("2.3.0\n")
    with pytest.raises(PluginError) as error:
        _plugin._check_version(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}/libdali_voc_ops.so was built for DALI 2.3.0, but DALI 2.4.0 is installed; "
        "reinstall dali-voc, or 'pip install nvidia-dali-cuda120==2.3.0'"
    )
    _plugin._check_version(_plugin._folder())


def test_plugin_is_loaded_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait until its operators can be called."""
    began, done = [], []

    def load(library: str) -> None:
        began.append(library)
        time.sleep(0.2)
        done.append(library)

    def use() -> None:
        _plugin.load_plugin()
        seen.append(len(done))

    seen: list[int] = []
    monkeypatch.setattr(_plugin.plugin_manager, "load_library", load)
    _plugin._load_once.cache_clear()
    try:
        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        monkeypatch.undo()
        _plugin._load_once.cache_clear()
        _plugin.load_plugin()
    assert len(began) == 1
    assert seen == [1] * 4


def test_ranks_come_from_the_configuration_then_torch_then_torchrun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert find_ranks() == Ranks(rank=0, world_size=1, local_rank=None)
    for name, value in ("RANK", "3"), ("WORLD_SIZE", "4"), ("LOCAL_RANK", "1"):
        monkeypatch.setenv(name, value)
    assert find_ranks() == Ranks(rank=3, world_size=4, local_rank=1)
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_rank", lambda: 5)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 6)
    assert find_ranks() == Ranks(rank=5, world_size=6, local_rank=1)
    assert find_ranks(rank=0, world_size=2) == Ranks(rank=0, world_size=2, local_rank=1)


def test_ranks_that_make_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="together"):
        find_ranks(rank=1)
    with pytest.raises(ConfigError, match="rank 4 of 4"):
        find_ranks(rank=4, world_size=4)
    for name in "RANK", "WORLD_SIZE", "LOCAL_RANK":
        monkeypatch.setenv(name, "1")
        with pytest.raises(ConfigError, match="names only a part of"):
            find_ranks()
        monkeypatch.delenv(name)
    monkeypatch.setenv("RANK", "x")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="environment variable RANK: found 'x'"):
        find_ranks()


def test_local_rank_picks_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.current_device", lambda: 0)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    assert pick_device("auto", local_rank=3) == torch.device("cuda", 3)
    assert pick_device("cuda") == torch.device("cuda", 0)
    assert pick_device("cpu", local_rank=3) == torch.device("cpu")
    with pytest.raises(LoaderError, match="local rank 4: found 4 GPUs"):
        pick_device("auto", local_rank=4)
    # launchers such as SLURM's show each process its own
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert pick_device("auto", local_rank=3) == torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("load", "device", "capability", "expected"),
    [
        (None, "cuda", (9, 0), 1.0),
        (None, "cuda", (10, 3), 1.0),
        (None, "cuda", (12, 0), None),
        (None, "cuda", (8, 0), None),
        (0.0, "cuda", (9, 0), 0.0),
        (None, "cpu", (9, 0), None),
    ],
)
def test_share_of_the_jpeg_engines(
    load: float | None,
    device: str,
    capability: tuple[int, int],
    expected: float | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: capability)
    assert pick_hw_decoder_load(load, device=torch.device(device)) == expected


@pytest.mark.parametrize(
    ("prefetch", "device", "capability", "expected"),
    [
        ("auto", "cuda", (9, 0), 4),
        ("auto", "cuda", (8, 9), 2),
        ("auto", "cpu", (9, 0), 2),
        (1, "cuda", (9, 0), 1),
    ],
)
def test_batches_ahead(
    prefetch: Any,
    device: str,
    capability: tuple[int, int],
    expected: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: capability)
    assert pick_prefetch(prefetch, device=torch.device(device)) == expected


def test_tasks_of_slurm_that_do_not_know_each_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLURM_NTASKS", "8")  # of a job's own shell, which is alone
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    assert find_ranks() == Ranks()
    assert not caplog.text
    for who, name in (
        ("SLURM", "SLURM_STEP_NUM_TASKS"),
        ("MPI", "OMPI_COMM_WORLD_SIZE"),
        ("MPI", "PMI_SIZE"),
    ):
        with monkeypatch.context() as context:
            context.setenv(name, "8")
            assert find_ranks() == Ranks()
        assert f"{who} runs 8 tasks ({name}), and nothing says which rank this" in caplog.text
        assert len(caplog.records) == 1
        caplog.clear()
    assert find_ranks(rank=1, world_size=8) == Ranks(rank=1, world_size=8)
    assert not caplog.text
