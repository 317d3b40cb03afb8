"""Packed data sets: a split in a few large files, for fast reading."""
