package states

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"runtime"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

func pods(tb testing.TB) (all [][]byte) {
	file, _ := os.Open("../../../../integration/testdata/recording/audit.json.gz")
	unzip, _ := gzip.NewReader(file)
	lines := bufio.NewScanner(unzip)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct {
			ObjectRef      struct{ APIGroup, Resource, Subresource string }
			ResponseObject map[string]any
		}
		json.Unmarshal(lines.Bytes(), &event)
		if event.ResponseObject["kind"] != "Pod" {
			continue
		}
		full, _ := json.Marshal(event.ResponseObject)
		meta := event.ResponseObject["metadata"].(map[string]any)
		delete(meta, "managedFields")
		b, _ := json.Marshal(event.ResponseObject)
		fmt.Print(len(full), "/", len(b), " ")
		all = append(all, b)
	}
	fmt.Println()
	return all
}

func TestExplore(t *testing.T) {
	all := pods(t)
	dict := append(append([]byte{}, all[len(all)/2]...), all[len(all)/3]...)
	raw := 0
	for _, p := range all {
		raw += len(p)
	}
	try := func(name string, f func(p []byte) int) {
		start := time.Now()
		n := 0
		for _, p := range all {
			n += f(p)
		}
		fmt.Printf("%-30s %d -> %d per object, %v\n", name, raw/len(all), n/len(all), time.Since(start)/time.Duration(len(all)))
	}
	mem := func() uint64 { runtime.GC(); var m runtime.MemStats; runtime.ReadMemStats(&m); return m.HeapAlloc }
	for _, level := range []zstd.EncoderLevel{zstd.SpeedFastest, zstd.SpeedDefault, zstd.SpeedBetterCompression} {
		for _, d := range []bool{false, true} {
			before := mem()
			opts := []zstd.EOption{zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(128 << 10), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false)}
			if d {
				opts = append(opts, zstd.WithEncoderDictRaw(1, dict))
			}
			e, err := zstd.NewWriter(nil, opts...)
			if err != nil {
				t.Fatal(err)
			}
			e.EncodeAll(all[0], nil)
			fmt.Println("encoder holds", (mem()-before)/1024, "KB")
			var last []byte
			try(fmt.Sprint("zstd ", level, d), func(p []byte) int { last = e.EncodeAll(p, nil); return len(last) })
			before = mem()
			dec, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderDictRaw(1, dict))
			dec.DecodeAll(last, nil)
			fmt.Println("decoder holds", (mem()-before)/1024, "KB")
			try("decode", func(p []byte) int { o, err := dec.DecodeAll(last, nil); if err != nil { t.Fatal(err) }; return len(o) })
			e.EncodeAll(all[0], nil)
		}
	}
	sd := s2.MakeDict(dict, nil)
	try("s2 dict", func(p []byte) int { return len(sd.Encode(nil, p)) })
	try("s2 better dict", func(p []byte) int { return len(sd.EncodeBetter(nil, p)) })
	try("s2 best dict", func(p []byte) int { return len(sd.EncodeBest(nil, p)) })
	_ = strings.Repeat
}
