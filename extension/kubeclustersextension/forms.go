// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"

	"golang.org/x/sync/semaphore"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/apitypes"
	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/lookup"
	"github.com/kelemetry/kelemetry/internal/redact"
)

// metadataForm looks up metadata, without what is large and nobody looks up: the managed fields, and a copy of the whole
// object, secrets included. The type becomes that of the object, where the API server says what it sent.
func metadataForm(c *cluster) lookup.Form[*metav1.PartialObjectMetadata] {
	return lookup.Form[*metav1.PartialObjectMetadata]{
		Get: func(ctx context.Context, r apitypes.Resource, namespace, name string) (*metav1.PartialObjectMetadata, error) {
			object, err := c.metadata.Resource(r.GroupVersionResource).Namespace(namespace).Get(quiet(ctx), name, metav1.GetOptions{})
			if err != nil {
				return nil, err
			}
			object.ManagedFields = nil
			delete(object.Annotations, corev1.LastAppliedConfigAnnotation)
			object.APIVersion, object.Kind = r.GroupVersion().String(), r.Kind
			return object, nil
		},
		Known: c.offers.metadata,
		Copy:  (*metav1.PartialObjectMetadata).DeepCopy,
		Size:  lookup.SizeOfMetadata,
	}
}

// objectForm looks up whole objects. No more than max_concurrent requests hold an object's text before it is redacted.
func objectForm(c *cluster, config *ObjectsConfig) (lookup.Form[[]byte], error) {
	client, err := newObjectClient(c.rest, c.httpClient)
	if err != nil {
		return lookup.Form[[]byte]{}, err
	}
	redactor, err := redact.New(redact.NewDefaultConfig())
	if err != nil {
		return lookup.Form[[]byte]{}, err
	}
	places := semaphore.NewWeighted(int64(config.MaxConcurrent))
	return lookup.Form[[]byte]{
		Get: func(ctx context.Context, r apitypes.Resource, namespace, name string) ([]byte, error) {
			if err := places.Acquire(ctx, 1); err != nil {
				return nil, fmt.Errorf("wait for one of the lookups::objects::max_concurrent (%d) requests to end: %w", config.MaxConcurrent, err)
			}
			defer places.Release(1)
			raw, err := get(ctx, client, r, namespace, name, config.MaxSize)
			if err != nil {
				return nil, err
			}
			text, _, err := redactor.AppendObject(nil, redact.Target{
				Group: r.Group, Version: r.Version, Resource: r.Resource, Namespace: namespace, Name: name,
			}, raw)
			return slices.Clone(text), err // of its own size
		},
		Known: c.offers.object,
		Copy:  func(text []byte) []byte { return text },
		Size:  func(text []byte) int64 { return int64(cap(text)) },
	}, nil
}

// newObjectClient makes a client for objects of any type, as JSON.
func newObjectClient(config *rest.Config, client *http.Client) (rest.Interface, error) {
	version := schema.GroupVersion{Version: "v1"}
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, version)
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = -1, 0
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	config.GroupVersion, config.APIPath = &version, "/"
	return rest.UnversionedRESTClientForConfigAndClient(config, client)
}

// get reads no more of an object than it may have bytes.
func get(ctx context.Context, client rest.Interface, r apitypes.Resource, namespace, name string, most int64) ([]byte, error) {
	path := []string{"/apis", r.Group, r.Version}
	if r.Group == "" {
		path = []string{"/api", r.Version}
	}
	if namespace != "" {
		path = append(path, "namespaces", namespace)
	}
	body, err := client.Get().AbsPath(append(path, r.Resource, name)...).MaxRetries(0).Stream(quiet(ctx))
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(body, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the object: %w", err)
	case int64(len(raw)) > most:
		return nil, lookup.ErrTooLarge
	}
	return raw, nil
}
