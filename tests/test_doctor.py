"""`dali-voc doctor` as a user meets it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from warm_python import warm_python

from dali_voc import Config, ConfigError
from dali_voc.commands import app
from dali_voc.doctoring import Finding, _diagnose, diagnose
from dali_voc.doctoring._child import Outcome

CONFIG = Path(__file__).parents[1] / "configs/voc2012.yaml"
LONG = "/a/path/without/a/place/to/break/it/" + "x" * 70 + "/libsomething.so.1"
FINDINGS = [
    Finding.ok("dali_voc", "1.0"),
    Finding.ok("operators", LONG),
    Finding.warning("shared memory", "64 MiB [of] too few", advice="run it with '--shm-size 2g'"),
    Finding.failure("batch on GPU 10", "it was ended by SIGSEGV", advice="reinstall " * 12 + "all"),
]


def _dali_voc(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*warm_python(), "-m", "dali_voc", "doctor", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,
    )


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Finding]], None]:
    def set_findings(findings: list[Finding]) -> None:
        # the package has the command of that name, not the module
        module = sys.modules["dali_voc.commands.doctor"]
        monkeypatch.setattr(module, "diagnose", lambda **_: iter(findings))

    return set_findings


def test_without_anything(tmp_path: Path) -> None:
    done = _dali_voc("--json", tmp_path / "found.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    report = json.loads((tmp_path / "found.json").read_text())
    assert report["failures"] == 0
    findings = {finding.pop("name"): finding for finding in report["findings"]}
    names = ["dali_voc", "packages", "CPU cores", "memory", "shared memory", "open files", "driver"]
    names += ["PyTorch", "DALI", "operators", "libjpeg", "libdeflate", "batch on CPU"]
    names += ["nvJPEG", "nvCOMP"]
    assert set(findings) >= {*names, "locked memory"}
    assert "storage" not in findings
    assert "[16, 3, 320, 480] of made-up data" in findings["batch on CPU"]["found"]
    lines = done.stdout.splitlines()
    for name in names:
        level, found = findings[name]["level"], findings[name]["found"]
        assert f"{level:7} {name}: {found}" in lines
    assert "\x1b" not in done.stdout
    assert list(tmp_path.iterdir()) == [tmp_path / "found.json"]


def test_on_given_data(voc: Path, tmp_path: Path) -> None:
    options = ("--set", f"dataset.root={voc}", "--set", "augment.crop_size=[64, 96]")
    done = _dali_voc(CONFIG, *options, "--split", "val", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^ok +data set: 7 pairs of 'val'$", done.stdout, re.MULTILINE)
    assert re.search(r"batch on CPU: \[7, 3, 64, 96\] after", done.stdout)
    assert re.search(r"storage: .* \(14 files, .* pairs/s, and the loader here", done.stdout)


def test_data_that_are_not_there(tmp_path: Path) -> None:
    """The machine is looked at all the same."""
    (tmp_path / "some").write_bytes(bytes(5000))
    done = _dali_voc(
        *(CONFIG, "--set", "dataset.root=nowhere", "--data", tmp_path, "--json", "found.json"),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (1, "")
    findings = {f["name"]: f for f in json.loads((tmp_path / "found.json").read_text())["findings"]}
    assert findings["data set"]["level"] == "failure"
    assert findings["data set"]["found"].startswith("nowhere: no such folder")
    assert findings["batch on CPU"]["level"] == "ok"
    assert "(1 files, 0.0 MB" in findings["storage"]["found"]
    assert done.stdout.endswith("1 failure\n")


@pytest.mark.parametrize(
    ("findings", "code", "summary"),
    [
        (FINDINGS, 1, "1 failure, 1 warning"),
        (FINDINGS[:3], 0, "1 warning"),
        ([*FINDINGS[:3], FINDINGS[2]], 0, "2 warnings"),
        (FINDINGS[:2], 0, "all is well"),
    ],
)
def test_exit_code_and_report(
    pretend, tmp_path: Path, findings: list[Finding], code: int, summary: str
) -> None:
    pretend(findings)
    path = tmp_path / "found.json"
    done = CliRunner().invoke(app, ["doctor", "--json", str(path)])
    assert (done.exit_code, done.output.splitlines()[-1]) == (code, summary)
    report = json.loads(path.read_text())
    assert [Finding(**finding) for finding in report["findings"]] == findings
    levels = [finding.level for finding in findings]
    assert report["failures"] == levels.count("failure")
    assert report["warnings"] == levels.count("warning")
    done = CliRunner().invoke(app, ["doctor", "--quiet"])
    assert (done.exit_code, done.output) == (code, "")


def test_piped_lines_are_whole(pretend) -> None:
    pretend(FINDINGS)
    done = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "40"})
    assert done.output.splitlines() == [
        "ok      dali_voc: 1.0",
        f"ok      operators: {LONG}",
        "warning shared memory: 64 MiB [of] too few",
        "        -> run it with '--shm-size 2g'",
        "failure batch on GPU 10: it was ended by SIGSEGV",
        f"        -> {FINDINGS[3].advice}",
        "1 failure, 1 warning",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_on_a_terminal_nothing_is_cut(width: int) -> None:
    """Every character is there, in columns, and no line is wider than the terminal."""
    code = (
        "import sys; sys.path.append('tests'); from test_doctor import FINDINGS; "
        "from dali_voc.commands import app; module = sys.modules['dali_voc.commands.doctor']; "
        "module.diagnose = lambda **_: iter(FINDINGS); "
        "sys.argv[1:] = ['doctor']; app()"
    )
    raw = _run_on_terminal([sys.executable, "-c", code], width)
    assert "\x1b[31m" in raw  # a failure is red
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", raw).replace("\r", "\n")
    lines = [line.rstrip() for line in text.splitlines()]
    assert max(map(len, lines)) <= width
    column = 7 + 1 + 15 + 1
    right = "".join(line[column:] for line in lines if not line.startswith(("⠋", "1 failure")))
    for finding in FINDINGS:
        for part in finding.found, finding.advice:
            assert part.replace(" ", "") in right.replace(" ", "")
    if width == 200:
        assert any(re.fullmatch(r"ok +operators +" + LONG, line) for line in lines)


def _run_on_terminal(command: list[str], width: int) -> str:
    parent, child = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(width), "LINES": "50", "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    root = Path(__file__).parents[1]
    process = subprocess.Popen(command, stdout=child, stderr=child, env=environment, cwd=root)
    os.close(child)
    killer = threading.Timer(120, process.kill)
    killer.start()
    found = b""
    try:
        while part := os.read(parent, 65536):
            found += part
    except OSError:  # how Linux tells the end
        pass
    assert process.wait() == 1, found.decode()
    killer.cancel()
    os.close(parent)
    return found.decode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.yaml"], "none.yaml: no such file"),
        (["--set", "loader.batchsize=3"], "did you mean 'batch_size'"),
        (["--data", "nowhere"], "nowhere: found no such folder, expected one with files to read"),
        (["--json", "no/x.json"], "no/x.json: found no folder no, expected one to write into"),
    ],
)
def test_wrong_use(tmp_path: Path, monkeypatch, arguments: list[str], message: str) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["doctor", *arguments])
    assert done.exit_code == 1
    assert isinstance(done.exception, ConfigError)
    assert message in str(done.exception)


# what probes of a machine with two GPUs would report; none was there
GPUS: dict[str, Outcome] = {
    "driver": Outcome(
        facts={
            "driver": "550.1",
            "cuda": 12040,
            "init": 0,
            "cuvid": True,
            "gpus": [{"name": "G", "memory": 8 * 2**30, "capability": [9, 0]}] * 2,
        }
    ),
    "jpeg_engines": Outcome(facts={"engines": 7}),
    "torch_gpus": Outcome(facts={"gpus": 2}),
    "plugin": Outcome(
        facts={"dali": "/d", "plugin": "/p", "built_for": "2.4.0", "libjpeg": None}
        | {"libdeflate": None, "nvjpeg": "/j", "nvcomp": "/c"}
    ),
    "batch None": Outcome(facts={"shape": [4], "first_seconds": 1.0, "pairs_per_second": 10.0}),
    "batch 0": Outcome(
        facts={"shape": [4], "first_seconds": 1.0, "pairs_per_second": 99.0}
        | {"unequal": 0, "mean": 0.1, "high": 1.0, "nvjpeg": "/used", "pinned_error": "limit"}
    ),
    "batch 1": Outcome(trouble="making a batch on GPU 1: it was ended by SIGSEGV"),
}


@pytest.fixture
def on_two_gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    asked: list[tuple[str, Any]] = []

    def answer(name: str, request: dict[str, Any], *, limit: float) -> Outcome:
        short = name.rpartition(".")[2]
        asked.append((short, request))
        return GPUS[f"{short} {request['gpu']}" if short == "batch" else short]

    monkeypatch.setattr(_diagnose, "run_probe", answer)
    monkeypatch.setattr("torch.version.cuda", "12.4")
    return asked


def test_a_machine_with_gpus(on_two_gpus: list[tuple[str, Any]]) -> None:
    findings = {finding.name: finding for finding in diagnose()}
    expected = {"GPU 0": "ok", "GPU 1": "ok", "JPEG engines": "ok", "PyTorch": "ok"}
    expected |= {"batch on CPU": "ok", "batch on GPU 0": "ok", "batch on GPU 1": "failure"}
    expected |= {"nvJPEG": "ok", "locked memory": "warning"}
    assert {name: findings[name].level for name in expected} == expected
    assert findings["nvJPEG"].found == "/used, in use"
    batches = [request for name, request in on_two_gpus if name == "batch"]
    assert sorted(str(request["gpu"]) for request in batches) == ["0", "1", "None"]
    assert not Path(batches[0]["config"]["dataset"]["root"]).exists()  # tidied up


def test_a_check_that_fails_is_a_finding(
    on_two_gpus: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_diagnose._limits, "check_open_files", lambda: 1 / 0)
    monkeypatch.setitem(GPUS, "jpeg_engines", Outcome(facts={"engines": "many"}))
    findings = {finding.name: finding for finding in diagnose()}
    assert findings["open files"].level == "failure"
    assert findings["open files"].found == (
        "the check itself failed: ZeroDivisionError: division by zero"
    )
    assert "batch on GPU 1" in findings


def test_no_room_for_made_up_data(
    on_two_gpus: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_diagnose, "write_voc", full)
    findings = {finding.name: finding for finding in diagnose()}
    assert findings["batch on CPU"].level == "failure"
    assert "No space left on device" in findings["batch on CPU"].found
    assert "locked memory" in findings


def test_every_configuration_reaches_the_children(make_config: Callable[..., Config]) -> None:
    """They get it as JSON, and read it back as it was."""
    from dali_voc import load_config

    for path in sorted(CONFIG.parent.glob("*.yaml")):
        config = load_config(path)
        again = json.loads(json.dumps(config.model_dump(mode="json")))
        assert Config.model_validate(again) == config, path
