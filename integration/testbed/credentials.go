// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// keys are the files that kube-apiserver and its clients need. They live as long as the cluster's folder.
type keys struct {
	certFile, keyFile     string // of the server, self-signed: the certificate is its own authority
	serviceAccountKeyFile string
	cert                  []byte
}

func writeKeys(dir string) (keys, error) {
	k := keys{
		certFile:              filepath.Join(dir, "apiserver.crt"),
		keyFile:               filepath.Join(dir, "apiserver.key"),
		serviceAccountKeyFile: filepath.Join(dir, "service-account.key"),
	}
	cert, key, err := selfSigned()
	if err != nil {
		return keys{}, fmt.Errorf("make a certificate: %w", err)
	}
	k.cert = cert
	_, saKey, err := newKey()
	if err != nil {
		return keys{}, fmt.Errorf("make a key: %w", err)
	}
	for path, data := range map[string][]byte{k.certFile: cert, k.keyFile: key, k.serviceAccountKeyFile: saKey} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return keys{}, err
		}
	}
	return k, nil
}

func selfSigned() (cert, key []byte, err error) {
	private, key, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: "kelemetry-testbed"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(30 * 24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:                  true,
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost", "kubernetes.default.svc"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key, nil
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

// writeTokens writes the file for kube-apiserver's --token-auth-file.
func writeTokens(path string, users []*User) error {
	var b bytes.Buffer
	for _, u := range users {
		fmt.Fprintf(&b, "%s,%s,%s,%q\n", u.Token, u.Name, u.UID, joinGroups(u.Groups))
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}
