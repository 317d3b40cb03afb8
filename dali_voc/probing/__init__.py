"""What the doctor looks at in child processes, as it may crash or hang: drivers, DALI, storage.

A probe is a module with a function `probe(request, report)`. It reports facts as it comes to them,
so that those before a crash are known; `stage` says what it is about to do.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
from typing import Any

from dali_voc.errors import DaliVocError
from dali_voc.probing._report import Report, describe_error

__all__ = ["Report", "main"]

_PR_SET_PDEATHSIG = 1


def main(name: str) -> None:
    """Run a probe on the request at standard input; facts go to standard output, as JSON lines.

    Args:
        name: of the probe's module, in full.
    """
    # one that hangs does not outlive the doctor, however that ends
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no fact

    def report(**facts: Any) -> None:
        out.write(json.dumps(facts) + "\n")
        out.flush()

    request = json.load(sys.stdin)
    try:
        importlib.import_module(name).probe(request, report)
    except Exception as e:  # whatever it is, it is told
        # our own errors say enough; others need to be told when they came
        report(error=describe_error(e), **({"stage": None} if isinstance(e, DaliVocError) else {}))
        sys.exit(1)
