"""How tests start several ranks."""

import sys

__all__ = ["torchrun_command"]


def torchrun_command(*, processes: int) -> list[str]:
    """Return torchrun's command up to the script.

    By --local-addr the ranks meet where the machine's own name cannot be resolved, too, as in some
    containers; without it they wait there until a timeout.
    """
    return [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        "--local-addr=localhost",
        f"--nproc-per-node={processes}",
    ]
