"""Finds the file behind a failed batch: DALI's own errors often do not name it."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from dali_voc._batches import Batch
from dali_voc._dali_errors import (
    cannot_start,
    cause_from_dali,
    reason_from_dali,
    sentence_from_dali,
)
from dali_voc._prefetch import DALI_ERRORS, BatchSource, Prefetcher
from dali_voc.datasets import FileList, PairIndex
from dali_voc.errors import LoaderError, SampleError

__all__ = ["RETRIES", "bad_samples_of", "image_reason"]

RETRIES = 5  # of a batch that fails although each of its samples loads by itself

# Words of errors that say nothing about the file. They are looked for in an error's cause alone:
# before it DALI names files of Python's, which may lie in a folder such as envs/cuda12.
_SHORTAGE = re.compile(
    r"out of memory|bad_alloc|cannot allocate|failed to allocate|allocation failed|"
    r"CUDA (runtime|driver|API|error)|cudaError|CUDA_ERROR|too many open files|"
    r"can't (start|create) new thread|cannot schedule new futures|temporarily unavailable",
    re.IGNORECASE,
)
_OF_READING = re.compile(r"cannot be read \(")  # as open_file.cc says it
_OURS_NOT_THE_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)

_UNKNOWN = "is not in the label table"
_HINT = "; {map} says what further values and colours mean"
_PALETTE_HINT = ", labels.palette: index reads a palette's numbers in place of its colours"

_MORE = re.compile(r"^colour .* (\d+) more unknown in ")
_OF_EDGES = 8  # colours beside the first; blends of two classes are many

_IMAGE = "its image: "  # how the label operator begins when it is the image that is damaged


def bad_samples_of(
    error: BaseException,
    failed: Prefetcher | None,
    index: PairIndex,
    build: Callable[[Any], Any],
    *,
    every: bool,
    last: bool = False,
    tells_samples: bool = False,
) -> dict[int, SampleError]:
    """Return what is wrong with which sample of a failed batch; empty if each loads by itself.

    Args:
        error: what DALI raised.
        failed: what was making the batch, which ends; None: it could not be made itself.
        index: where the files are.
        build: makes a pipeline for batches of one around a source.
        every: look at every sample; else the first bad one found is enough.
        last: it is not tried again: what the error names is bad, though it may load by now.
        tells_samples: whether the pipelines are told the numbers of samples.

    Raises:
        LoaderError: it is not a file's fault, but the machine's, a lack of memory or file handles,
            or an operator of the user's.
    """
    batch = failed.give_up(error) if failed else None
    if batch is None:  # there is no pipeline, or it did not begin
        raise cannot_start(error) from error
    found: dict[int, SampleError] = {}
    named = None if every else _from_our_operator(error, batch, index)
    # what a network share or a disk fails to do once, it may do when it is asked again
    again = named is not None and not last and _OF_READING.match(named[1].reason) is not None
    if named and not again:
        return {named[0]: named[1]}
    trial = _Trial(index, build, tells_samples=tells_samples)
    for single in _singles(batch):
        sample = int(single.samples[0])
        if sample in found or (named and sample != named[0]):
            continue
        problem = _file_problem(index, sample) or trial.problem(single)
        if problem:
            if not every:
                return {sample: problem}
            found |= _spoilt_with(index, sample)
            found.setdefault(sample, problem)
    if not found:  # such as branches of an operator that differ: a sample alone takes one
        _blame_user_operator(error, "a batch of which each sample loads by itself")
    return found


def _singles(batch: Batch) -> Iterator[Batch]:
    for i in range(len(batch.samples)):
        one = slice(i, i + 1)
        yield dataclasses.replace(
            batch,
            samples=batch.samples[one],
            parameters={name: array[one] for name, array in batch.parameters.items()},
            mixing=batch.mixing[one],
        )


def _spoilt_with(index: PairIndex, sample: int) -> dict[int, SampleError]:
    """Return all samples in the shard of a bad one, if it is the shard that is gone or changed."""
    for files in index.images, index.labels:
        found = files.spoilt(sample)
        if found:
            error, samples = found
            return dict.fromkeys(samples.tolist(), error)
    return {}


def _from_our_operator(
    error: BaseException, batch: Batch, index: PairIndex
) -> tuple[int, SampleError] | None:
    """Return the sample that an operator of ours named by its place in the batch."""
    found = sentence_from_dali(error)
    if not found or found[0] >= len(batch.samples):
        return None
    sample = int(batch.samples[found[0]])
    path = index.labels[sample]
    reason = _without_name(found[1], (index.labels, index.images), sample)
    if reason.startswith(_IMAGE):
        return sample, SampleError(index.images[sample], reason.removeprefix(_IMAGE))
    if _UNKNOWN in reason and index.segments is None:  # segments have no map of colours
        if ", with palette index" in reason:
            reason += "; labels.palette: color or index says which of the two is meant"
        else:
            map_key = "dataset.map" if index.source is None else "its source's map"
            reason += _HINT.format(map=map_key)
            more = _MORE.search(reason)
            if more and int(more[1]) >= _OF_EDGES:
                reason += "; so many are of smooth edges (docs/annotation-tools.md)"
            reason += _PALETTE_HINT if "palette index" in reason else ""
    return sample, SampleError(path, reason.replace("its image is", f"{index.images[sample]} is"))


def _without_name(sentence: str, either: tuple[FileList, ...], sample: int) -> str:
    for files in either:
        # as `Printable` in operator_error.h writes it
        name = "".join(
            chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in _path(files, sample)
        )
        if sentence.startswith(f"{name}: "):
            return sentence.removeprefix(f"{name}: ")
    return sentence


def _path(files: FileList, sample: int) -> bytes:
    return bytes(files.encoded(np.array([sample]))[0])


def _file_problem(index: PairIndex, sample: int) -> SampleError | None:
    for files in index.images, index.labels:
        path, opened = files[sample], os.fsdecode(_path(files, sample))
        try:
            kind = os.stat(opened).st_mode
            if stat.S_ISDIR(kind):
                return SampleError(path, "this is a folder, expected a file")
            if not stat.S_ISREG(kind):  # to open a pipe would wait for somebody to write to it
                return SampleError(path, "this is not a regular file")
            with open(opened, "rb") as file:
                if not file.read(1):
                    return SampleError(path, "the file is empty")
        except FileNotFoundError:
            linked = " (a link to nothing)" if os.path.islink(opened) else ""
            return SampleError(path, f"no such file{linked}")
        except OSError as e:
            if e.errno in _OURS_NOT_THE_FILES:
                raise LoaderError(f"{path}: cannot be opened ({e.strerror})") from None
            return SampleError(path, f"cannot be read ({e.strerror})")
    return None


class _Trial:
    """Runs samples one by one through a pipeline, which is made anew after each bad one."""

    def __init__(
        self, index: PairIndex, build: Callable[[Any], Any], *, tells_samples: bool
    ) -> None:
        self._index = index
        self._build = build
        self._source = BatchSource(index, tells_samples=tells_samples)
        self._pipeline: Any = None

    def problem(self, single: Batch) -> SampleError | None:
        """Return what is wrong with a batch of one.

        Raises:
            LoaderError: it is not the file's fault.
        """
        self._source.follow(iter((single,)))
        self._source.running.clear()
        if self._pipeline is None:
            try:
                self._pipeline = self._build(self._source)
            except DALI_ERRORS as e:  # it has seen no file yet
                raise cannot_start(e) from e
        try:
            self._pipeline.run()
        except DALI_ERRORS as e:
            self._pipeline = None
            named = _from_our_operator(e, single, self._index)
            if named:
                return named[1]
            lack = _shortage(e)
            if lack:
                raise LoaderError(f"out of memory or of another resource: {lack}") from None
            images, sample = self._index.images, int(single.samples[0])
            _blame_user_operator(e, images[sample])
            return SampleError(images[sample], image_reason(images, sample))
        return None


def _blame_user_operator(error: BaseException, what: str) -> None:
    """Raise a LoaderError if it was a user's own operator that failed; see `_user_operators`."""
    # DALI prints where in Python each operator was put into the graph
    frames = re.findall(r'^ *File "(.+)", line (\d+), in (\S+)', str(error), re.MULTILINE)
    if not frames:
        return
    file, line, function = frames[-1]
    if Path(file).name == "_user_operators.py":
        raise LoaderError(
            "augment.operators: an operator changed the size or the type of what it was given; "
            "expected uint8 [crop height, crop width, 3] and labels [crop height, crop width]"
        ) from error
    if not Path(file).is_relative_to(Path(__file__).parent):
        raise LoaderError(
            f"augment.operators: {function} ({file}, line {line}) failed on {what}: "
            f"{reason_from_dali(error)}"
        ) from error


def image_reason(images: FileList, sample: int) -> str:
    """Ask Pillow why an image that DALI refuses is refused: it says so in words."""
    try:
        with images.open(sample) as file, Image.open(file) as image:
            kind = f"{image.format}, mode {image.mode}, {image.width}x{image.height}"
            image.load()
    except UnidentifiedImageError:
        return "this is not an image of a known format, or its header is damaged"
    except MemoryError:
        raise
    except Exception as e:  # a decoder on damaged bytes may raise anything
        return f"damaged image: {e}"
    return f"DALI cannot decode this image ({kind})"


def _shortage(error: BaseException) -> str | None:
    """Return the line of DALI's that says what was lacking, if anything was."""
    lines = cause_from_dali(error).splitlines()
    return next((line.strip() for line in lines if _SHORTAGE.search(line)), None)
