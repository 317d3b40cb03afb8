"""What docker/ says agrees with the commands, options and files that there are."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from dali_voc.commands import app

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())[
    "services"
]
# the services' working directory holds `configs` and `examples`, as the repository does
pytestmark = pytest.mark.usefixtures("in_the_repository")


@pytest.fixture
def in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def parse(words: list[str]) -> dict[str, Any]:
    """Parse a command line of dali-voc and run nothing. An unknown word is an exception."""
    command: Any = get_command(app)
    for name in words[:1]:
        command = command.commands[name]
    parameters: dict[str, Any] = command.make_context(words[0], list(words[1:])).params
    return parameters


def test_there_are_four_services() -> None:
    assert set(SERVICES) == {"demo", "download", "bench", "train"}


@pytest.mark.parametrize("name", ["demo", "download", "bench"])
def test_services_are_commands(name: str) -> None:
    service = SERVICES[name]
    assert service["command"][0] == name
    assert "entrypoint" not in service
    assert parse(service["command"])


def test_train_is_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import train

    service = SERVICES["train"]
    *before, script = service["entrypoint"]
    assert before == ["tini", "--", "python"]
    assert Path(script).samefile(train.__file__)
    options = train.parse_options(service["command"])
    assert Path(options.config).is_file()


def test_bench_and_train_read_data_on_gpus() -> None:
    assert SERVICES["download"]["volumes"] == ["${DATA:-/data}:/data"]
    for name, service in SERVICES.items():
        if name == "download":  # which writes
            continue
        mounts = [mount for mount in service["volumes"] if isinstance(mount, dict)]
        reserves = "deploy" in service
        assert reserves == ("shm_size" in service) == bool(mounts) == (name != "demo")
        for mount in mounts:
            assert (mount["target"], mount["read_only"]) == ("/data", True)
        if reserves:
            (device,) = service["deploy"]["resources"]["reservations"]["devices"]
            assert device["driver"] == "nvidia"
            assert device["capabilities"] == ["gpu"]


def test_the_default_is_a_command() -> None:
    entry = r'^ENTRYPOINT \["tini", "--", "/opt/dali_voc/entry.sh"\]\nCMD (.*)$'
    for words in re.findall(entry, DOCKERFILE, re.MULTILINE):
        assert Path(parse(json.loads(words))["out"]) == Path("/tmp/dali-voc-demo")
        return
    pytest.fail("docker/Dockerfile: no ENTRYPOINT with CMD")


def test_the_entry_knows_the_commands() -> None:
    text = (ROOT / "docker/entry.sh").read_text()
    (known,) = re.findall(r"^  (\w.*) \| -\* \| \"\"\) ;;$", text, re.MULTILINE)
    command: Any = get_command(app)
    assert known.split(" | ") == sorted(command.commands)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["demo", "--out", "x y"], "dali-voc demo --out x y"),
        (["--version"], "dali-voc --version"),
        ([], "dali-voc"),
        (["demoo"], "dali-voc demoo"),
        (["echo", "a b"], "a b"),
        (["sh", "-c", "echo $0", "-x"], "-x"),
    ],
)
def test_the_entry_runs_programs(tmp_path: Path, words: list[str], said: str) -> None:
    program = tmp_path / "dali-voc"
    program.write_text('#!/bin/sh\necho dali-voc "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    command = ["sh", ROOT / "docker/entry.sh", *words]
    done = subprocess.run(
        command, env={"PATH": path}, capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout == f"{said}\n"


def test_the_page_has_commands_that_there_are() -> None:
    page = (ROOT / "docs/docker.md").read_text().replace("\\\n", " ")
    runs = re.findall(r"^docker run (.*)$", page, re.MULTILINE)
    assert len(runs) > 5
    for run in runs:
        after = shlex.split(run.partition(" dali-voc")[2], comments=True)
        is_command = after and after[0] in get_command(app).commands  # type: ignore[attr-defined]
        if is_command and "--help" not in after:
            parse(after)


def test_what_is_copied_is_there() -> None:
    lines = re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in lines for source in line.split()[:-1]}
    assert "dali_voc" in sources
    assert {source for source in sources if not (ROOT / source).exists()} == set()
