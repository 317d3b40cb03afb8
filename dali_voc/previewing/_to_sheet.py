"""From shown samples to the sheet of them."""

from __future__ import annotations

from collections.abc import Sequence

from dali_voc.labels import LabelSpec
from dali_voc.previewing._codes import find_entries
from dali_voc.previewing._panels import Panel
from dali_voc.previewing._sheet import Cell, Sheet, draw_sheet
from dali_voc.previewing._shown import Shown

__all__ = ["sheet_of"]

# short: a panel may be narrow
_HEADINGS = ("as stored", "label", "as seen", "label")


def sheet_of(
    shown: Sequence[Shown],
    *,
    spec: LabelSpec,
    ignore_index: int,
    title: str = "",
    compare: bool = False,
    columns: int | None = None,
    size: int = 512,
) -> Sheet:
    """Draw samples: image beside label, and with `compare` what lies on the disk before them."""
    cells = [Cell(name=s.name, note=s.note, panels=_panels(s, compare=compare)) for s in shown]
    return draw_sheet(
        cells,
        spec=spec,
        entries=find_entries(
            [s.codes for s in shown],
            spec,
            ignore_index=ignore_index,
            also=[s.raw.codes for s in shown if compare and s.raw is not None],
        ),
        title=title,
        headings=_HEADINGS if compare else (),
        columns=columns,
        size=size,
    )


def _panels(shown: Shown, *, compare: bool) -> tuple[Panel | None, ...]:
    seen = (Panel(pixels=shown.image), Panel(pixels=shown.codes))
    if not compare:
        return seen
    raw = shown.raw
    if raw is None:
        return (None, None, *seen)
    stored = (Panel(pixels=p, window=raw.window) for p in (raw.image, raw.codes))
    return (*stored, *seen)
