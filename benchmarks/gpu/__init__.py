"""The loader on a GPU: `python -m benchmarks.gpu`."""
