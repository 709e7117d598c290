// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/metadata"
)

// logDir is a folder of audit logs and the storage for their offsets, which survive the receiver.
type logDir struct {
	t         *testing.T
	dir       string
	storageID component.ID
	storage   extension.Extension
}

func newLogDir(t *testing.T) *logDir {
	t.Helper()
	d := &logDir{t: t, dir: t.TempDir(), storageID: component.MustNewID("file_storage")}
	factory := filestorage.NewFactory()
	config := factory.CreateDefaultConfig().(*filestorage.Config)
	config.Directory = t.TempDir()
	var err error
	d.storage, err = factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), config)
	require.NoError(t, err)
	require.NoError(t, d.storage.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, d.storage.Shutdown(context.WithoutCancel(t.Context()))) })
	return d
}

// GetExtensions makes the folder a component.Host.
func (d *logDir) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{d.storageID: d.storage}
}

func (d *logDir) append(name, text string) {
	d.t.Helper()
	file, err := os.OpenFile(filepath.Join(d.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(d.t, err)
	_, err = file.WriteString(text)
	require.NoError(d.t, err)
	require.NoError(d.t, file.Close())
}

// read starts a receiver on the folder and returns how to stop it.
func (d *logDir) read(next consumer.Traces) (stop func()) {
	d.t.Helper()
	config := createDefaultConfig().(*Config)
	files := config.Files.GetOrInsertDefault()
	files.Include = []string{filepath.Join(d.dir, "audit*")}
	files.Cluster = "prod"
	files.PollInterval = 10 * time.Millisecond
	files.Retry.InitialInterval = time.Millisecond
	config.Storage = &d.storageID
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type) // offsets belong to the ID
	r, err := NewFactory().CreateTraces(d.t.Context(), set, config, next)
	require.NoError(d.t, err)
	require.NoError(d.t, r.Start(d.t.Context(), d))
	return func() { require.NoError(d.t, r.Shutdown(context.WithoutCancel(d.t.Context()))) }
}

func waitForIDs(t *testing.T, sink *consumertest.TracesSink, want ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.ElementsMatch(c, want, auditIDs(sink.AllTraces()))
	}, 10*time.Second, 5*time.Millisecond)
}

func TestFilesAreFollowedThroughRotationAndRestart(t *testing.T) {
	d, sink := newLogDir(t), new(consumertest.TracesSink)
	d.append("audit.log", event("a", "create")+"\n")
	stop := d.read(sink)
	waitForIDs(t, sink, "a")

	d.append("audit.log", event("b", "update")+"\n")
	waitForIDs(t, sink, "a", "b")

	require.NoError(t, os.Rename(filepath.Join(d.dir, "audit.log"), filepath.Join(d.dir, "audit-2026.log")))
	d.append("audit.log", event("c", "patch")+"\n")
	waitForIDs(t, sink, "a", "b", "c")

	stop()
	d.append("audit.log", event("d", "delete")+"\n")
	stop = d.read(sink)
	waitForIDs(t, sink, "a", "b", "c", "d")
	stop()
}

func TestRotatedFilesThatAreCompressedAreReadOnce(t *testing.T) {
	d, sink := newLogDir(t), new(consumertest.TracesSink)
	d.append("audit-old.log.gz", gzipped(t, event("old", "create")+"\n"))
	stop := d.read(sink)
	defer stop()
	waitForIDs(t, sink, "old")

	lines := event("a", "create") + "\n" + event("b", "update") + "\n"
	d.append("audit.log", lines)
	waitForIDs(t, sink, "old", "a", "b")

	// kube-apiserver --audit-log-compress writes the copy, then removes the original.
	d.append("audit-2026.log.gz", gzipped(t, lines))
	require.NoError(t, os.Remove(filepath.Join(d.dir, "audit.log")))
	d.append("audit.log", event("c", "delete")+"\n")
	waitForIDs(t, sink, "old", "a", "b", "c")
}

func TestATornLastLineWaitsForItsRest(t *testing.T) {
	d, sink := newLogDir(t), new(consumertest.TracesSink)
	torn := event("b", "update")
	d.append("audit.log", event("a", "create")+"\n"+torn[:100])
	stop := d.read(sink)
	defer stop()
	waitForIDs(t, sink, "a")

	// A later line in another file has been read after the torn one was seen several times.
	d.append("audit-other.log", event("c", "create", `"padding":"other file"`)+"\n")
	waitForIDs(t, sink, "a", "c")
	d.append("audit.log", torn[100:]+"\n")
	waitForIDs(t, sink, "a", "b", "c")
}

func TestALineThatIsNoEventDoesNotStopTheFile(t *testing.T) {
	d, sink := newLogDir(t), new(consumertest.TracesSink)
	d.append("audit.log", "panic: not JSON\n"+event("a", "create")+"\n{}\n\n"+event("b", "create")+"\n")
	stop := d.read(sink)
	defer stop()
	waitForIDs(t, sink, "a", "b")
}

// refusing is a pipeline that can be switched between refusing everything and taking it.
type refusing struct {
	consumertest.TracesSink
	accepts  atomic.Bool
	attempts atomic.Int64
}

func (r *refusing) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	r.attempts.Add(1)
	if !r.accepts.Load() {
		return errors.New("not now")
	}
	return r.TracesSink.ConsumeTraces(ctx, traces)
}

func TestOffsetsMoveOnlyAfterThePipelineAccepted(t *testing.T) {
	d, next := newLogDir(t), new(refusing)
	d.append("audit.log", event("a", "create")+"\n"+event("b", "update")+"\n")
	stop := d.read(next)
	require.Eventually(t, func() bool { return next.attempts.Load() >= 3 }, 10*time.Second, time.Millisecond)
	stop()
	require.Empty(t, next.AllTraces())

	next.accepts.Store(true)
	stop = d.read(next)
	waitForIDs(t, &next.TracesSink, "a", "b")
	stop()

	stop = d.read(next)
	d.append("audit.log", event("c", "delete")+"\n")
	waitForIDs(t, &next.TracesSink, "a", "b", "c")
	stop()
}

func TestARefusedBatchIsTriedAgain(t *testing.T) {
	d, next := newLogDir(t), new(refusing)
	d.append("audit.log", event("a", "create")+"\n")
	stop := d.read(next)
	defer stop()
	require.Eventually(t, func() bool { return next.attempts.Load() >= 2 }, 10*time.Second, time.Millisecond)
	next.accepts.Store(true)
	waitForIDs(t, &next.TracesSink, "a")
}

func TestAStorageThatIsNoneIsNamed(t *testing.T) {
	config := createDefaultConfig().(*Config)
	files := config.Files.GetOrInsertDefault()
	files.Include, files.Cluster = []string{"/nowhere/*"}, "prod"
	id := component.MustNewIDWithName("file_storage", "audit")
	config.Storage = &id
	r, err := NewFactory().CreateTraces(t.Context(), receivertest.NewNopSettings(metadata.Type), config, consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), `"file_storage/audit" is no storage extension; declare one`)
	require.NoError(t, r.Shutdown(t.Context()))
}
