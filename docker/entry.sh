#!/bin/sh
# What `docker run IMAGE ...` runs: `demo` is `dali-voc demo`, other programs are run as they are.
case "${1-}" in
  bench | config | demo | doctor | download | index | pack | preview | stats | verify | -* | "") ;;
  *) command -v "$1" >/dev/null && exec "$@" ;;
esac
exec dali-voc "$@"
