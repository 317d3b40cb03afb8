"""Long campaigns: scripts, and packages for `python -m benchmarks.NAME`."""
