// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package source // import "github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/source"

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// Source reads one resource, in one namespace or in all.
type Source struct {
	Client rest.Interface
	// Resource is what is read; Namespace is empty for all.
	Resource  schema.GroupVersionResource
	Namespace string

	// Lists bounds how many lists are read at the same time, also while they are streamed as watches.
	Lists *semaphore.Weighted
	// PageSize is for API servers that do not stream lists.
	PageSize int64
	// Stall is how long a streamed list may pause. An aggregated API server that overlooks that it was asked for a list
	// would never end it; the reflector then lists in pages.
	Stall time.Duration

	// Read makes an item of an object. Listed is true of those that are part of a list, rather than of a change. The
	// text is valid only during the call.
	Read func(text []byte, listed bool) (*Item, error)
	// Failed is told of every list and watch that failed, Works of every one that was begun with success.
	Failed func(error)
	Works  func()
}

var versionV1 = schema.GroupVersion{Version: "v1"}

// NewClient returns a client for sources. They share its limit on requests.
func NewClient(config *rest.Config, client *http.Client) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, versionV1)
	config = rest.CopyConfig(config)
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	config.GroupVersion = &versionV1
	config.APIPath = "/"
	return rest.UnversionedRESTClientForConfigAndClient(config, client)
}

func (s *Source) request(options metav1.ListOptions) *rest.Request {
	prefix := []string{"/apis", s.Resource.Group, s.Resource.Version}
	if s.Resource.Group == "" {
		prefix = []string{"/api", s.Resource.Version}
	}
	if s.Namespace != "" {
		prefix = append(prefix, "namespaces", s.Namespace)
	}
	return s.Client.Get().AbsPath(append(prefix, s.Resource.Resource)...).
		SpecificallyVersionedParams(&options, metav1.ParameterCodec, versionV1)
}

// listTimeout is for one page.
const listTimeout = 2 * time.Minute

// List reads all pages, whatever page the reflector asks for: it would hold the text of a page as long as that of all. If
// the list expires meanwhile, which is an error, the reflector begins again.
func (s *Source) List(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	if err := s.Lists.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer s.Lists.Release(1)
	// From "any version" some API servers would make one answer of all objects, whatever the limit says.
	if options.ResourceVersion == "0" {
		options.ResourceVersion = ""
	}
	options.Limit = s.PageSize
	all := &list{}
	for {
		page, err := s.page(ctx, options)
		if err != nil {
			s.failed(ctx, err)
			return nil, err
		}
		all.ResourceVersion = page.ResourceVersion
		all.Items = append(all.Items, page.Items...)
		if page.Continue == "" {
			return all, nil
		}
		options.Continue, options.ResourceVersion, options.ResourceVersionMatch = page.Continue, "", ""
	}
}

// failed does not tell of what is no failure: the end of the receiver, and versions that are too old, for which the
// reflector lists anew.
func (s *Source) failed(ctx context.Context, err error) {
	if ctx.Err() == nil && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		s.Failed(err)
	}
}

func (s *Source) page(ctx context.Context, options metav1.ListOptions) (*list, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	body, err := s.request(options).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("reading a list: %w", err)
	}
	return s.readPage(text)
}

func (s *Source) readPage(text []byte) (*list, error) {
	page := &list{}
	scan := jsonscan.New(text)
	err := scan.Object(func(key []byte) error {
		switch string(key) {
		case "metadata":
			return page.readMetadata(&scan)
		case "items":
			return scan.Array(func() error {
				raw, err := scan.Raw()
				if err != nil {
					return err
				}
				if item, err := s.Read(raw, true); err == nil { // what cannot be read was counted there
					page.Items = append(page.Items, item)
				}
				return nil
			})
		}
		return nil
	})
	if err == nil {
		err = scan.End()
	}
	if err != nil {
		return nil, fmt.Errorf("reading a list: %w", err)
	}
	return page, nil
}

func (l *list) readMetadata(scan *jsonscan.Scanner) error {
	return scan.Object(func(key []byte) (err error) {
		switch string(key) {
		case "resourceVersion":
			l.ResourceVersion, err = scan.Str()
		case "continue":
			l.Continue, err = scan.Str()
		}
		return err
	})
}

// Watch begins a watch. If that is to begin with all objects, it counts as a list until they have been sent.
func (s *Source) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	options.Watch = true
	listing := options.SendInitialEvents != nil && *options.SendInitialEvents
	release := func() {}
	if listing {
		if err := s.Lists.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		release = func() { s.Lists.Release(1) }
	}
	body, err := s.request(options).Stream(ctx)
	if err != nil {
		release()
		if !listing || !apierrors.IsInvalid(err) { // an API server that cannot stream lists; the reflector then lists
			s.failed(ctx, err)
		}
		return nil, err
	}
	s.Works()
	return watch.NewStreamWatcher(newDecoder(body, s, listing, release), reporter{}), nil
}

// reporter makes a status of what went wrong with a stream.
type reporter struct{}

func (reporter) AsObject(err error) runtime.Object {
	status := apierrors.NewInternalError(err).Status()
	return &status
}

// isBlank reports whether a text is nothing but white space.
func isBlank(text []byte) bool { return len(bytes.TrimSpace(text)) == 0 }
