"""The loader beside other libraries and other ways, on a CPU."""
