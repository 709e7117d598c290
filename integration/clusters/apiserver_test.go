// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package clusters

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/servers"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

// apiServer is one more kube-apiserver of a test bed's cluster, as there are several in real ones: this one may be stopped
// and started again.
type apiServer struct {
	t         *testing.T
	cluster   *testbed.Cluster
	binary    string
	etcd, url string
	port      int
	process   *exec.Cmd
}

// flagEtcd is how kube-apiserver logs its flag, with -v=1.
var flagEtcd = regexp.MustCompile(`FLAG: --etcd-servers="\[(http://127\.0\.0\.1:\d+)\]"`)

// newAPIServer starts a cluster, and prepares one more API server of it.
func newAPIServer(t *testing.T) *apiServer {
	t.Helper()
	binary, err := servers.Path(t.Context(), servers.APIServer)
	require.NoError(t, err)
	cluster := testbed.ForTest(t, testbed.Options{Components: testbed.APIServerOnly, APIServerFlags: []string{"-v=1"}})
	log, err := os.ReadFile(filepath.Join(cluster.Dir(), "kube-apiserver.log"))
	require.NoError(t, err)
	etcd := flagEtcd.FindSubmatch(log)
	require.NotNil(t, etcd, "kube-apiserver does not log where its etcd is")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	s := &apiServer{t: t, cluster: cluster, binary: binary, etcd: string(etcd[1]), port: port, url: fmt.Sprintf("https://127.0.0.1:%d", port)}
	t.Cleanup(s.kill)
	return s
}

func (s *apiServer) start() {
	s.t.Helper()
	file := func(name string) string { return filepath.Join(s.cluster.Dir(), name) }
	log, err := os.OpenFile(file("second-apiserver.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(s.t, err)
	defer log.Close()
	s.process = exec.Command(s.binary,
		"--etcd-servers="+s.etcd, "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", s.port),
		"--tls-cert-file="+file("apiserver.crt"), "--tls-private-key-file="+file("apiserver.key"), "--token-auth-file="+file("tokens.csv"),
		"--authorization-mode=RBAC", "--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+file("service-account.key"), "--service-account-signing-key-file="+file("service-account.key"),
		"--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none", "--disable-admission-plugins=ServiceAccount",
	)
	s.process.Dir, s.process.Stdout, s.process.Stderr = s.cluster.Dir(), log, log
	require.NoError(s.t, s.process.Start())
}

// kill ends it as a crash would. It may be called when it does not run.
func (s *apiServer) kill() {
	if s.process != nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
		s.process = nil
	}
}
