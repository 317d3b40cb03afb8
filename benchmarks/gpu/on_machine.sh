# To be sourced on the GPU machine, in the repository's root, in every call:
#
#     . benchmarks/gpu/on_machine.sh
#
# Keeps what this call has carried (see carry.sh) outside the repository, in the place of what an
# earlier one has. Once both halves of DALI are there, unpacks them, and lets Python find DALI, this
# checkout's dali_voc, and in it the plugin of the wheel that was carried last. VOC is then the
# folder of the real pairs, or empty.
kept=${CARRIED:-/tmp/carried}
mkdir -p "$kept"
for part in 1 2 own voc; do
  if [ -d ".gpu/$part" ] && ! diff -rq ".gpu/$part" "$kept/$part" > /dev/null 2>&1; then
    rm -rf "${kept:?}/$part"
    cp -r ".gpu/$part" "$kept/"
    case $part in 1 | 2) rm -rf "${kept:?}/site" ;; esac
  fi
done
VOC=$([ -d "$kept/voc" ] && echo "$kept/voc" || true)
export VOC
if [ ! -d "$kept/1" ] || [ ! -d "$kept/2" ] || [ ! -d "$kept/own" ]; then
  echo "kept: $(ls "$kept" | tr '\n' ' ')"
elif python3 - "$kept" << 'EOF'
import io, pathlib, shutil, sys, tarfile, zipfile

kept = pathlib.Path(sys.argv[1])
site = kept / "site"
if not site.is_dir():
    new = kept / "site.new"
    shutil.rmtree(new, ignore_errors=True)
    halves = b"".join((kept / part / "site.tar.xz.part").read_bytes() for part in "12")
    with tarfile.open(fileobj=io.BytesIO(halves), mode="r:xz") as archive:
        archive.extractall(new, filter="data")
    new.rename(site)
(path,) = (kept / "own").glob("*.whl")
with zipfile.ZipFile(path) as wheel:
    for name in wheel.namelist():
        if name.startswith("dali_voc/ops/") and not name.endswith((".py", "/")):
            wheel.extract(name)  # where Python looks first, there are only the plugin's sources
        elif ".dist-info/" in name:
            wheel.extract(name, site)
EOF
then
  export PYTHONPATH="$PWD:$kept/site${PYTHONPATH:+:$PYTHONPATH}"
  echo "unpacked: $kept/site"
else
  echo "could not be unpacked: what was carried is damaged" >&2
  false # what comes after '&&' would take the machine's time for nothing
fi
