// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package distribution

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

// TestWebhookLetsInOnlyWhoMay: each request that may not enter gets 401, 403 or an alert of TLS, and nothing of it becomes a span.
func TestWebhookLetsInOnlyWhoMay(t *testing.T) {
	dir := t.TempDir()
	ca, stranger := newAuthority(t), newAuthority(t)
	server := ca.issue(t, dir, "server", "kelemetry")
	prod := ca.issue(t, dir, "prod", "apiserver-prod")
	forged := stranger.issue(t, dir, "forged", "apiserver-prod")
	withTLS := `tls: { cert_file: "` + server.cert + `", key_file: "` + server.key + `"`

	t.Run("mTLS", func(t *testing.T) {
		sink, address, _ := startSecured(t, "", withTLS+`, client_ca_file: "`+ca.write(t, dir, "ca.crt")+`" }
      peers: [{ identity: apiserver-prod, cluster: prod }]`)
		anybody := func(certificates ...tls.Certificate) *http.Client { return ca.client(certificates...) }
		for name, tt := range map[string]struct {
			client *http.Client
			path   string
			want   int // 0: no connection
		}{
			"its own cluster":                   {anybody(prod.load(t)), "/audit/prod", http.StatusOK},
			"by its certificate alone":          {anybody(prod.load(t)), "/audit", http.StatusOK},
			"another cluster":                   {anybody(prod.load(t)), "/audit/staging", http.StatusForbidden},
			"another path":                      {anybody(prod.load(t)), "/metrics", http.StatusNotFound},
			"no certificate":                    {anybody(), "/audit/prod", 0},
			"a certificate of somebody else's":  {anybody(forged.load(t)), "/audit/prod", 0},
			"the same for a path that is not":   {anybody(forged.load(t)), "/nothing", 0},
			"no certificate for another method": {anybody(), "/audit/staging", 0},
		} {
			t.Run(name, func(t *testing.T) {
				assert.Equal(t, tt.want, send(t, tt.client, "https://"+address+tt.path, nil))
			})
		}
		assert.Equal(t, http.StatusBadRequest, send(t, http.DefaultClient, "http://"+address+"/audit/prod", nil), "without TLS")
		awaitSpans(t, sink, 2)
	})

	for name, tt := range map[string]struct{ extension, right, wrong string }{
		"bearer token": {`bearertokenauth: { token: right-token }`, "Bearer right-token", "Bearer wrong-token"},
		"basic":        {`basicauth: { htpasswd: { inline: "apiserver:right" } }`, "Basic YXBpc2VydmVyOnJpZ2h0", "Basic YXBpc2VydmVyOndyb25n"},
	} {
		t.Run(name, func(t *testing.T) {
			authenticator, _, _ := strings.Cut(tt.extension, ":")
			sink, address, _ := startSecured(t, tt.extension, withTLS+` }
      auth: { authenticator: `+authenticator+` }`)
			client := ca.client()
			for _, path := range []string{"/audit/prod", "/audit", "/nothing"} {
				url := "https://" + address + path
				assert.Equal(t, http.StatusUnauthorized, send(t, client, url, nil), "nothing, for "+path)
				assert.Equal(t, http.StatusUnauthorized, send(t, client, url, http.Header{"Authorization": {tt.wrong}}), "wrong, for "+path)
				assert.Equal(t, http.StatusUnauthorized, send(t, client, url, http.Header{"Authorization": {"Bearer"}}), "half, for "+path)
			}
			assert.Equal(t, http.StatusOK, send(t, client, "https://"+address+"/audit/prod", http.Header{"Authorization": {tt.right}}))
			awaitSpans(t, sink, 1)
		})
	}
}

// TestAPIServerPostsWithAClientCertificate, as its kubeconfig says; one that has a certificate of another authority posts nothing.
func TestAPIServerPostsWithAClientCertificate(t *testing.T) {
	dir := t.TempDir()
	ca, stranger := newAuthority(t), newAuthority(t)
	server := ca.issue(t, dir, "server", "kelemetry")
	authority := ca.write(t, dir, "ca.crt")
	sink, address, process := startSecured(t, "", `tls: { cert_file: "`+server.cert+`", key_file: "`+server.key+`", client_ca_file: "`+authority+`" }
      peers: [{ identity: apiserver, cluster: prod }]`)
	act := func(c identity) {
		cluster := testbed.ForTest(t, testbed.Options{Components: testbed.APIServerOnly, APIServerFlags: []string{
			"--audit-webhook-config-file=" + write(t, t.TempDir(), "webhook.kubeconfig", `{"apiVersion":"v1","kind":"Config","current-context":"c",
"clusters":[{"name":"c","cluster":{"server":"https://`+address+`/audit","certificate-authority":"`+authority+`"}}],
"users":[{"name":"u","user":{"client-certificate":"`+c.cert+`","client-key":"`+c.key+`"}}],"contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}]}`),
			"--audit-webhook-batch-max-wait=100ms", "--audit-webhook-initial-backoff=100ms",
		}})
		_, err := cluster.Alice.Client.CoreV1().ConfigMaps(metav1.NamespaceDefault).List(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
	}
	act(stranger.issue(t, dir, "forged", "apiserver"))
	require.Eventually(t, func() bool { return strings.Contains(process.Tail(), "TLS handshake error") }, patience, 100*time.Millisecond, "it has tried")
	require.Zero(t, sink.Spans(), "what a stranger posts is not taken")
	act(ca.issue(t, dir, "client", "apiserver"))
	require.Eventually(t, func() bool { return sink.Spans() > 0 }, patience, 100*time.Millisecond)
}

// startSecured runs the receiver with these options of its webhook and an authenticator, and no more than an exporter behind it.
func startSecured(t *testing.T, extension, options string) (sink *collector.Sink, address string, process *collector.Collector) {
	t.Helper()
	sink, address = collector.SinkForTest(t), testbed.FreeAddress(t)
	name, _, _ := strings.Cut(extension, ":")
	config := write(t, t.TempDir(), "secured.yaml", `
extensions:
  `+extension+`
receivers:
  auditlog:
    webhook:
      endpoint: "`+address+`"
      cluster: fallback
      `+options+`
exporters:
  otlp_grpc: { endpoint: "`+sink.Address+`", tls: { insecure: true } }
service:
  telemetry: { metrics: { level: none } }
  extensions: [`+name+`]
  pipelines:
    traces: { receivers: [auditlog], exporters: [otlp_grpc] }
`)
	process = collector.ForTest(t, collector.Options{Root: root, Config: config})
	return sink, address, process
}

// send posts a batch of one event and returns the answer's status, which is 0 if there was no connection. Whoever is refused is not told more
// than that.
func send(t *testing.T, client *http.Client, url string, header http.Header) int {
	t.Helper()
	const body = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"level":"Metadata","auditID":"a","stage":"ResponseComplete","verb":"patch",` +
		`"requestURI":"/x","user":{"username":"alice"},"objectRef":{"resource":"pods","namespace":"d","name":"p","apiVersion":"v1"},` +
		`"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-01-02T03:04:05.000000Z","stageTimestamp":"2026-01-02T03:04:06.000000Z"}]}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	request.Header = http.Header{"Content-Type": {"application/json"}}
	for key, values := range header {
		request.Header[key] = values
	}
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Less(t, len(answer), 200, "%s", answer)
	assert.NotContains(t, string(answer), "right", "credentials are not told")
	return response.StatusCode
}

// awaitSpans waits for what was let in, and sees that nothing else came with it.
func awaitSpans(t *testing.T, sink *collector.Sink, want int64) {
	t.Helper()
	require.Eventually(t, func() bool { return sink.Spans() >= want }, patience, 50*time.Millisecond)
	assert.Equal(t, want, sink.Spans())
}

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// identity is a certificate in files.
type identity struct{ cert, key string }

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{certificate: certificate, key: key}
}

func (a *authority) write(t *testing.T, dir, name string) string {
	t.Helper()
	return write(t, dir, name, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})))
}

// issue makes a certificate for both ends, of which a server on this machine may be one.
func (a *authority) issue(t *testing.T, dir, name, commonName string) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: commonName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.certificate, key.Public(), a.key)
	require.NoError(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	return identity{
		cert: write(t, dir, name+".crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		key:  write(t, dir, name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}))),
	}
}

func (i identity) load(t *testing.T) tls.Certificate {
	t.Helper()
	certificate, err := tls.LoadX509KeyPair(i.cert, i.key)
	require.NoError(t, err)
	return certificate
}

// client trusts the authority, and shows a certificate whoever the server says it trusts.
func (a *authority) client(certificates ...tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	config := &tls.Config{RootCAs: roots, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if len(certificates) == 0 {
			return new(tls.Certificate), nil
		}
		return &certificates[0], nil
	}}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
}
