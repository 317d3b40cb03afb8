"""What `dali-voc doctor` looks at: the machine, its driver and libraries, data, and a batch."""

from __future__ import annotations

from dali_voc.doctoring._diagnose import diagnose
from dali_voc.doctoring._finding import Finding, Level

__all__ = ["Finding", "Level", "diagnose"]
