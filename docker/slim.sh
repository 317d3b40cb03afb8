#!/bin/sh
# Takes out of a virtual environment what running dali-voc does not need.
#
#   slim.sh ENVIRONMENT
set -eu
cd "$1"/lib/python3*/site-packages

# What is there to compile against the packages. DALI's and nvCOMP's stay: operators of users' own, and
# tests, need them.
rm -rf torch/include
find nvidia -mindepth 2 -maxdepth 2 -name include ! -path nvidia/dali/include \
  ! -path nvidia/libnvcomp/include -exec rm -r {} +

# Programs that test and time them. torch_shm_manager stays: PyTorch starts it to share memory
# between processes.
find torch/bin -type f ! -name torch_shm_manager -delete
rm -rf torch/test nvidia/libnvcomp/bin

# tests that packages bring; PyTorch imports some of its own
find . -path ./torch -prune -o -type d -name tests -prune -exec rm -r {} +

# DALI's modules for other Pythons
abi=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_config_var("SOABI"))')
find nvidia/dali -name '*.cpython-*.so' ! -name "*.$abi.so" -delete

# symbol tables for debuggers; the dynamic linker has its own
strip --strip-unneeded torch/lib/*.so nvidia/dali/*.so

# Bytecode is stale where its source's time is another, and layers of an image keep whole seconds.
find . -name '*.py' -exec touch -d "@$(date +%s)" {} +
