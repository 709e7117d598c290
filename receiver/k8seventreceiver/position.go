// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// position is how far Events have been read and accepted. It is what the storage extension keeps, as JSON.
type position struct {
	// ClusterUID tells a cluster from another one that got its name. It is empty when it could not be asked for.
	ClusterUID string `json:"cluster_uid,omitempty"`
	// ResourceVersion is that of the newest state that was accepted; empty before the first list is complete.
	ResourceVersion string `json:"resource_version,omitempty"`
	// LastObserved is the latest time of an occurrence that was accepted: the high-water mark that still holds when
	// resourceVersions start again, because the API server's storage was restored from a copy.
	LastObserved time.Time `json:"last_observed,omitzero"`
}

// covers reports whether a state of that resourceVersion was accepted before.
func (p position) covers(resourceVersion string) bool {
	order, err := resourceversion.CompareResourceVersion(resourceVersion, p.ResourceVersion)
	return err == nil && order <= 0
}

// isAheadOf reports whether the API server, whose newest state has that resourceVersion, has gone back in time.
func (p position) isAheadOf(resourceVersion string) bool {
	order, err := resourceversion.CompareResourceVersion(resourceVersion, p.ResourceVersion)
	return err == nil && order < 0
}

// positions reads and writes positions.
type positions struct {
	client storage.Client
}

// openPositions opens the receiver's part of a storage extension; without one, nothing is kept.
func openPositions(ctx context.Context, host component.Host, id *component.ID, receiver component.ID) (positions, error) {
	if id == nil {
		return positions{storage.NewNopClient()}, nil
	}
	extension, ok := host.GetExtensions()[*id].(storage.Extension)
	if !ok {
		return positions{}, fmt.Errorf("storage: %q is no storage extension; declare one, such as file_storage, and list it in service::extensions", id)
	}
	client, err := extension.GetClient(ctx, component.KindReceiver, receiver, "")
	if err != nil {
		return positions{}, fmt.Errorf("storage: %w", err)
	}
	return positions{client}, nil
}

// positionKey is where the position in a namespace is kept; the empty namespace stands for all of them.
func positionKey(cluster, namespace string) string { return cluster + "/" + namespace }

// load returns the zero position where there is none.
func (s positions) load(ctx context.Context, key string) (p position, err error) {
	value, err := s.client.Get(ctx, key)
	if err != nil || value == nil {
		return position{}, err
	}
	if err := json.Unmarshal(value, &p); err != nil {
		return position{}, fmt.Errorf("reading the stored position: %w", err)
	}
	return p, nil
}

func (s positions) save(ctx context.Context, key string, p position) error {
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.client.Set(ctx, key, value)
}
