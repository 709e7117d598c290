// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// recorded returns the states of Pods in the recorded audit log, in their order, as API servers send them.
func recorded(b *testing.B) (texts []string, size int64) {
	b.Helper()
	file, err := os.Open("../../integration/testdata/recording/audit.json.gz")
	require.NoError(b, err)
	defer file.Close()
	unzip, err := gzip.NewReader(file)
	require.NoError(b, err)
	lines := bufio.NewScanner(unzip)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct {
			ResponseObject json.RawMessage
		}
		require.NoError(b, json.Unmarshal(lines.Bytes(), &event))
		if strings.HasPrefix(string(event.ResponseObject), `{"kind":"Pod",`) && strings.Contains(string(event.ResponseObject), `"resourceVersion":"`) {
			texts = append(texts, string(event.ResponseObject))
			size += int64(len(event.ResponseObject))
		}
	}
	require.NoError(b, lines.Err())
	require.NotEmpty(b, texts)
	return texts, size / int64(len(texts))
}

var pods = target{GroupVersionResource: deployments.GroupVersionResource, Kind: "Pod", Namespaced: true}

// BenchmarkUpdate is the whole way of an update of a recorded Pod: read, redacted, compared, packed, and made a span of.
func BenchmarkUpdate(b *testing.B) {
	texts, size := recorded(b)
	r := newRig(b, createDefaultConfig().(*Config), pods)
	r.list(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%1000 == 0 {
			r.told = nil
			r.batch = objectspan.NewBatch(1800e9, "bench", "")
		}
		// Again and again the same states, each time with another version.
		text := strings.Replace(texts[i%len(texts)], `"resourceVersion":"`, fmt.Sprintf(`"resourceVersion":"%d`, i), 1)
		item, err := r.read([]byte(text), false)
		if err == nil {
			err = r.Update(item)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKept reads a first list of Pods and tells what is kept of each.
func BenchmarkKept(b *testing.B) {
	texts, size := recorded(b)
	b.SetBytes(size)
	b.ReportAllocs()
	var r *rig
	n := 0
	for i := 0; b.Loop(); i++ {
		if i%5000 == 0 {
			r, n = newRig(b, createDefaultConfig().(*Config), pods), 0
			r.started = epoch.AddDate(1, 0, 0) // the Pods were there before
		}
		n++
		text := strings.Replace(texts[i%len(texts)], `"name":"`, fmt.Sprintf(`"name":"%d-`, i), 1)
		if _, err := r.read([]byte(text), true); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(r.budget.Used())/float64(n), "B/object")
}
