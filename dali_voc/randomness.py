"""Random numbers as a pure function of (seed, epoch, sample): no generator, no state.

`philox` is NumPy's Philox bit generator written over arrays, so that any sample's numbers can be
had at any time, in any order, on any rank. What is drawn for one purpose never moves when another
purpose is added: each has its own stream.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

__all__ = ["Stream", "draws", "philox", "replacement_candidates", "shuffle_keys", "uniform"]

_U64 = np.uint64
_LOW = _U64(0xFFFFFFFF)
_32 = _U64(32)
# Philox-4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
_MULTIPLIERS = np.array([[0xD2E7470EE14C6C93], [0xCA5A826395121157]], _U64)
_WEYL = np.array([[0x9E3779B97F4A7C15], [0xBB67AE8584CAA73B]], _U64)
_ROUNDS = 10
_MASK = (1 << 64) - 1
_BLOCKS_AT_ONCE = 1 << 18


class Stream(IntEnum):
    """What random numbers are for. Values are part of the reproducible result: never reuse one."""

    SHUFFLE = 0
    CROP = 1
    FLIP = 2
    DRAW = 3  # weighted sampling
    REPLACE = 4  # what stands in for a bad sample
    SCALE = 5
    CLASS_CROP = 6
    VERTICAL_FLIP = 7
    COLOR = 8
    ROTATE = 9
    BLUR = 10
    NOISE = 11
    JPEG = 12
    ERASE = 13
    MIX = 14  # which sample of the batch another one meets, and how
    NOISE_TILE = 15
    USER = 16  # for operators of the user's own
    TRANSPOSE = 17


def _multiply(
    a: npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return the high and the low 64 bits of a * b."""
    low_a, high_a = a & _LOW, a >> _32
    low_b, high_b = b & _LOW, b >> _32
    middle = low_a * low_b
    middle >>= _32
    middle += high_a * low_b
    low_a *= high_b
    low_a += middle & _LOW
    low_a >>= _32
    middle >>= _32
    high_a *= high_b
    high_a += middle
    high_a += low_a
    return high_a, a * b


def philox(
    *, key: tuple[int, int], counter: tuple[npt.ArrayLike, int, npt.ArrayLike, int]
) -> npt.NDArray[np.uint64]:
    """Return the Philox-4x64-10 blocks of many counters at once.

    Args:
        key: two 64-bit numbers.
        counter: four 64-bit numbers, the first an array of shape [n], the third too if need be.

    Returns:
        uint64 of shape [n, 4]. Row i equals
        `np.random.Philox(key=key, counter=c).random_raw(4)` where c is the counter of row i minus
        one (NumPy counts up before each block).
    """
    n = np.size(counter[0])
    # both halves of a round at once: it is the number of NumPy's calls that takes time
    even, odd = np.empty((2, n), _U64), np.empty((2, n), _U64)
    even[0], even[1] = np.atleast_1d(counter[0]), np.asarray(counter[2], _U64)
    odd[0], odd[1] = counter[1] & _MASK, counter[3] & _MASK
    words = np.array([[key[0] & _MASK], [key[1] & _MASK]], _U64)
    for _ in range(_ROUNDS):
        high, low = _multiply(even, _MULTIPLIERS)
        even, odd = np.bitwise_xor(high[::-1], odd, out=odd), low[::-1]
        even ^= words
        words += _WEYL
    return np.stack([even[0], odd[0], even[1], odd[1]], axis=1)


def uniform(
    *,
    seed: int,
    epoch: int,
    samples: npt.ArrayLike,
    stream: Stream,
    occurrence: npt.ArrayLike = 0,
    num: int = 4,
    view: int = 0,
) -> npt.NDArray[np.float32]:
    """Return numbers in [0, 1) per sample, float32 of shape [n, num], each a multiple of 2^-24.

    Args:
        seed: of the run.
        epoch: from 0.
        samples: sample indices, shape [n].
        stream: what the numbers are for.
        occurrence: how often the sample came up in the epoch before, where it may come up again.
        num: how many numbers; more of them begin with the same.
        view: another number, below 2^32, gives others of the same sample.
    """
    key = (seed, view << 32 | stream)
    blocks = [
        philox(key=key, counter=(samples, epoch, occurrence, block))
        for block in range(-(-num // 4))
    ]
    bits = np.concatenate(blocks, axis=1)[:, :num]
    return (bits >> _U64(40)).astype(np.float32) * np.float32(2.0**-24)


def draws(*, seed: int, epoch: int, num: int) -> npt.NDArray[np.float64]:
    """Return `num` numbers in [0, 1), float64, each a multiple of 2^-53: weighted sampling's."""
    bits = _first_words(key=(seed, int(Stream.DRAW)), num=num, epoch=epoch)
    return (bits >> _U64(11)).astype(np.float64) * 2.0**-53


def replacement_candidates(
    *, seed: int, epoch: int, sample: int, num_samples: int, attempts: int
) -> npt.NDArray[np.int64]:
    """Return who may stand in for a bad sample, first choice first, int64 of shape [attempts]."""
    order = np.arange(attempts, dtype=_U64)
    bits = philox(key=(seed, int(Stream.REPLACE)), counter=(order, epoch, sample, 0))[:, 0]
    return (bits % _U64(num_samples)).astype(np.int64)


def shuffle_keys(
    *, seed: int, epoch: int, num_samples: int, occurrence: int = 0
) -> npt.NDArray[np.uint64]:
    """Return a random number per sample, uint64 [num_samples]; sorting by it shuffles them.

    Args:
        seed: of the run.
        epoch: from 0.
        num_samples: how many there are.
        occurrence: how often each came up in the epoch before.
    """
    return _first_words(
        key=(seed, int(Stream.SHUFFLE)), num=num_samples, epoch=epoch, occurrence=occurrence
    )


def _first_words(
    *, key: tuple[int, int], num: int, epoch: int, occurrence: int = 0
) -> npt.NDArray[np.uint64]:
    """Return `philox(key=key, counter=(np.arange(num), epoch, occurrence, 0))[:, 0]`.

    Of counters that follow each other, which NumPy's own generator gives many times as fast.
    """
    counter = (epoch & _MASK) << 64 | (occurrence & _MASK) << 128
    generator = np.random.Philox(
        key=np.array([word & _MASK for word in key], _U64), counter=(counter - 1) % (1 << 256)
    )
    words = np.empty(num, _U64)
    for begin in range(0, num, _BLOCKS_AT_ONCE):
        part = words[begin : begin + _BLOCKS_AT_ONCE]
        part[:] = generator.random_raw(4 * len(part))[::4]
    return words
