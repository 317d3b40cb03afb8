"""A loader that goes to another process."""

from __future__ import annotations

import pickle

import torch

from dali_voc import Loader


def assert_pickles(loader: Loader) -> None:
    """Check that a pickled loader gives the same epoch, and calls its files the same."""
    with pickle.loads(pickle.dumps(loader)) as other:
        for batch, its in zip(loader, other, strict=True):
            assert all(map(torch.equal, batch, its))
        for i in range(len(loader.index)):
            assert other.index.images[i] == loader.index.images[i]
            assert other.index.labels[i] == loader.index.labels[i]
