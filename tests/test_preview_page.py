"""`dali-voc preview --html`: the page by itself, and in a real browser."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, Browser
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dali_voc.labels import LabelSpec
from dali_voc.previewing import STRANGE, VOID, Raw, Shown, make_page
from dali_voc.previewing._page import _runs

SPEC = LabelSpec(
    classes=("sky & <sea>", "tree", "not there"), colors=((10, 20, 250), (0, 128, 0), (9, 9, 9))
)
NAMES = ("first </script><b>", 'sec"ond/写真', "third\udce9", "fourth")
_EMPTY = ("meta", "link", "img", "input", "br", "rect")


def make_samples() -> list[Shown]:
    rng = np.random.default_rng(0)
    samples = []
    for i, name in enumerate(NAMES):
        height, width = 40 + 10 * i, 64
        codes = np.zeros((height, width), np.int32)
        codes[:, width // 2 :] = 1
        codes[: height // 4] = VOID
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        raw = None
        if i == 1:
            raw = Raw(
                image=rng.integers(0, 256, (100, 120, 3), dtype=np.uint8),
                codes=np.full((100, 120), STRANGE, np.int32),
                window=(10.0, 20.5, 60.0, 84.5),
            )
        note = "tile 3 of 6" if i == 3 else ""
        samples.append(Shown(name=name, note=note, image=image, codes=codes, raw=raw))
    return samples


class Parsed(HTMLParser):
    """Elements with their attributes, and whether they are nested as they should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self.open), data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text_in(self, tag: str) -> list[str]:
        return [text for inside, text in self.texts if inside and inside[-1] == tag]


@pytest.fixture(scope="module")
def samples() -> list[Shown]:
    return make_samples()


@pytest.fixture(scope="module")
def page(samples: list[Shown]) -> str:
    return make_page(samples, spec=SPEC, ignore_index=255, title="a <title> & more")


def test_page_holds_each_sample(samples: list[Shown], page: str) -> None:
    parsed = Parsed(page)
    assert parsed.open == []
    assert parsed.text_in("title") == ["a <title> & more"]
    names = ["first </script><b>", 'sec"ond/写真', "third\\udce9", "fourth"]
    assert [one["data-name"] for one in parsed.of("section")] == names
    images = parsed.of("img")
    stored = [samples[0].image, samples[1].raw.image, *(one.image for one in samples[1:])]
    assert len(images) == len(stored)
    for attributes, pixels in zip(images, stored, strict=True):
        kind, _, data = (attributes["src"] or "").partition(",")
        assert kind == "data:image/png;base64"
        np.testing.assert_array_equal(Image.open(io.BytesIO(base64.b64decode(data))), pixels)
        assert attributes["alt"]


def test_page_names_the_classes_that_occur(page: str) -> None:
    names = [text for inside, text in Parsed(page).texts if "aside" in inside and "span" in inside]
    shares = [name for name in names if name.endswith("%")]
    assert [name for name in names if name not in shares] == [
        "sky & <sea>",
        "tree",
        "void (ignored)",
        "an index of no class",
    ]
    assert shares == ["38 %", "38 %", "25 %", "0 %"]


def test_page_needs_nothing_else(page: str) -> None:
    parsed = Parsed(page)
    for _, attributes in parsed.elements:
        for key in "src", "href":
            assert (attributes.get(key) or "data:").startswith("data:")
    policy = next(m["content"] for m in parsed.of("meta") if m.get("http-equiv"))
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    )
    assert "url(" not in page
    page.encode()


@given(
    codes=st.lists(st.tuples(st.integers(-3, 70000), st.integers(1, 400)), min_size=1, max_size=30)
)
@settings(max_examples=50)
def test_runs_can_be_read_again(codes: list[tuple[int, int]]) -> None:
    flat = np.concatenate([np.full(times, code, np.int32) for code, times in codes])
    numbers, value, shift = [], 0, 0
    for byte in base64.b64decode(_runs(flat[None])):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    read = [code - 3 for code, n in zip(numbers[::2], numbers[1::2], strict=True) for _ in range(n)]
    assert read == flat.tolist()


@pytest.fixture
def browser(page: str, tmp_path: Path) -> Iterator[Browser]:
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    with Browser(tmp_path / "page.html", profile=tmp_path / "profile") as opened:
        yield opened
        assert opened.problems == []
        assert opened.requests == [(tmp_path / "page.html").as_uri()]


CURRENT = "document.querySelector('section.current').dataset.name"
LIT = "[...document.querySelectorAll('#legend .lit .name')].map((e) => e.textContent)"
IN_CHROMIUM = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")]


def overlay(browser: Browser, *, figure: int = -1) -> np.ndarray:
    """Return what is painted over an image, uint8 [height, width, 4]."""
    width, height, data = browser.value(
        "(() => { const c = [...document.querySelectorAll('section.current canvas')]"
        f".at({figure}); const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "return [c.width, c.height, [...d]]; })()"
    )
    return np.array(data, np.uint8).reshape(height, width, 4)


class TestInBrowser:
    pytestmark = IN_CHROMIUM

    def test_label_is_laid_over_the_image(self, browser: Browser, samples: list[Shown]) -> None:
        painted, codes = overlay(browser), samples[0].codes
        assert (painted[..., 3] == 153).all()  # 60 %
        # the canvas keeps colours multiplied by opacity, in bytes
        for index in 0, 1:
            difference = painted[codes == index][:, :3].astype(int) - SPEC.colors[index]
            assert np.abs(difference).max() <= 2
        void = painted[codes == VOID][:, :3]
        assert len(np.unique(void, axis=0)) == 2
        assert void.min() > 190

    def test_keys_go_through_samples(self, browser: Browser) -> None:
        names = ["first </script><b>", 'sec"ond/写真', "third\\udce9", "fourth"]
        assert browser.value(CURRENT) == names[0]
        for key, expected in (
            *(("ArrowRight", 1), ("ArrowRight", 2), ("End", 3), ("ArrowRight", 0)),
            *(("ArrowLeft", 3), ("Home", 0)),
        ):
            browser.press(key)
            assert browser.value(CURRENT) == names[expected]
            place = browser.value("document.getElementById('position').textContent")
            assert place == f"{expected + 1} of 4"
            shown = "[...document.querySelectorAll('section')].filter((s) => s.offsetHeight).length"
            assert browser.value(shown) == 1
        browser.press("ArrowDown")
        assert (overlay(browser)[..., 3] == round(255 * 0.5)).all()

    def test_buttons_and_list(self, browser: Browser) -> None:
        browser.point("#next", click=True)
        assert browser.value(CURRENT) == 'sec"ond/写真'
        browser.point("#list li:nth-child(4) button", click=True)
        assert browser.value(CURRENT) == "fourth"
        marked = "document.querySelector('#list [aria-current=true]').textContent"
        assert browser.value(marked) == "fourth tile 3 of 6"
        browser.point("#previous", click=True)
        assert browser.value(CURRENT) == "third\\udce9"

    def test_slider(self, browser: Browser) -> None:
        browser.point("#opacity", 0.999, click=True)
        assert browser.value("document.getElementById('opacity').value") == "100"
        assert (overlay(browser)[..., 3] == 255).all()
        # with the slider in focus, arrows move it and nothing else
        browser.press("ArrowLeft")
        assert browser.value("document.getElementById('opacity').value") == "95"
        assert browser.value(CURRENT) == "first </script><b>"

    def test_class_is_lit_by_pointing_at_it(self, browser: Browser, samples: list[Shown]) -> None:
        codes = samples[0].codes
        before = overlay(browser)
        browser.point("#legend li:nth-child(2) button")
        assert browser.value(LIT) == ["tree"]
        painted = overlay(browser)
        assert (painted[codes != 1][:, :3] == 0).all()
        assert np.abs(painted[codes == 1][:, :3].astype(int) - SPEC.colors[1]).max() <= 2
        assert browser.value("document.getElementById('readout').textContent") == "tree"
        browser.point("h1")
        np.testing.assert_array_equal(overlay(browser), before)
        # a click keeps it
        browser.point("#legend li:nth-child(2) button", click=True)
        browser.point("h1")
        pressed = "document.querySelector('#legend [aria-pressed=true]').dataset.code"
        assert browser.value(pressed) == "1"
        np.testing.assert_array_equal(overlay(browser), painted)

    def test_class_is_named_by_pointing_at_a_pixel(self, browser: Browser) -> None:
        canvas = "section.current canvas"
        for x, y, name in (
            (0.2, 0.8, "sky & <sea>"),
            (0.8, 0.8, "tree"),
            (0.5, 0.1, "void (ignored)"),
        ):
            browser.point(canvas, x, y)
            assert browser.value("document.getElementById('readout').textContent") == name
            assert browser.value(LIT) == [name]

    def test_shares_are_those_of_the_sample(self, browser: Browser) -> None:
        shares = "[...document.querySelectorAll('#legend .share')].map((e) => e.textContent)"
        assert browser.value(shares) == ["38 %", "38 %", "25 %", "0 %"]
        browser.press("ArrowRight")  # 50 rows, 12 of them void
        assert browser.value(shares) == ["38 %", "38 %", "24 %", "0 %"]

    def test_what_is_stored_has_its_window(self, browser: Browser) -> None:
        browser.press("ArrowRight")
        frame = browser.value(
            "(() => { const r = document.querySelector('section.current rect.light'); const b = "
            "r.getBBox(); return [b.x, b.y, b.width, b.height]; })()"
        )
        assert frame == [20.5, 10, 64, 50]
        box = browser.value(
            "(() => { const i = document.querySelector('section.current img'); const b = i."
            "getBoundingClientRect(); const s = document.querySelector('section.current svg')."
            "getBoundingClientRect(); return [b.width - s.width, b.height - s.height]; })()"
        )
        assert box == pytest.approx([0, 0], abs=0.5)

    def test_tab_reaches_everything_and_all_has_a_name(self, browser: Browser) -> None:
        nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
        for role, count in ("button", 2 + 4 + 4), ("slider", 1), ("image", 1):
            found = [n for n in nodes if n["role"]["value"] == role and not n["ignored"]]
            assert len(found) == count
            assert all(n["name"]["value"] for n in found)
        reached = []
        for _ in range(11):
            browser.press("Tab")
            reached.append(browser.value("document.activeElement.tagName"))
        assert reached == ["BUTTON", "BUTTON", "INPUT"] + ["BUTTON"] * 8
        names = json.dumps([n["name"]["value"] for n in nodes if n["role"]["value"] == "slider"])
        assert names == '["label over image"]'
