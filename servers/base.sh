#!/bin/sh
# Makes the image debian:bookworm-slim, from which all images of the fleet are
# built, on a machine that no registry can be reached from. It needs root,
# debootstrap and a mirror of Debian: the one of this machine's apt, or $MIRROR.
set -eu
image=debian:bookworm-slim
if docker image inspect "$image" >/dev/null 2>&1; then
  echo "$image is there"
  exit 0
fi
command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "debootstrap needs root: sudo make base-image" >&2; exit 1; }
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null | head -n 1)}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
debootstrap --variant=minbase bookworm "$dir/root" "${mirror:-http://deb.debian.org/debian}" >"$dir/log" 2>&1 ||
  { tail -n 5 "$dir/log" >&2; exit 1; }
# What the slim image of Debian leaves out.
rm -rf "$dir/root"/var/cache/apt/archives/*.deb "$dir/root"/var/lib/apt/lists/* "$dir/root"/usr/share/doc/* "$dir/root"/usr/share/man/*
tar -C "$dir/root" -c . | docker import --change 'CMD ["bash"]' - "$image" >/dev/null
echo "$image is made"
