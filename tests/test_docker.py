"""What docker/ says agrees with the commands, options and files that there are."""

from __future__ import annotations

import json
import re
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


def test_there_are_three_services() -> None:
    assert set(SERVICES) == {"demo", "bench", "train"}


@pytest.mark.parametrize("name", ["demo", "bench"])
def test_services_are_commands(name: str) -> None:
    service = SERVICES[name]
    assert service["command"][0] == name
    assert "entrypoint" not in service
    assert parse(service["command"])


def test_train_is_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import train

    service = SERVICES["train"]
    python, script = service["entrypoint"]
    assert python == "python"
    assert Path(script).samefile(train.__file__)
    options = train.parse_options(service["command"])
    assert Path(options.config).is_file()


def test_bench_and_train_read_data_on_gpus() -> None:
    for name, service in SERVICES.items():
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
    for words in re.findall(r"^ENTRYPOINT \[\"dali-voc\"\]\nCMD (.*)$", DOCKERFILE, re.MULTILINE):
        assert Path(parse(json.loads(words))["out"]) == Path("/tmp/dali-voc-demo")
        return
    pytest.fail("docker/Dockerfile: no ENTRYPOINT with CMD")


def test_the_health_check_is_a_command() -> None:
    pytest.importorskip("dali_voc.commands.doctor")
    (words,) = re.findall(r"^HEALTHCHECK .*CMD (.*)$", DOCKERFILE, re.MULTILINE)
    program, *rest = json.loads(words)
    assert program == "dali-voc"
    assert parse(rest)["quiet"]


def test_what_is_copied_is_there() -> None:
    lines = re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in lines for source in line.split()[:-1]}
    assert "dali_voc" in sources
    assert {source for source in sources if not (ROOT / source).exists()} == set()
