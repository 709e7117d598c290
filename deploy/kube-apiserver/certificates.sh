#!/bin/sh
# Copyright The Kelemetry Authors
# SPDX-License-Identifier: Apache-2.0

# certificates.sh FOLDER [NAME]: makes an authority of Kelemetry's own, a certificate for the webhook (tls.crt, tls.key; NAME is
# kelemetry.kelemetry.svc unless given) and one for API servers (client.crt, client.key), for a year. Needs openssl. The
# authority's key, ca.key, makes the next ones: keep it, and not in the cluster. With cert-manager you need none of this.
set -eu
umask 077
mkdir -p "$1"
cd "$1"
name=${2:-kelemetry.kelemetry.svc}

[ -f ca.key ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 3650 -subj '/CN=kelemetry' 2>/dev/null

# sign FILE SUBJECT EXTENSIONS
sign() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>/dev/null
	printf '%s\n' "$3" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
	rm "$1.csr" "$1.ext"
}
sign tls "$name" "subjectAltName=DNS:$name
extendedKeyUsage=serverAuth"
sign client kube-apiserver "extendedKeyUsage=clientAuth"
