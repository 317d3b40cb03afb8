"""Pictures of what a loader gives, for people: a sheet (PNG) or a page to click through (HTML)."""

from __future__ import annotations

from dali_voc.previewing._codes import REST, STRANGE, VOID, Entry, find_entries, paint, to_codes
from dali_voc.previewing._contact import contact_sheet
from dali_voc.previewing._find_samples import find_samples
from dali_voc.previewing._page import make_page
from dali_voc.previewing._panels import Panel
from dali_voc.previewing._sheet import Cell, Sheet, draw_sheet
from dali_voc.previewing._shown import Raw, Shown
from dali_voc.previewing._take import take_first, take_named
from dali_voc.previewing._to_sheet import sheet_of

__all__ = [
    "REST",
    "STRANGE",
    "VOID",
    "Cell",
    "Entry",
    "Panel",
    "Raw",
    "Sheet",
    "Shown",
    "contact_sheet",
    "draw_sheet",
    "find_entries",
    "find_samples",
    "make_page",
    "paint",
    "sheet_of",
    "take_first",
    "take_named",
    "to_codes",
]
