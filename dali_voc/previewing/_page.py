"""The page to click through: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

import numpy as np
import numpy.typing as npt
from PIL import Image

from dali_voc.errors import ConfigError, printable
from dali_voc.labels import LabelSpec
from dali_voc.previewing._codes import Entry, find_entries
from dali_voc.previewing._legend import percent
from dali_voc.previewing._shown import Shown, Window

__all__ = ["make_page"]

_OFFSET = 3  # so that codes are not negative
_SMALL = 320  # pixels: smaller pictures are enlarged without blurring
_LARGEST = 150_000_000  # pixels of all pictures; a browser has to hold them


def make_page(shown: Sequence[Shown], *, spec: LabelSpec, ignore_index: int, title: str) -> str:
    """Return a page of HTML that shows samples one by one, labels laid over images.

    Args:
        shown: at least one; where they hold what lies on the disk, it is shown as well.
        spec: the classes' names and colours.
        ignore_index: a class that has this index is marked.
        title: of the page.

    Raises:
        ConfigError: the pictures are too many or too large.
    """
    pictures = [one.image for one in shown] + [one.raw.image for one in shown if one.raw]
    if sum(image.shape[0] * image.shape[1] for image in pictures) > _LARGEST:
        raise ConfigError(
            f"found more than {_LARGEST // 10**6} million pixels in {len(shown)} samples, "
            "expected fewer: show fewer samples"
        )
    entries = find_entries(
        [one.codes for one in shown],
        spec,
        ignore_index=ignore_index,
        also=[one.raw.codes for one in shown if one.raw],
    )
    maps: list[str] = []
    sections = [_section(one, maps) for one in shown]
    names = [_text(f"{one.name} {one.note}".strip()) for one in shown]
    data = {
        "offset": _OFFSET,
        "maps": maps,
        "classes": [{"code": e.code, "name": printable(e.name), "color": e.color} for e in entries],
    }
    here = files("dali_voc.previewing")
    page = Template((here / "page.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=_text(title),
        style=(here / "page.css").read_text(encoding="utf-8"),
        script=(here / "page.js").read_text(encoding="utf-8"),
        samples="\n".join(sections),
        legend="\n".join(_item(entry) for entry in entries),
        list="\n".join(f'<li><button type="button">{name}</button></li>' for name in names),
        # in a script element, nothing else can end it
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    )


def _text(text: str) -> str:
    return escape(printable(text))


def _section(one: Shown, maps: list[str]) -> str:
    """Return one sample's figures; what their labels show is appended to `maps`."""
    figures = []
    if one.raw is not None:
        raw = one.raw
        figures.append(_figure(raw.image, raw.codes, "as stored", one, maps, window=raw.window))
    figures.append(_figure(one.image, one.codes, "as the network sees it", one, maps))
    note = f" <small>{_text(one.note)}</small>" if one.note else ""
    name = _text(one.name)
    return (
        f'<section data-name="{name}">\n<h2>{name}{note}</h2>\n<div class="figures">\n'
        f"{''.join(figures)}</div>\n</section>"
    )


def _figure(
    image: npt.NDArray[np.uint8],
    codes: npt.NDArray[np.int32],
    caption: str,
    one: Shown,
    maps: list[str],
    *,
    window: Window | None = None,
) -> str:
    height, width = codes.shape
    maps.append(_runs(codes))
    png = io.BytesIO()
    Image.fromarray(image).save(png, "png")
    source = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
    small = ' class="small"' if max(height, width) < _SMALL else ""
    alt = _text(f"{one.name}, {caption}")
    return (
        f'<figure data-map="{len(maps) - 1}"{small}><div class="stack">'
        f'<img src="{source}" width="{width}" height="{height}" alt="{alt}">'
        f'<canvas width="{width}" height="{height}" aria-hidden="true"></canvas>'
        f"{_frame(window, height, width)}</div>"
        f"<figcaption>{caption}, {height} x {width}</figcaption></figure>\n"
    )


def _frame(window: Window | None, height: int, width: int) -> str:
    if window is None:
        return ""
    top, left, bottom, right = window
    place = f'x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}"'
    return (
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="dark" {place}/><rect class="light" {place}/></svg>'
    )


def _item(entry: Entry) -> str:
    look = 'class="swatch hatched"'
    if entry.color is not None:
        look = f'class="swatch" style="background: rgb{entry.color}"'
    return (
        f'<li><button type="button" data-code="{entry.code}" aria-pressed="false">'
        f'<span {look}></span><span class="name">{_text(entry.name)}</span>'
        f'<span class="share">{escape(percent(entry.share))}</span></button></li>'
    )


def _runs(codes: npt.NDArray[np.int32]) -> str:
    """Return what `decodeRuns` of page.js reads."""
    flat = codes.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    lengths = np.diff(np.r_[starts, len(flat)])
    written = bytearray()
    for code, length in zip(flat[starts].tolist(), lengths.tolist(), strict=True):
        for number in (code + _OFFSET, length):
            rest = number
            while rest > 127:
                written.append(rest & 127 | 128)
                rest >>= 7
            written.append(rest)
    return base64.b64encode(written).decode()
