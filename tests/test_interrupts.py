"""Ctrl-C: nothing stays behind, nothing is lost, and no thread's start is torn."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from nvidia.dali.pipeline import Pipeline

from dali_voc import Config, build_loader

MakeConfig = Callable[..., Config]
SMALL = {"crop_size": [48, 64]}


def strike() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def pipelines() -> int:
    return sum(type(thing) is Pipeline for thing in gc.get_objects())


def test_whoever_keeps_the_traceback_keeps_no_pipeline(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook does, in a circle that is collected late."""
    kept = []
    with build_loader(make_config(augment=SMALL)) as loader:
        expected = [labels.clone() for _, labels in loader]
        before = pipelines()
        for _ in range(3):
            iterator = iter(loader)
            next(iterator)
            with monkeypatch.context() as patch:
                patch.setattr("dali_voc._prefetch.Prefetcher._wait", interrupt)
                with pytest.raises(KeyboardInterrupt) as error:
                    for _ in iterator:
                        pass
            kept.append(error.value)
        gc.disable()
        try:
            assert pipelines() <= before
        finally:
            gc.enable()
        loader.set_epoch(0)
        for (_, labels), other in zip(loader, expected, strict=True):
            assert (labels == other).all()
    assert all(error.__traceback__ for error in kept)


def test_nor_does_an_interrupt_of_the_building(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    before = pipelines()
    with build_loader(make_config(augment=SMALL)) as loader:
        for _ in range(3):
            with monkeypatch.context() as patch:
                patch.setattr("dali_voc._prefetch.Worker", interrupt)
                with pytest.raises(KeyboardInterrupt) as error:
                    next(iter(loader))
            kept.append(error.value)
        gc.disable()
        try:
            assert pipelines() == before
        finally:
            gc.enable()
        assert len(list(loader)) == len(loader)


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def interrupted_while_importing(argument: str, before: str = "") -> tuple[int, str, str]:
    """Run a command in a process of its own; return its exit code and what it said."""
    code = f"""
import os, signal, sys
{before}
from dali_voc import __main__

class Late:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Late())
sys.argv = ["dali-voc", {argument!r}]
__main__.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_command_that_is_interrupted_at_once() -> None:
    """While modules are imported, too."""
    assert interrupted_while_importing("config") == (130, "", "dali-voc: interrupted\n")


def test_an_interrupt_that_is_ignored_stays_ignored() -> None:
    """As of what runs under nohup, also while modules are imported."""
    ignoring = "signal.signal(signal.SIGINT, signal.SIG_IGN)"
    assert interrupted_while_importing("--version", ignoring)[0] == 0
