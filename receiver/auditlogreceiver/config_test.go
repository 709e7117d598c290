// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/kelemetry/kelemetry/internal/auditlog"
)

func loadConfig(t *testing.T, name string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub(name)
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(config))
	return config
}

func TestConfigWithoutOptionsListensOnLocalhostAndIsSafe(t *testing.T) {
	config := loadConfig(t, "auditlog/webhook")
	require.NoError(t, confmap.Validate(config))

	assert.Equal(t, "localhost:8080", config.Webhook.Get().NetAddr.Endpoint)
	assert.False(t, config.Files.HasValue())
	assert.Equal(t, 30*time.Minute, config.Window)
	assert.Equal(t, []string{"create", "update", "patch", "delete", "deletecollection", "connect"}, config.Filter.Verbs)
	assert.True(t, config.Snapshots.Enabled)
}

func TestConfigReadsEveryOption(t *testing.T) {
	config := loadConfig(t, "auditlog/full")
	require.NoError(t, confmap.Validate(config))

	webhook := config.Webhook.Get()
	assert.Equal(t, "127.0.0.1:9443", webhook.NetAddr.Endpoint)
	assert.Equal(t, "/k8s-audit", webhook.Path)
	assert.Equal(t, "default-cluster", webhook.Cluster)
	assert.Equal(t, []PeerConfig{{Address: "10.1.0.0/16", Identity: "apiserver-prod", Cluster: "prod"}}, webhook.Peers)
	assert.Equal(t, 10*time.Second, webhook.Timeout)
	assert.EqualValues(t, 2<<20, webhook.MaxInFlightBytes)
	assert.Equal(t, "prod", config.Files.Get().Cluster)
	assert.Equal(t, "end", config.Files.Get().StartAt)
	assert.Equal(t, component.MustNewID("file_storage"), *config.Storage)
	assert.Equal(t, 15*time.Minute, config.Window)
	assert.Equal(t, []auditlog.RuleConfig{{Users: []string{"system:node:*"}, Resources: []string{"pods/status"}}}, config.Filter.Exclude)
	assert.Equal(t, auditlog.SnapshotConfig{Enabled: true, MaxSize: 1000}, config.Snapshots)
	assert.Equal(t, 4096, config.MaxEventSize)
}

func TestConfigNamesEveryMistakeAtOnce(t *testing.T) {
	require.ErrorContains(t, confmap.Validate(loadConfig(t, "auditlog/nothing")), "set webhook, files, or both")

	err := confmap.Validate(loadConfig(t, "auditlog/wrong"))
	for _, want := range []string{
		`path: must start with /`,
		`timeout: must be positive`,
		`max_in_flight_bytes: must be at least max_request_body_size`,
		`address: must be an IP address or a CIDR prefix, got "nowhere"`,
		`printable ASCII characters without spaces, got "a b"`,
		`set address, identity, or both`,
		`include: name at least one file or pattern`,
		`cluster: a cluster's name must be 1 to 253`,
		`window: must be whole seconds and at least 1m`,
		`max_event_size: must be positive`,
		`stages: must be among RequestReceived, ResponseStarted, ResponseComplete, Panic, got "Done"`,
		`verbs: name at least one`,
	} {
		require.ErrorContains(t, err, want)
	}
}
