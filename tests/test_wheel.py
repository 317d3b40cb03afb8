"""What is built can be given away: it asks for nothing that other machines lack."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
from pathlib import Path

import native_driver
import pytest

from dali_voc.ops._plugin import library_path

# DALI's own, and what is part of every glibc system
ALLOWED = r"libdali(_core)?|libstdc\+\+|libgcc_s|libm|libc|ld-linux-[a-z0-9-]+"


def words(*command: str) -> list[list[str]]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split() for line in done.stdout.splitlines()]


def test_the_plugin_needs_dali_and_the_c_library_alone() -> None:
    entries = words("readelf", "--dynamic", "--wide", str(library_path()))
    kinds = {line[1].strip("()"): line for line in entries if len(line) > 2}
    needed = {line[-1].strip("[]") for line in entries if "(NEEDED)" in line}
    assert "libdali.so" in needed
    assert {name for name in needed if not re.fullmatch(rf"({ALLOWED})\.so(\.\d+)?", name)} == set()
    assert not {"TEXTREL", "RPATH", "RUNPATH"} & set(kinds)


def test_the_plugin_shows_no_symbol_of_what_is_linked_into_it() -> None:
    """Another libjpeg in the process, such as Pillow's, is neither taken nor replaced."""
    symbols = words("nm", "--dynamic", "--without-symbol-versions", str(library_path()))
    shown = {line[-1] for line in symbols if len(line) == 3}  # address, kind, name
    undefined = {line[-1] for line in symbols if len(line) == 2}
    assert shown
    foreign = {
        name for name in shown if not re.match(r"_Z|dali_voc_|_end|_edata|__bss_start", name)
    }
    assert foreign == set()
    assert {name for name in undefined if re.match(r"jpeg_|jsimd_|libdeflate_", name)} == set()


def test_the_wheel_is_for_all_pythons_and_many_systems() -> None:
    installed = importlib.metadata.distribution("dali-voc")
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        pytest.skip("installed as editable, not from a wheel")
    (tag,) = re.findall(r"^Tag: (.*)$", installed.read_text("WHEEL") or "", re.MULTILINE)
    assert re.fullmatch(r"py3-none-manylinux_2_\d+_\w+", tag)


def test_messages_about_damaged_jpeg_are_libjpegs(tmp_path: Path) -> None:
    program = tmp_path / "messages"
    sources = [native_driver.SOURCES / "jpeg_errors.cc"]
    sources.append(Path(__file__).parent / "native/jpeg_messages.cc")
    command = ["g++", "-std=c++17", f"-I{native_driver.SOURCES}", "-o", program, *sources, "-ljpeg"]
    subprocess.run(command, check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    pairs = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(pairs) > 120
    differing = [theirs for theirs, ours in pairs if theirs != ours]
    # what libjpeg says of itself, and never of a picture: JMSG_COPYRIGHT and JMSG_VERSION
    assert len(differing) == 2
    assert differing[0].startswith("Copyright")
