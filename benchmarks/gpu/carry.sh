#!/usr/bin/env bash
# Packs what a GPU machine without a package index needs, for `on_machine.sh` there.
#
#     bash benchmarks/gpu/carry.sh [VOC2012]
#
# In the repository's root this writes .gpu/1 and .gpu/2 (DALI, each half for a call of its own),
# .gpu/own (this project's wheel, of the sources as they are now) and .gpu/voc (of the folder
# VOC2012, as many pairs as fit), which git ignores from then on. BUNDLE says where make_bundle.py
# lies, PYTHON which Python has what builds the wheel (see CONTRIBUTING.md).
set -euo pipefail
cd "$(dirname "$0")/../.."
voc=${1:-}
bundle=${BUNDLE:-../shared/gpu/make_bundle.py}
python=${PYTHON:-python3}
voc_bytes=$((28 * 1024 * 1024)) # with .gpu/1 and the repository below 64 MiB

exclude=$(git rev-parse --git-path info/exclude)
mkdir -p "$(dirname "$exclude")"
grep -qxF /.gpu/ "$exclude" 2> /dev/null || echo /.gpu/ >> "$exclude"

if [ ! -f .gpu/2/site.tar.xz.part ]; then
  # the rest of what dali_voc imports is on the machine: torch, numpy, pillow, pyyaml, typer, rich
  python3 "$bundle" --out .gpu --add pydantic==2.14.4 pydantic-core==2.50.5 annotated-types \
    typing-inspection ijson
fi

rm -rf .gpu/own.new
"$python" -m pip wheel . --no-deps --no-build-isolation -q -w .gpu/own.new
rm -rf .gpu/own .gpu/voc
mv .gpu/own.new .gpu/own

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
tracked=$(git ls-files -z | xargs -0 du -bc 2> /dev/null | awk '/total$/ { sum += $1 } END { print sum }')
echo "the repository: $(awk "BEGIN { printf \"%.1f MiB\", $tracked / 1048576 }")"
for part in .gpu/*; do
  echo "$part: $(du -sb "$part" | awk '{ printf "%.1f MiB", $1 / 1048576 }')"
done
