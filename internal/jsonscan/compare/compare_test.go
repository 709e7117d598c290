// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compare

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func recording(tb testing.TB) (events [][]byte) {
	tb.Helper()
	file, err := os.Open(filepath.Join("..", "..", "..", "integration", "testdata", "recording", "audit.json.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		events = append(events, bytes.Clone(lines.Bytes()))
	}
	return events
}

func TestAllReadTheSameOfRecordedEvents(t *testing.T) {
	for _, event := range recording(t) {
		want, err := approaches[0].read(event)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range approaches[1:] {
			got, err := a.read(event)
			if err != nil {
				t.Fatalf("%s: %v", a.name, err)
			}
			want, got := want, got
			want.response, got.response = nil, nil
			if fmt.Sprint(want) != fmt.Sprint(got) {
				t.Fatalf("%s: %v, want %v", a.name, got, want)
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	events := recording(b)
	for _, a := range approaches {
		b.Run(a.name, func(b *testing.B) {
			b.ReportAllocs()
			start := cpu()
			for b.Loop() {
				for _, event := range events {
					if _, err := a.read(event); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric((cpu()-start).Seconds()*1e6/float64(b.N*len(events)), "cpu-µs/event")
		})
	}
}

func cpu() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// hostile are texts that are not JSON, and one that is.
var hostile = map[string]string{
	"cut in a body":               `{"auditID":"a","responseObject":{"a":[1,2`,
	"a bracket that was not open": `{"auditID":"a","responseObject":{"a":1]}}`,
	"a control character":         "{\"auditID\":\"a\",\"responseObject\":{\"a\":\"\x01\"}}",
	"an escape that is none":      `{"auditID":"a","responseObject":{"a":"\x"}}`,
	"a number that is none":       `{"auditID":"a","responseObject":{"a":01.e}}`,
	"a word that is none":         `{"auditID":"a","responseObject":{"a":nul}}`,
	"no comma":                    `{"auditID":"a" "verb":"b","responseObject":{"a":1 "b":2}}`,
	"something behind":            `{"auditID":"a"} {"auditID":"b"}`,
	"20,000 arrays in each other": `{"auditID":"a","responseObject":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`,
	"duplicate keys (valid)":      `{"auditID":"a","auditID":"b"}`,
}

// TestHostile holds jsonscan to encoding/json, and tells with -v what the others take.
func TestHostile(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(hostile)) {
		text := hostile[name]
		valid := json.Valid([]byte(text))
		for _, a := range approaches {
			verdict := judge(a, []byte(text))
			if a.name == "jsonscan" && verdict != fmt.Sprint(valid) {
				t.Errorf("%s: taken=%s, valid=%t", name, verdict, valid)
			}
			if verdict != fmt.Sprint(valid) {
				t.Logf("%-28s valid=%-5t %s: taken=%s", name, valid, a.name, verdict)
			}
		}
	}
}

func judge(a approach, text []byte) (verdict string) {
	defer func() {
		if problem := recover(); problem != nil {
			verdict = fmt.Sprint("panic: ", problem)
		}
	}()
	_, err := a.read(text)
	return fmt.Sprint(err == nil)
}
