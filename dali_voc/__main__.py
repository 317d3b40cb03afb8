"""`dali-voc`, also as `python -m dali_voc`."""

from __future__ import annotations

import os
import signal
from types import FrameType

__all__ = ["main"]


def main() -> None:
    """Import the commands, which takes a while in which Ctrl-C ends it without a traceback."""
    # neither where somebody has it ignored, such as nohup
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        # as the first process of a container, it would not listen to `docker stop`
        signal.signal(signal.SIGTERM, _end)
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual:
        signal.signal(signal.SIGINT, _end)
    from dali_voc.commands import main as run  # noqa: PLC0415

    if usual:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


def _end(number: int, _frame: FrameType | None) -> None:
    said = b"interrupted" if number == signal.SIGINT else b"terminated"
    os.write(2, b"dali-voc: %b\n" % said)
    os._exit(128 + number)


if __name__ == "__main__":
    main()
