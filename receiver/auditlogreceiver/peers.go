// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"go.opentelemetry.io/collector/client"
)

// peers tell which cluster a request speaks for.
type peers struct {
	path     string
	fallback string
	rules    []peer
}

// peer is a compiled PeerConfig. A prefix that is not valid matches any address.
type peer struct {
	prefix   netip.Prefix
	identity string
	cluster  string
}

func compilePeers(config *WebhookConfig) peers {
	p := peers{path: config.Path, fallback: config.Cluster}
	for _, c := range config.Peers {
		prefix, _ := parsePrefix(c.Address) // Validate has seen it; empty is any address
		p.rules = append(p.rules, peer{prefix: prefix, identity: c.Identity, cluster: c.Cluster})
	}
	return p
}

// clusterOf returns the cluster of a request, or the requestError to answer with.
func (p *peers) clusterOf(r *http.Request) (string, error) {
	asked := r.PathValue("cluster")
	if asked != "" {
		if err := validateCluster("the cluster in the path", asked); err != nil {
			return "", &requestError{http.StatusBadRequest, err.Error()}
		}
	}
	known := p.match(r)
	switch {
	case known != "" && asked != "" && known != asked:
		return "", &requestError{http.StatusForbidden, fmt.Sprintf("this peer may not post for cluster %q", asked)}
	case known != "":
		return known, nil
	case asked != "":
		return asked, nil
	case p.fallback != "":
		return p.fallback, nil
	}
	return "", &requestError{
		http.StatusBadRequest,
		fmt.Sprintf("which cluster? Post to %s/<cluster>, or set webhook::cluster or webhook::peers in the receiver", p.path),
	}
}

func (p *peers) match(r *http.Request) string {
	if len(p.rules) == 0 {
		return ""
	}
	address, identities := address(r), identities(r)
	for _, rule := range p.rules {
		if rule.prefix.IsValid() && !rule.prefix.Contains(address) {
			continue
		}
		if rule.identity != "" && !slices.Contains(identities, rule.identity) {
			continue
		}
		return rule.cluster
	}
	return ""
}

func address(r *http.Request) netip.Addr {
	addrPort, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return addrPort.Addr().Unmap().WithZone("")
}

// identities are the names that TLS and the authenticator have proven. An unverified certificate proves nothing.
func identities(r *http.Request) []string {
	var names []string
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		names = append(names, r.TLS.PeerCertificates[0].Subject.CommonName)
	}
	if auth := client.FromContext(r.Context()).Auth; auth != nil {
		for _, attribute := range []string{"username", "subject"} {
			if name, ok := auth.GetAttribute(attribute).(string); ok && name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}
