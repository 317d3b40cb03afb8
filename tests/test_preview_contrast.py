"""Text of the preview page can be read: WCAG 2.2, 1.4.3 asks for a contrast of 4.5 : 1."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

STYLE = files("dali_voc.previewing").joinpath("page.css").read_text(encoding="utf-8")


def luminance(color: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    digits = color if len(color) == 6 else "".join(2 * digit for digit in color)
    shares = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(scheme: str) -> None:
    roots = re.findall(r":root \{(.*?)\}", STYLE)
    colors = dict(re.findall(r"--(\w+): #(\w+)", roots[["light", "dark"].index(scheme)]))
    ground = luminance(colors["ground"])
    for name in "ink", "faint", "mark":
        darker, lighter = sorted((ground, luminance(colors[name])))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, name


def test_no_text_is_half_transparent_or_of_another_color() -> None:
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", STYLE)
    assert len(rules) > 30
    for selector, rule in rules:
        assert "opacity" not in rule or selector.strip().endswith(".swatch"), selector
        assert set(re.findall(r"(?<![-\w])color: ([^;]+)", rule)) <= {
            *("inherit", "var(--ink)", "var(--faint)"),
        }, selector
