// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog // import "github.com/kelemetry/kelemetry/internal/auditlog"

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/auditlog/auditevent"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// Batch is one delivery in the making. It belongs to one goroutine.
type Batch struct {
	// Received and Invalid count events, and items that are none.
	Received, Invalid int64
	// Filtered counts events that became no span.
	Filtered map[Reason]int64
	// Oldest is the earliest stage, zero if there is none.
	Oldest time.Time

	converter *Converter
	cluster   string
	signals   Signals
	decoder   *auditevent.Decoder
	spans     *objectspan.Batch
	maker     spanMaker
	logs      plog.Logs
	records   recordMaker
}

// Signals say what a batch makes of events.
type Signals struct {
	Traces, Logs bool
	// OnInvalid is called with the reason why an item is no audit event. The reason quotes no values of bodies.
	OnInvalid func(error)
}

// decoders keep their memory from batch to batch.
var decoders = sync.Pool{New: func() any { return new(auditevent.Decoder) }}

// NewBatch starts an empty batch of a cluster's events. Release has to be called in the end.
func (c *Converter) NewBatch(cluster string, signals Signals) *Batch {
	b := &Batch{
		converter: c, cluster: cluster, signals: signals,
		decoder: decoders.Get().(*auditevent.Decoder), Filtered: make(map[Reason]int64),
	}
	if signals.Traces {
		b.spans = objectspan.NewBatch(identity.Window(c.config.Window), c.scope.Name, c.scope.Version)
		b.maker = spanMaker{redactor: c.redactor, snapshots: c.config.Snapshots, maxEventSize: c.config.MaxEventSize}
	}
	if signals.Logs {
		b.logs = plog.NewLogs()
		b.records = newRecordMaker(b.logs, c, cluster)
	}
	return b
}

// Release gives memory back that other batches use. What was made of the events stays.
func (b *Batch) Release() {
	b.decoder.Release()
	decoders.Put(b.decoder)
	b.decoder = nil
}

// Traces returns what became spans. No more events may be added.
func (b *Batch) Traces() ptrace.Traces { return b.spans.Traces() }

// Logs returns what became records. No more events may be added.
func (b *Batch) Logs() plog.Logs { return b.logs }

// Redacted is how many values were replaced because they may be secret, in spans and records.
func (b *Batch) Redacted() int64 { return int64(b.maker.redacted + b.records.redacted) }

// AddList adds the items of an EventList. After an error the batch must be discarded: text is no such list.
func (b *Batch) AddList(text []byte) error { return b.decoder.List(text, b.add) }

// AddEvent adds one event with its kind.
func (b *Batch) AddEvent(text []byte) { b.add(b.decoder.Line(text)) }

// add takes one event, or the reason why there is none. It is the callback of the decoder.
func (b *Batch) add(e *auditevent.Event, err error) {
	b.Received++
	if err != nil {
		b.Invalid++
		b.signals.OnInvalid(err)
		return
	}
	if at := e.StageTime; !at.IsZero() && (b.Oldest.IsZero() || at.Before(b.Oldest)) {
		b.Oldest = at
	}
	if b.signals.Logs {
		b.records.append(e, b.cluster)
	}
	if !b.signals.Traces {
		return
	}
	if why := b.addSpan(e); why != keep {
		b.Filtered[why]++
	}
}

func (b *Batch) addSpan(e *auditevent.Event) Reason {
	// Most events are reads: they are told before anything is made of them.
	if why := b.converter.filter.checkRequest(e); why != keep {
		return why
	}
	subject := subjectOf(e, b.cluster)
	if why := b.converter.filter.checkObject(e, subject.Object); why != keep {
		return why
	}
	b.maker.append(b.spans, e, &subject)
	return keep
}
