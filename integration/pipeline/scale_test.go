// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package pipeline

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
)

// BenchmarkScale tells what an event costs as clusters, objects and processes grow: synthetic clusters, in each namespace of which happens what was
// recorded of a roll-out, through the built binary. Processes share the namespaces out, as in docs/adr/0005-shards-by-namespace.md. The cost is to stay as
// it is: docs/scale.md.
func BenchmarkScale(b *testing.B) {
	story := readStory(b)
	for _, shape := range []struct{ clusters, namespaces, processes int }{{1, 200, 1}, {1, 2000, 1}, {10, 2000, 1}, {10, 2000, 3}, {10, 20000, 1}} {
		b.Run(fmt.Sprintf("clusters=%d/objects=%d/processes=%d", shape.clusters, shape.namespaces*len(story.objects), shape.processes), func(b *testing.B) {
			sink := collector.SinkForTest(b)
			var processes []*collector.Collector
			var urls []string
			for range shape.processes {
				webhook := testbed.FreeAddress(b)
				process, err := collector.Start(b.Context(), collector.Options{
					Root: root, Config: filepath.Join("integration", "pipeline", "testdata", "pipeline.yaml"),
					Env: []string{"WEBHOOK=" + webhook, "SINK=" + sink.Address, "COMPRESSION=none"},
				})
				require.NoError(b, err)
				processes, urls = append(processes, process), append(urls, "http://"+webhook+"/audit/")
			}
			rounds := 0
			for b.Loop() {
				for n := range shape.namespaces {
					story.post(b, urls[n%shape.processes]+"c"+strconv.Itoa(n%shape.clusters), rounds*shape.namespaces+n)
				}
				rounds++
			}
			var total, most collector.Usage
			for _, process := range processes {
				usage, err := process.Usage()
				require.NoError(b, err)
				total.CPU, most.Peak = total.CPU+usage.CPU, max(most.Peak, usage.Peak)
				require.NoError(b, process.Stop())
			}
			b.ReportMetric(float64(rounds*shape.namespaces*story.events)/total.CPU.Seconds(), "events/cpu-s")
			b.ReportMetric(float64(most.Peak)/(1<<20), "peak-MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// story is what was recorded of a namespace, in pieces between which stands what is another in each namespace.
type story struct {
	events  int
	objects []string
	pieces  [][]byte
}

var (
	// namespaced are the places that name the namespace, and uid the UIDs of objects and requests.
	namespaced = regexp.MustCompile(`"namespace":"demo"|/namespaces/demo[/?"]|system:serviceaccount:demo:`)
	uid        = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	writes     = regexp.MustCompile(`"verb":"(?:create|update|patch|delete)"`)
	object     = regexp.MustCompile(`"objectRef":\{"resource":"(deployments|replicasets|pods)","namespace":"demo","name":"([^"]+)"`)
)

// readStory takes the writes in the recording's namespace, those of Events left out.
func readStory(b *testing.B) *story {
	b.Helper()
	file, err := os.Open(filepath.Join(root, "integration", "testdata", "recording", "audit.json.gz"))
	require.NoError(b, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(b, err)
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 16<<20)
	s := &story{}
	var text bytes.Buffer
	for lines.Scan() {
		found := object.FindSubmatch(lines.Bytes())
		if found == nil || !writes.Match(lines.Bytes()) {
			continue
		}
		if s.events++; s.events > 1 {
			text.WriteByte(',')
		}
		text.Write(lines.Bytes())
		if name := string(found[1]) + "/" + string(found[2]); !slices.Contains(s.objects, name) {
			s.objects = append(s.objects, name)
		}
	}
	require.NoError(b, lines.Err())
	require.NotEmpty(b, s.objects)
	s.cut(text.Bytes())
	return s
}

// cut splits the text behind each "demo" that is a namespace, and behind the first 8 digits of each UID, in order. A piece that ends with such digits says
// so by their number, which is xored with that of the namespace.
func (s *story) cut(text []byte) {
	var ends []int
	for _, at := range namespaced.FindAllIndex(text, -1) {
		ends = append(ends, at[0]+bytes.Index(text[at[0]:at[1]], []byte("demo"))+len("demo"))
	}
	for _, at := range uid.FindAllIndex(text, -1) {
		ends = append(ends, at[0]+8)
	}
	slices.Sort(ends)
	from := 0
	for _, end := range ends {
		s.pieces = append(s.pieces, text[from:end])
		from = end
	}
	s.pieces = append(s.pieces, text[from:])
}

// write tells the story of the namespace with the number.
func (s *story) write(to *bytes.Buffer, number int) {
	to.WriteString(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[`)
	for i, piece := range s.pieces {
		to.Write(piece)
		if i == len(s.pieces)-1 {
			break
		}
		if bytes.HasSuffix(piece, []byte("demo")) {
			fmt.Fprintf(to, "-%d", number)
			continue
		}
		digits := to.Bytes()[to.Len()-8:]
		var value [4]byte
		_, _ = hex.Decode(value[:], digits) // the expression that found it says that it is hexadecimal
		for i := range value {
			value[i] ^= byte(number >> (8 * i))
		}
		hex.Encode(digits, value[:])
	}
	to.WriteString("]}")
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (s *story) post(b *testing.B, url string, number int) {
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	s.write(buffer, number)
	response, err := http.Post(url, "application/json", bytes.NewReader(buffer.Bytes()))
	require.NoError(b, err)
	_, _ = io.Copy(io.Discard, response.Body)
	require.NoError(b, response.Body.Close())
	require.Equal(b, http.StatusOK, response.StatusCode)
}
