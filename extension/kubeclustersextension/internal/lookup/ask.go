// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package lookup // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/lookup"

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/apitypes"
)

var (
	errLimited   = errors.New("the rate allowed by lookups::qps is used up")
	errStopped   = errors.New("the extension has stopped")
	errNoType    = errors.New("the API server has no such resource")
	errTypeStale = errors.New("the API server has no such resource as far as is known, and could not be asked again by now")
	errNoGet     = errors.New("objects of this resource cannot be read one by one")
	errNoScope   = errors.New("objects of this resource are in namespaces, and none is named")
)

// Server is what look-ups need of a cluster.
type Server interface {
	// Resource returns the type with that plural, if it is known.
	Resource(schema.GroupResource) (apitypes.Resource, bool)
	// Renew has the types discovered anew, if that is worth it, and waits for it. It says whether it was done.
	Renew(context.Context) bool
	// Unavailable returns why the types may not be all there are; nil if they are.
	Unavailable() error
	// Down returns why there is no use in asking; nil if there may be.
	Down() error
	// Suspect is called with the error of each request that says nothing about the object.
	Suspect(error)
}

// ask asks the API server, and has the types renewed, once, when it seems to have others than those that are known.
func (l *Lookups[T]) ask(ctx context.Context, k key) (answer[T], error) {
	for renewed := false; ; renewed = true {
		resource, known := l.server.Resource(k.resource)
		if known {
			if a, err := l.get(ctx, k, resource); !errors.Is(err, errTypeStale) {
				return a, err
			}
		}
		if renewed || !l.server.Renew(ctx) {
			return l.unserved(known, renewed)
		}
	}
}

// unserved answers for a resource that the API server does not seem to have. If it has just said so itself, there is no
// such object.
func (l *Lookups[T]) unserved(known, renewed bool) (answer[T], error) {
	if err := l.server.Unavailable(); err != nil {
		return answer[T]{result: Failed}, fmt.Errorf("%w: %w", errTypeStale, err)
	}
	if known || !renewed {
		return answer[T]{result: Failed}, errTypeStale
	}
	return answer[T]{result: NotFound}, errNoType
}

// get makes the request. Its error is errTypeStale if the API server does not have the resource, at this version.
func (l *Lookups[T]) get(ctx context.Context, k key, resource apitypes.Resource) (answer[T], error) {
	switch {
	case !resource.Gettable:
		return answer[T]{result: NotFound}, errNoGet
	case resource.Namespaced && k.namespace == "":
		return answer[T]{result: NotFound}, errNoScope
	}
	namespace := k.namespace
	if !resource.Namespaced {
		namespace = "" // which was not known yet when the key was made
	}
	start := time.Now()
	object, err := l.form.Get(ctx, resource, namespace, k.name)
	took := time.Since(start)
	switch {
	case err == nil:
		l.observer.Asked(took, nil)
		return answer[T]{Found, object}, nil
	case apierrors.IsNotFound(err):
		l.observer.Asked(took, nil)
		if apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse) {
			return answer[T]{}, errTypeStale // a path that leads nowhere
		}
		return answer[T]{result: NotFound}, nil
	case errors.Is(err, ErrTooLarge):
		l.observer.Asked(took, nil)
		return answer[T]{result: TooLarge}, err
	case apierrors.IsForbidden(err):
		l.observer.Asked(took, err)
		l.observer.Denied(k.resource, err)
		return answer[T]{result: Forbidden}, err
	default:
		l.observer.Asked(took, err)
		l.server.Suspect(err)
		return answer[T]{result: Failed}, err
	}
}
