"""`dali-voc`, also as `python -m dali_voc`."""

from __future__ import annotations

import os
import signal
from types import FrameType

__all__ = ["main"]


def main() -> None:
    """Import the commands, which takes a while in which Ctrl-C ends it without a traceback."""
    # not where somebody has it ignored, such as nohup
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        # as the first process of a container, it would not listen to `docker stop`
        signal.signal(signal.SIGTERM, _terminated)
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual:
        signal.signal(signal.SIGINT, _interrupted)
    from dali_voc.commands import main as run  # noqa: PLC0415

    if usual:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    os.write(2, b"dali-voc: interrupted\n")
    os._exit(130)


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    os.write(2, b"dali-voc: terminated\n")
    os._exit(143)


if __name__ == "__main__":
    main()
