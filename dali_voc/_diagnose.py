"""Finds the file behind a failed batch: DALI's own errors often do not name it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image, UnidentifiedImageError

from dali_voc._batches import Batch
from dali_voc._prefetch import source_arrays
from dali_voc.datasets import PairIndex
from dali_voc.errors import DaliVocError, LoaderError, SampleError, sentence_from_dali

__all__ = ["explain_failure"]


def explain_failure(
    error: BaseException,
    batch: Batch,
    index: PairIndex,
    build: Callable[[Any], Any],
) -> DaliVocError:
    """Return the exception that says what is wrong with a batch, and with which file.

    Args:
        error: what DALI raised.
        batch: the batch it was making.
        index: where the files are.
        build: makes a pipeline for batches of one around a source.
    """
    named = _from_our_operator(error, batch, index)
    if named:
        return named
    for single in _singles(batch):
        problem = _file_problem(index, int(single.samples[0])) or _try(single, index, build)
        if problem:
            return problem
    return LoaderError(
        f"DALI failed on batch {batch.step} of epoch {batch.epoch}, though each of its samples "
        f"loads by itself: {_first_line(error)}"
    )


def _singles(batch: Batch) -> Iterator[Batch]:
    for i in range(len(batch.samples)):
        one = slice(i, i + 1)
        yield dataclasses.replace(
            batch,
            samples=batch.samples[one],
            position=batch.position[one],
            flip=batch.flip[one],
        )


def _from_our_operator(error: BaseException, batch: Batch, index: PairIndex) -> SampleError | None:
    sentence = sentence_from_dali(error)
    for sample in batch.samples if sentence else ():
        path = index.labels[sample]
        if sentence and sentence.startswith(path + ": "):
            reason = sentence[len(path) + 2 :]
            return SampleError(path, reason.replace("its image is", f"{index.images[sample]} is"))
    return None


def _file_problem(index: PairIndex, sample: int) -> SampleError | None:
    for path in index.images[sample], index.labels[sample]:
        try:
            with open(path, "rb") as file:
                if not file.read(1):
                    return SampleError(path, "the file is empty")
        except IsADirectoryError:
            return SampleError(path, "this is a folder, expected a file")
        except FileNotFoundError:
            linked = " (a link to nothing)" if os.path.islink(path) else ""
            return SampleError(path, f"no such file{linked}")
        except OSError as e:
            return SampleError(path, f"cannot be read ({e.strerror})")
    return None


def _try(single: Batch, index: PairIndex, build: Callable[[Any], Any]) -> SampleError | None:
    pipeline = build(lambda: source_arrays(index, single))
    try:
        pipeline.run()
    except RuntimeError as e:
        image = index.images[single.samples[0]]
        return _from_our_operator(e, single, index) or SampleError(image, _image_reason(image))
    return None


def _image_reason(path: str) -> str:
    """Ask Pillow why an image that DALI refuses is refused: it says so in words."""
    try:
        with Image.open(path) as image:
            kind = f"{image.format}, mode {image.mode}, {image.width}x{image.height}"
            image.load()
    except UnidentifiedImageError:
        return "this is not an image of a known format, or its header is damaged"
    except Exception as e:
        return f"damaged image: {e}"
    return f"DALI cannot decode this image ({kind})"


def _first_line(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
