// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// offsets stores how far files have been read, until it is frozen.
type offsets struct {
	storage.Client
	frozen atomic.Bool
}

var errFrozen = errors.New("offsets are not stored any more, because lines before them were not accepted")

// freeze keeps the offsets as they were stored last.
func (o *offsets) freeze() { o.frozen.Store(true) }

// Set stores a value.
func (o *offsets) Set(ctx context.Context, key string, value []byte) error {
	if o.frozen.Load() {
		return errFrozen
	}
	return o.Client.Set(ctx, key, value)
}

// Delete removes a value.
func (o *offsets) Delete(ctx context.Context, key string) error {
	if o.frozen.Load() {
		return errFrozen
	}
	return o.Client.Delete(ctx, key)
}

// Batch does several operations at once.
func (o *offsets) Batch(ctx context.Context, operations ...*storage.Operation) error {
	if o.frozen.Load() {
		return errFrozen
	}
	return o.Client.Batch(ctx, operations...)
}

// storageClient opens the receiver's part of a storage extension; without one, nothing is kept.
func storageClient(ctx context.Context, host component.Host, id *component.ID, receiver component.ID) (storage.Client, error) {
	if id == nil {
		return storage.NewNopClient(), nil
	}
	extension, ok := host.GetExtensions()[*id].(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: %q is no storage extension; declare one, such as file_storage, and list it in service::extensions", id)
	}
	client, err := extension.GetClient(ctx, component.KindReceiver, receiver, "")
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	return client, nil
}
