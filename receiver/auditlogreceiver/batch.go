// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/auditevent"
	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/metadata"
)

// batch is one delivery in the making. It belongs to one goroutine.
type batch struct {
	in      *ingester
	cluster string

	decoder *auditevent.Decoder
	spans   *objectspan.Batch
	maker   spanMaker
	logs    plog.Logs
	records recordMaker

	size              int
	received, invalid int64
	filtered          map[reason]int64
	oldest            time.Time // the earliest stage
}

// decoders keep their memory from batch to batch.
var decoders = sync.Pool{New: func() any { return new(auditevent.Decoder) }}

func newBatch(in *ingester, cluster string) *batch {
	b := &batch{in: in, cluster: cluster, decoder: decoders.Get().(*auditevent.Decoder), filtered: make(map[reason]int64)}
	if in.traces != nil {
		b.spans = objectspan.NewBatch(identity.Window(in.config.Window), metadata.ScopeName, in.version)
		b.maker = spanMaker{redactor: in.redactor, snapshots: in.config.Snapshots, maxEventSize: in.config.MaxEventSize}
	}
	if in.logs != nil {
		b.logs = plog.NewLogs()
		b.records = newRecordMaker(b.logs, in, cluster)
	}
	return b
}

func (b *batch) release() {
	b.decoder.Release()
	decoders.Put(b.decoder)
	b.decoder = nil
}
