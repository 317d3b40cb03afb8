#!/bin/sh
# Installs what the operators are compiled with.
set -eu

# A builder behind a proxy may mount its certificates read-only. The package ca-certificates, which
# python3-venv brings, then fails to write its own, so that is skipped where certificates are there.
# The plain base image has none.
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
  dpkg-divert --quiet --rename /usr/sbin/update-ca-certificates
  ln -s /bin/true /usr/sbin/update-ca-certificates
fi
apt-get update
apt-get install -y --no-install-recommends g++ libdeflate-dev libjpeg-dev python3-venv
rm -rf /var/lib/apt/lists/*
