// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package source // import "github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/source"

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/object"
)

const (
	// maxFrame bounds an event. etcd refuses objects of more than 1.5 MiB; aggregated API servers may have others.
	maxFrame = 64 << 20
	// maxKeptFrame is the largest buffer that a watch keeps for its next event.
	maxKeptFrame = 64 << 10
)

// decoder reads the events of a watch, one JSON object after the other.
type decoder struct {
	source *Source
	body   io.ReadCloser
	in     *bufio.Reader
	frame  []byte

	// listing is true until the objects that there were at the beginning have been sent.
	listing bool
	release func()

	// stall ends a list that does not come to its end; stalled says that it did.
	stall   *time.Timer
	stalled atomic.Bool

	closing sync.Once
}

var _ watch.Decoder = (*decoder)(nil)

func newDecoder(body io.ReadCloser, source *Source, listing bool, release func()) *decoder {
	d := &decoder{source: source, body: body, in: bufio.NewReader(body), listing: listing, release: sync.OnceFunc(release)}
	if listing {
		d.stall = time.AfterFunc(source.Stall, func() {
			d.stalled.Store(true)
			d.Close()
		})
	}
	return d
}

// Close ends the watch.
func (d *decoder) Close() {
	d.closing.Do(func() {
		_ = d.body.Close()
		d.listed()
	})
}

// listed is called at the end of the list.
func (d *decoder) listed() {
	if d.stall != nil {
		d.stall.Stop()
	}
	d.release()
}

// Decode returns the next event. One that cannot be read is left out: the next list makes up for it.
func (d *decoder) Decode() (watch.EventType, runtime.Object, error) {
	for {
		e, err := d.next()
		if err != nil && d.stalled.Load() {
			err = errStalled
		}
		if err != nil {
			return "", nil, err
		}
		if d.listing {
			d.stall.Reset(d.source.Stall)
		}
		switch e.kind {
		case watch.Error:
			status := &metav1.Status{}
			if err := json.Unmarshal(e.object, status); err != nil {
				return "", nil, fmt.Errorf("reading an error: %w", err)
			}
			return watch.Error, status, nil
		case watch.Bookmark:
			header, err := object.Read(e.object)
			if err != nil {
				return "", nil, err
			}
			if header.Annotations[metav1.InitialEventsAnnotationKey] == "true" {
				d.listing = false
				d.listed()
			}
			return watch.Bookmark, &Item{Header: header}, nil
		case watch.Added, watch.Modified, watch.Deleted:
			// Changes that happen while the list is sent come as what they are.
			item, err := d.source.Read(e.object, d.listing && e.kind == watch.Added)
			if err == nil {
				return e.kind, item, nil
			}
		}
	}
}

var errStalled = errors.New("the API server does not end the list that begins a watch")

// event is a frame: its type, and the object as it is written.
type event struct {
	kind   watch.EventType
	object []byte
}

func (d *decoder) next() (event, error) {
	if cap(d.frame) > maxKeptFrame {
		d.frame = nil
	}
	d.frame = d.frame[:0]
	for {
		line, err := d.in.ReadSlice('\n')
		d.frame = append(d.frame, line...)
		if errors.Is(err, bufio.ErrBufferFull) {
			if len(d.frame) > maxFrame {
				return event{}, fmt.Errorf("an event is larger than %d bytes", maxFrame)
			}
			continue
		}
		if isBlank(d.frame) {
			if err != nil {
				return event{}, err
			}
			d.frame = d.frame[:0]
			continue
		}
		// An event is one line, unless a server writes JSON for people.
		e, parseErr := parse(d.frame)
		switch {
		case parseErr == nil:
			return e, nil
		case err != nil:
			return event{}, io.ErrUnexpectedEOF
		case len(d.frame) > maxFrame:
			return event{}, parseErr
		}
	}
}

func parse(frame []byte) (e event, err error) {
	s := jsonscan.New(frame)
	err = s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "type":
			var kind string
			kind, err = s.Str()
			e.kind = watch.EventType(kind)
		case "object":
			e.object, err = s.Raw()
		}
		return err
	})
	if err == nil {
		err = s.End()
	}
	return e, err
}
