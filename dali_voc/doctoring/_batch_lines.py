"""Checks of batches that were made on trial."""

from __future__ import annotations

from dali_voc.doctoring._child import Outcome
from dali_voc.doctoring._finding import Finding

__all__ = ["check_batch", "check_gpu_batch"]

# Levels 0..255, of JPEG: nvJPEG scales chroma up in another way than the CPU does.
_MEAN, _HIGH = 1.5, 32.0


def check_batch(name: str, made: Outcome, *, data: str) -> Finding:
    """Say whether a batch could be made, and how fast more followed.

    Args:
        name: of the finding.
        made: what came of the probe `batch`.
        data: of which data the batch is; empty for the user's own.
    """
    if made.trouble is None:
        return Finding.ok(name, _describe(made, data))
    advice = _advice(data, "reinstall dali-voc and DALI")
    if "SIGKILL" in made.trouble:
        advice = (
            "nearly always the system kills what takes too much memory, see 'memory' above: lower "
            "loader.batch_size, loader.prefetch or cache.memory"
        )
    return Finding.failure(name, made.trouble, advice=advice)


def check_gpu_batch(name: str, made: Outcome, *, data: str) -> Finding:
    """Say likewise of a GPU, and whether the CPU made the same of the same pictures."""
    if made.trouble is not None:
        other = "use loader.device=cpu; see whether 'nvidia-smi' works and its memory is free"
        return Finding.failure(name, made.trouble, advice=_advice(data, other))
    unequal, mean, high = (made.facts[key] for key in ("unequal", "mean", "high"))
    found = (
        f"{_describe(made, data)}; images are {mean:.2f} levels (of 255) from the CPU's on average "
        f"and {high:.1f} at most in 99.9 % of the values"
    )
    # so written that NaN is not within
    if unequal or not (mean <= _MEAN and high <= _HIGH):
        return Finding.failure(
            name,
            f"{found}, expected {_MEAN:g} and {_HIGH:g}; {unequal:,} pixels of labels differ, "
            "expected none",
            advice="use loader.device=cpu, and report this with the output of '--json'",
        )
    return Finding.ok(name, f"{found}; labels are the same")


def _describe(made: Outcome, data: str) -> str:
    facts = made.facts
    found = f"{facts['shape']}{data} after {facts['first_seconds']:.1f} s"
    if "pairs_per_second" in facts:
        found += f", then {facts['pairs_per_second']:,.0f} pairs/s"
    return found


def _advice(data: str, machine: str) -> str:
    if data:
        return machine
    return (
        "'dali-voc verify' finds bad files; if 'dali-voc doctor' without a configuration fails "
        f"here as well, it is the machine: {machine}"
    )
