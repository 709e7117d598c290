// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/kelemetry/kelemetry/integration/servers"
)

// plane starts the processes of a control plane, each after what it needs.
type plane struct {
	*bed
	opts     Options
	binaries binaries

	keys                                     keys
	etcdPort, peerPort, apiPort, kubeletPort int
	people                                   []*User // Admin, Alice, Bob, Mallory, then those of the options
	controllers, scheduler, kwok             *User
}

type binaries map[servers.Server]string

// findBinaries builds what is not in the cache yet, before any time limit of the start begins to run.
func findBinaries(ctx context.Context, c Components) (binaries, error) {
	wanted := []servers.Server{servers.Etcd, servers.APIServer}
	for component, server := range map[Components]servers.Server{
		ControllerManager: servers.ControllerManager, Scheduler: servers.Scheduler, Kwok: servers.Kwok,
	} {
		if c.has(component) {
			wanted = append(wanted, server)
		}
	}
	found := make(binaries)
	for _, s := range wanted {
		path, err := servers.Path(ctx, s)
		if err != nil {
			return nil, err
		}
		found[s] = path
	}
	return found, nil
}

func (p *plane) url() string { return fmt.Sprintf("https://%s", addr(p.apiPort)) }

// prepare writes every file that does not depend on a running server.
func (p *plane) prepare() error {
	ports, err := freePorts(4)
	if err != nil {
		return err
	}
	p.etcdPort, p.peerPort, p.apiPort, p.kubeletPort = ports[0], ports[1], ports[2], ports[3]
	if p.keys, err = writeKeys(p.dir); err != nil {
		return err
	}
	p.people = []*User{
		newUser("admin", false, "system:masters"),
		newUser("alice", true, "developers"),
		newUser("bob", true, "operators"),
		newUser("mallory", false, "guests"),
	}
	for _, u := range p.opts.Users {
		p.people = append(p.people, newUser(u.Name, u.ClusterAdmin, u.Groups...))
	}
	p.controllers = newUser("system:kube-controller-manager", false)
	p.scheduler = newUser("system:kube-scheduler", false)
	// It acts for the kubelets of all nodes, as which it cannot log in one by one.
	p.kwok = newUser("kwok", false, "system:masters")
	all := append([]*User{p.controllers, p.scheduler, p.kwok}, p.people...)
	for _, u := range all {
		if err := u.connect(p.dir, p.url(), p.keys.cert); err != nil {
			return err
		}
	}
	return writeTokens(p.tokenFile(), all)
}

func (p *plane) tokenFile() string { return filepath.Join(p.dir, "tokens.csv") }

func (p *plane) startAPIServer(ctx context.Context) error {
	client, peer := "http://"+addr(p.etcdPort), "http://"+addr(p.peerPort)
	etcd, err := p.run("etcd", p.binaries[servers.Etcd],
		"--data-dir="+filepath.Join(p.dir, "etcd"),
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer,
		// The data need not outlive the machine.
		"--unsafe-no-fsync",
		"--log-level=warn",
	)
	if err != nil {
		return err
	}
	if err := etcd.await(ctx, func(ctx context.Context) error { return getOK(ctx, http.DefaultClient, client+"/health") }); err != nil {
		return err
	}
	flags, err := p.apiServerFlags(client)
	if err != nil {
		return err
	}
	server, err := p.run("kube-apiserver", p.binaries[servers.APIServer], flags...)
	if err != nil {
		return err
	}
	return server.await(ctx, func(ctx context.Context) error {
		return getOK(ctx, p.people[0].httpClient, p.url()+"/readyz")
	})
}

func (p *plane) apiServerFlags(etcd string) ([]string, error) {
	audit, err := p.opts.Audit.flags(p.dir)
	if err != nil {
		return nil, err
	}
	flags := []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--external-hostname=localhost",
		"--kubelet-preferred-address-types=InternalIP",
		fmt.Sprintf("--secure-port=%d", p.apiPort),
		"--tls-cert-file=" + p.keys.certFile,
		"--tls-private-key-file=" + p.keys.keyFile,
		"--token-auth-file=" + p.tokenFile(),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + p.keys.serviceAccountKeyFile,
		"--service-account-signing-key-file=" + p.keys.serviceAccountKeyFile,
		"--service-cluster-ip-range=10.96.0.0/16",
		// An endpoint must not be a loopback address, and there is no other.
		"--endpoint-reconciler-type=none",
	}
	if !p.opts.Components.has(ControllerManager) {
		// Nothing makes the ServiceAccounts without which it refuses every Pod.
		flags = append(flags, "--disable-admission-plugins=ServiceAccount")
	}
	flags = append(flags, audit...)
	return append(flags, p.opts.APIServerFlags...), nil
}

// unlimited lifts the limit that clients of kube-apiserver put on themselves. The start of the controllers is mostly waiting for it.
var unlimited = []string{"--kube-api-qps=1000", "--kube-api-burst=2000"}

// startComponents starts what talks to kube-apiserver. None of it listens, but for the kubelet that kwok plays for all nodes.
func (p *plane) startComponents() error {
	if p.opts.Components.has(ControllerManager) {
		if _, err := p.run("kube-controller-manager", p.binaries[servers.ControllerManager], append(unlimited,
			"--kubeconfig="+p.controllers.Kubeconfig,
			"--secure-port=0",
			"--leader-elect=false",
			// Each controller acts as its own service account, so that audit events tell them apart.
			"--use-service-account-credentials=true",
			"--service-account-private-key-file="+p.keys.serviceAccountKeyFile,
			"--root-ca-file="+p.keys.certFile,
		)...); err != nil {
			return err
		}
	}
	if p.opts.Components.has(Scheduler) {
		if _, err := p.run("kube-scheduler", p.binaries[servers.Scheduler], append(unlimited,
			"--kubeconfig="+p.scheduler.Kubeconfig,
			"--secure-port=0",
			"--leader-elect=false",
		)...); err != nil {
			return err
		}
	}
	if p.opts.Components.has(Kwok) {
		stages, err := p.writeStages()
		if err != nil {
			return fmt.Errorf("configure kwok: %w", err)
		}
		if _, err := p.run("kwok", p.binaries[servers.Kwok],
			"--kubeconfig="+p.kwok.Kubeconfig,
			"--config="+stages,
			"--manage-all-nodes=true",
			// As kubelets do: it is a large part of a real audit log.
			"--node-lease-duration-seconds=40",
			// Where exec and its like go. No command is configured, so it refuses them.
			"--server-address="+addr(p.kubeletPort),
			"--node-ip=127.0.0.1",
			fmt.Sprintf("--node-port=%d", p.kubeletPort),
		); err != nil {
			return err
		}
	}
	return nil
}

// writeStages puts the stages that kwok ships into one file.
func (p *plane) writeStages() (string, error) {
	shipped := filepath.Join(filepath.Dir(p.binaries[servers.Kwok]), "stage")
	var all bytes.Buffer
	for _, set := range []string{"node/fast", "node/heartbeat-with-lease", "pod/" + string(p.opts.Pods)} {
		files, err := filepath.Glob(filepath.Join(shipped, filepath.FromSlash(set), "*.yaml"))
		if err != nil {
			return "", err
		}
		for _, file := range files {
			if filepath.Base(file) == "kustomization.yaml" {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			all.WriteString("---\n")
			all.Write(data)
			all.WriteString("\n")
		}
	}
	if all.Len() == 0 {
		return "", fmt.Errorf("no stages in %s", shipped)
	}
	path := filepath.Join(p.dir, "kwok.yaml")
	return path, os.WriteFile(path, all.Bytes(), 0o600)
}

func getOK(ctx context.Context, client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return nil
}
