"""How tests start several ranks."""

from warm_python import warm_python

__all__ = ["torchrun_command"]


def torchrun_command(*, processes: int) -> list[str]:
    """Return torchrun's command up to the script.

    By --local-addr the ranks meet where the machine's own name cannot be resolved, too, as in some
    containers; without it they wait there until a timeout.
    """
    return [
        *(*warm_python(), "-m", "torch.distributed.run", "--standalone"),
        "--local-addr=localhost",
        f"--nproc-per-node={processes}",
        *("--no-python", *warm_python()),
    ]
