// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/client"
)

type authData map[string]string

func (a authData) GetAttribute(name string) any { return a[name] }

func (a authData) GetAttributeNames() []string { return nil }

func TestClusterOfARequest(t *testing.T) {
	rules := []PeerConfig{
		{Address: "10.1.0.0/16", Cluster: "by-prefix"},
		{Address: "10.2.0.7", Identity: "apiserver", Cluster: "by-both"},
		{Identity: "apiserver", Cluster: "by-identity"},
		{Address: "fd00::/8", Cluster: "by-prefix6"},
	}
	certificate := &tls.ConnectionState{
		PeerCertificates: []*x509.Certificate{{Subject: pkix.Name{CommonName: "apiserver"}}},
		VerifiedChains:   [][]*x509.Certificate{{}},
	}
	unverified := &tls.ConnectionState{PeerCertificates: certificate.PeerCertificates}

	for name, tt := range map[string]struct {
		asked, fallback, address string
		peers                    []PeerConfig
		tls                      *tls.ConnectionState
		auth                     client.AuthData
		want                     string
		status                   int
	}{
		"from the path":                        {asked: "a", want: "a"},
		"path before fallback":                 {asked: "a", fallback: "f", want: "a"},
		"fallback":                             {fallback: "f", want: "f"},
		"unknown is refused":                   {status: http.StatusBadRequest},
		"spaces are refused":                   {asked: "a b", status: http.StatusBadRequest},
		"too long is refused":                  {asked: strings.Repeat("x", 254), status: http.StatusBadRequest},
		"by address":                           {peers: rules, address: "10.1.2.3:5", want: "by-prefix"},
		"by mapped address":                    {peers: rules, address: "[::ffff:10.1.2.3]:5", want: "by-prefix"},
		"by IPv6 address":                      {peers: rules, address: "[fd00::1]:5", want: "by-prefix6"},
		"by address and identity":              {peers: rules, address: "10.2.0.7:5", tls: certificate, want: "by-both"},
		"by certificate":                       {peers: rules, address: "10.9.9.9:5", tls: certificate, want: "by-identity"},
		"an unverified certificate is nothing": {peers: rules, address: "10.9.9.9:5", tls: unverified, status: http.StatusBadRequest},
		"by user name":                         {peers: rules, address: "10.9.9.9:5", auth: authData{"username": "apiserver"}, want: "by-identity"},
		"by subject":                           {peers: rules, address: "10.9.9.9:5", auth: authData{"subject": "apiserver"}, want: "by-identity"},
		"a known peer speaks for itself":       {peers: rules, address: "10.1.2.3:5", asked: "by-prefix", want: "by-prefix"},
		"a known peer speaks for no other":     {peers: rules, address: "10.1.2.3:5", asked: "other", status: http.StatusForbidden},
		"an unknown peer may name its cluster": {peers: rules, address: "10.9.9.9:5", asked: "other", want: "other"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/audit", nil)
			r.SetPathValue("cluster", tt.asked)
			r.TLS = tt.tls
			if tt.address != "" {
				r.RemoteAddr = tt.address
			}
			r = r.WithContext(client.NewContext(r.Context(), client.Info{Auth: tt.auth}))
			p := compilePeers(&WebhookConfig{Path: "/audit", Cluster: tt.fallback, Peers: tt.peers})

			got, err := p.clusterOf(r)
			assert.Equal(t, tt.want, got)
			if tt.status != 0 {
				status, _ := statusOf(err)
				assert.Equal(t, tt.status, status)
			} else {
				assert.NoError(t, err)
			}
		})
	}
}
