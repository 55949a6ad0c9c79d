#!/usr/bin/env bash
# Make the image that the Dockerfile builds on out of Debian's packages, for a machine that reaches no registry.
#   deploy/base-image.sh IMAGE
# To try the build with: it trusts what this machine trusts, and asks the package index that this machine asks.
set -euo pipefail
name=${1:?usage: base-image.sh IMAGE}
export STORAGE_DRIVER=${STORAGE_DRIVER:-vfs} BUILDAH_ISOLATION=chroot

if buildah inspect --type image "$name" >/dev/null 2>&1; then
  exit 0
fi
. /etc/os-release
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null \
  | grep -E '^(URIs:|deb )' | grep -oEm1 'https?://[^ ]+' || true)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv,python3-pip \
  "$VERSION_CODENAME" "$root" "$mirror" >"$root.log" 2>&1 || { tail "$root.log"; exit 1; }
rm -f "$root.log"
rm -rf "$root"/var/cache/apt/archives/*.deb
ln -sf python3 "$root/usr/bin/python"
cp -a /etc/ssl/certs/. "$root/etc/ssl/certs/"
if index=$(python3 -m pip config get global.index-url 2>/dev/null); then
  printf '[global]\nindex-url = %s\n' "$index" >"$root/etc/pip.conf"
fi
container=$(buildah from scratch)
buildah add -q "$container" "$root" /
buildah config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin --cmd python3 "$container"
buildah commit -q "$container" "$name"
buildah rm "$container" >/dev/null
