#!/bin/sh
# Copyright The Kelemetry Authors
# SPDX-License-Identifier: Apache-2.0

# rootfs.sh BINARY FOLDER: makes the file system of the image. The Dockerfile calls it, and so can whoever has no engine:
#   make build && deploy/image/rootfs.sh bin/kelemetry rootfs && tar --numeric-owner -C rootfs -cf kelemetry.tar .
# Started by root, it leaves a folder in which the image's user may write: /var/lib/kelemetry, for a volume.
set -eu
binary=$1 root=$2

mkdir -p "$root/etc/ssl/certs" "$root/etc/kelemetry" "$root/var/lib/kelemetry"
install -m 0555 "$binary" "$root/kelemetry"
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
	install -m 0444 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
fi
echo 'kelemetry:x:65532:65532::/var/lib/kelemetry:/' >"$root/etc/passwd"
echo 'kelemetry:x:65532:' >"$root/etc/group"
if [ "$(id -u)" = 0 ]; then
	chown 65532:65532 "$root/var/lib/kelemetry"
fi
