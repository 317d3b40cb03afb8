"""Keys of section `augment` that are set and do nothing, as what they belong to is not set."""

from __future__ import annotations

import logging

from dali_voc.config import AugmentConfig

__all__ = ["warn_of_idle_keys"]

_log = logging.getLogger("dali_voc")

_COLORS = ("brightness", "contrast", "saturation", "hue")
_MIXING = ("cutmix", "classmix", "copy_paste")

# key -> those of which one has to be set for it to act
_IN_TRAINING: dict[str, tuple[str, ...]] = {
    "scale_distribution": ("scale",),
    "class_crop_place": ("class_crop",),
    "class_weights": ("class_crop",),
    "rotate_probability": ("rotate",),
    "photometric_probability": _COLORS,
    "blur_sigma": ("blur",),
    "noise_std": ("noise",),
    "jpeg_quality": ("jpeg",),
    "erase_area": ("erase",),
    "erase_aspect": ("erase",),
    "copy_paste_classes": ("copy_paste",),
    "view": (*_COLORS, "gray", "blur", "noise", "jpeg", "erase", "operators"),
}
# key -> what `validation` has to be for it to act
_IN_VALIDATION: dict[str, tuple[str, ...]] = {
    "shorter_side": ("resize", "slide"),
    "pad_multiple": ("resize", "full"),
    "stride": ("slide",),
}


def warn_of_idle_keys(augment: AugmentConfig, *, training: bool, batch_size: int) -> None:
    """Warn of what a configuration asks for and does not get.

    Args:
        augment: the section, with what balanced sampling sets.
        training: whether the keys of training are looked at, or those of validation.
        batch_size: samples of a batch.
    """
    for key, owners in (_IN_TRAINING if training else _IN_VALIDATION).items():
        if getattr(augment, key) == AugmentConfig.model_fields[key].get_default():
            continue
        if training:
            acts = any(getattr(augment, owner) for owner in owners)
            which = f"none of {', '.join(owners)} is" if owners[1:] else f"{owners[0]} is not"
            reason = f"{which} set"
        else:
            acts = augment.validation in owners
            reason = f"validation is {augment.validation}, and not {' or '.join(owners)}"
        if not acts:
            _log.warning("augment.%s has no effect, as %s", key, reason)
    if training and batch_size == 1 and any(getattr(augment, key) for key in _MIXING):
        _log.warning("augment: in batches of one there is nothing that samples could be mixed with")
