"""What functions that read a split are given, looked at before anything is done."""

from __future__ import annotations

from dali_voc.config import Config

__all__ = ["check_arguments"]


def check_arguments(config: object, split: object) -> None:
    """Refuse arguments of other types, as whoever has no type checker may give.

    Raises:
        TypeError: the configuration is no `Config`, or the split's name no text.
    """
    if not isinstance(config, Config):
        raise TypeError(
            f"found a {type(config).__name__}, expected a Config, from load_config or parse_config"
        )
    if not isinstance(split, str):
        raise TypeError(f"split: found {split!r}, expected the name of one, such as 'train'")
