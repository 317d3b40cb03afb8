# To be sourced on the GPU machine, in the repository's root, in every call:
#
#     . benchmarks/gpu/on_machine.sh
#
# Keeps what this call has carried (see carry.sh) outside the repository; once both halves of DALI
# are there, unpacks them, and lets Python find DALI, dali_voc and the plugin. VOC is then the
# folder of the real pairs, or empty.
kept=${CARRIED:-/tmp/carried}
mkdir -p "$kept"
for part in 1 2 own voc; do
  if [ -d ".gpu/$part" ] && [ ! -d "$kept/$part" ]; then
    cp -r ".gpu/$part" "$kept/"
  fi
done
if [ ! -d "$kept/site" ] && [ -d "$kept/1" ] && [ -d "$kept/2" ] && [ -d "$kept/own" ]; then
  python3 - "$kept" << 'EOF'
import io, pathlib, sys, tarfile, zipfile

kept = pathlib.Path(sys.argv[1])
new = kept / "site.new"
halves = b"".join((kept / part / "site.tar.xz.part").read_bytes() for part in "12")
with tarfile.open(fileobj=io.BytesIO(halves), mode="r:xz") as archive:
    archive.extractall(new, filter="data")
(wheel,) = (kept / "own").glob("*.whl")
zipfile.ZipFile(wheel).extractall(new)
new.rename(kept / "site")
EOF
fi
if [ -d "$kept/site" ]; then
  export PYTHONPATH="$kept/site${PYTHONPATH:+:$PYTHONPATH}"
  # Python looks into the repository first, which has the plugin's sources only
  cp -r "$kept/site/dali_voc/." dali_voc/
  echo "unpacked: $kept/site"
else
  echo "kept: $(ls "$kept" | tr '\n' ' ')"
fi
VOC=$([ -d "$kept/voc" ] && echo "$kept/voc" || true)
export VOC
