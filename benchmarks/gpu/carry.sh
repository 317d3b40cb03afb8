#!/usr/bin/env bash
# Packs what a GPU machine without a package index needs, for `on_machine.sh` there.
#
#     bash benchmarks/gpu/carry.sh WHEEL [VOC2012]
#
# WHEEL is this project's; of the folder VOC2012, as many pairs travel as fit. In the repository's
# root this writes .gpu/1 and .gpu/2 (DALI, each half for a call of its own), .gpu/own (the wheel)
# and .gpu/voc, which git ignores from then on. BUNDLE says where make_bundle.py lies.
set -euo pipefail
cd "$(dirname "$0")/../.."
wheel=${1:?expected a wheel: pip wheel . --no-deps -w FOLDER}
voc=${2:-}
bundle=${BUNDLE:-../shared/gpu/make_bundle.py}
voc_bytes=$((28 * 1024 * 1024)) # with .gpu/1 and the repository below 64 MiB

exclude=$(git rev-parse --git-path info/exclude)
mkdir -p "$(dirname "$exclude")"
grep -qxF /.gpu/ "$exclude" 2> /dev/null || echo /.gpu/ >> "$exclude"

if [ ! -f .gpu/2/site.tar.xz.part ]; then
  # the rest of what dali_voc imports is on the machine: torch, numpy, pillow, pyyaml, typer, rich
  python3 "$bundle" --out .gpu --add pydantic==2.14.4 pydantic-core==2.50.5 annotated-types \
    typing-inspection ijson
fi

python3 - "$wheel" << 'EOF'
import pathlib, sys, zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    for name in wheel.namelist():
        if name.endswith(".py"):
            here = pathlib.Path(name)
            if not here.is_file() or here.read_bytes() != wheel.read(name):
                sys.exit(f"{sys.argv[1]}: found another {name} than here, expected a wheel of this state")
EOF

rm -rf .gpu/own .gpu/voc
mkdir -p .gpu/own
cp "$wheel" .gpu/own/

if [ -n "$voc" ]; then
  mkdir -p .gpu/voc/JPEGImages .gpu/voc/SegmentationClass
  total=0
  for label in "$voc"/SegmentationClass/*.png; do
    name=$(basename "$label" .png)
    total=$((total + $(stat -Lc %s "$label") + $(stat -Lc %s "$voc/JPEGImages/$name.jpg")))
    [ $total -gt $voc_bytes ] && break
    cp -L "$label" .gpu/voc/SegmentationClass/
    cp -L "$voc/JPEGImages/$name.jpg" .gpu/voc/JPEGImages/
  done
  echo ".gpu/voc: $(ls .gpu/voc/JPEGImages | wc -l) pairs"
fi
for part in .gpu/*; do
  echo "$part: $(du -sb "$part" | awk '{ printf "%.1f MiB", $1 / 1048576 }')"
done
