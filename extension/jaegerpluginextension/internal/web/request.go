// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package web // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/web"

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
)

// errInvalid says that a request is the client's mistake.
var errInvalid = errors.New("invalid request")

// parameters that a request can have. Any other is a mistake in writing that would otherwise go unnoticed.
var parameters = []string{"id", "cluster", "group", "resource", "kind", "namespace", "name", "ts", "start", "end", "range", "mode", "format", "brief", "color", "width"}

// viewOf reads which view is asked for: by an ID, or by an object and a time.
func (s *Server) viewOf(ctx context.Context, values url.Values, now time.Time) (plugin.View, error) {
	for name, all := range values {
		if !slices.Contains(parameters, name) {
			return plugin.View{}, fmt.Errorf("%w: there is no parameter %q, but %s", errInvalid, name, strings.Join(parameters, ", "))
		}
		if len(all) > 1 {
			return plugin.View{}, fmt.Errorf("%w: the parameter %s is given twice", errInvalid, name)
		}
	}
	if id := values.Get("id"); id != "" {
		return s.viewByID(id)
	}
	object, err := s.objectOf(ctx, values)
	if err != nil {
		return plugin.View{}, err
	}
	m, err := s.modeOf(values.Get("mode"))
	if err != nil {
		return plugin.View{}, fmt.Errorf("%w: mode: %w", errInvalid, err)
	}
	start, end, err := s.rangeOf(values, now)
	if err != nil {
		return plugin.View{}, err
	}
	d, clipped := identity.NewDisplay(m.ID, identity.ObjectID(object), start, end)
	if clipped {
		return plugin.View{}, fmt.Errorf("%w: a time range is at most %d days long and begins in 2025 or later", errInvalid, identity.MaxDisplayRange/(24*time.Hour))
	}
	return plugin.View{Mode: m, Display: d, Cluster: object.Cluster}, nil
}

func (s *Server) viewByID(text string) (plugin.View, error) {
	id, ok := parseTraceID(text)
	if !ok {
		return plugin.View{}, fmt.Errorf("%w: id: must be 32 hex digits, got %q", errInvalid, text)
	}
	d, ok := identity.ParseDisplay(id)
	if !ok {
		return plugin.View{}, fmt.Errorf("%w: id: is not of a view, which begins with ff", errInvalid)
	}
	m, ok := s.Plugin.Modes.ByID(d.Mode)
	if !ok {
		return plugin.View{}, fmt.Errorf("%w: id: there is no display mode %08x", errInvalid, d.Mode)
	}
	return plugin.View{Mode: m, Display: d}, nil
}

// objectOf reads the object's key. Its resource can be told by the kind.
func (s *Server) objectOf(ctx context.Context, values url.Values) (identity.Object, error) {
	o := identity.Object{
		Cluster: values.Get("cluster"), Group: values.Get("group"), Resource: values.Get("resource"),
		Namespace: values.Get("namespace"), Name: values.Get("name"),
	}
	kind := values.Get("kind")
	switch {
	case o.Name == "":
		return o, fmt.Errorf("%w: name: say which object", errInvalid)
	case o.Resource == "" && kind == "":
		return o, fmt.Errorf("%w: resource: say what the object is, such as resource=deployments, or kind=Deployment", errInvalid)
	case o.Resource == "":
		o.Resource = kinds.GuessResource(kind)
		if t, ok := typeOf(o.Group, kind, values.Has("group")); ok {
			o.Group, o.Resource = t.Group, t.Resource
		}
	case !values.Has("group"):
		if t, ok := onlyType(func(t kinds.Type) bool { return t.Resource == o.Resource }); ok {
			o.Group = t.Group
		}
	}
	if t, ok := kinds.ByResource(o.Group, o.Resource); ok && !t.Namespaced {
		o.Namespace = ""
	}
	if o.Cluster == "" {
		clusters, err := s.Plugin.Clusters(ctx)
		if err != nil {
			return o, fmt.Errorf("list the clusters: %w", err)
		}
		if len(clusters) != 1 {
			return o, fmt.Errorf("%w: cluster: say which one of %s", errInvalid, cmp.Or(strings.Join(clusters, ", "), "none that is known"))
		}
		o.Cluster = clusters[0]
	}
	return o, nil
}

// typeOf finds a built-in type by its kind. Without a group it may be of any, as long as one group alone has the kind.
func typeOf(group, kind string, inGroup bool) (kinds.Type, bool) {
	if inGroup {
		return kinds.ByKind(group, kind)
	}
	return onlyType(func(t kinds.Type) bool { return t.Kind == kind })
}

func onlyType(match func(kinds.Type) bool) (found kinds.Type, ok bool) {
	for _, t := range kinds.All() {
		if match(t) {
			if ok && t.Group != found.Group {
				return kinds.Type{}, false
			}
			found, ok = t, true
		}
	}
	return found, ok
}

// modeOf takes a name, or the digits that it has in IDs.
func (s *Server) modeOf(text string) (mode.Mode, error) {
	if text == "" {
		return s.Plugin.Modes.Default(), nil
	}
	if id, err := strconv.ParseUint(text, 16, 32); err == nil && len(text) == 8 {
		if m, ok := s.Plugin.Modes.ByID(uint32(id)); ok {
			return m, nil
		}
		return mode.Mode{}, fmt.Errorf("there is no display mode %s", text)
	}
	return s.Plugin.Modes.ByName(text)
}

// rangeOf reads the time range: from start to end, or around ts, or up to now.
func (s *Server) rangeOf(values url.Values, now time.Time) (start, end time.Time, err error) {
	length := s.Range
	if text := values.Get("range"); text != "" {
		if length, err = time.ParseDuration(text); err != nil || length <= 0 {
			return start, end, fmt.Errorf("%w: range: must be a duration such as 1h, got %q", errInvalid, text)
		}
	}
	at := func(name string) (time.Time, error) {
		t, err := parseTime(values.Get(name))
		if err != nil {
			return t, fmt.Errorf("%w: %s: %w", errInvalid, name, err)
		}
		return t, nil
	}
	switch {
	case values.Has("ts") && (values.Has("start") || values.Has("end")):
		return start, end, fmt.Errorf("%w: ts: excludes start and end", errInvalid)
	case values.Has("ts"):
		ts, err := at("ts")
		return ts.Add(-length / 2), ts.Add(length / 2), err
	}
	end = now
	if values.Has("end") {
		if end, err = at("end"); err != nil {
			return start, end, err
		}
	}
	start = end.Add(-length)
	if values.Has("start") {
		if start, err = at("start"); err != nil {
			return start, end, err
		}
	}
	if !start.Before(end) {
		return start, end, fmt.Errorf("%w: end: must be after start", errInvalid)
	}
	return start, end, nil
}

// latest is the last moment that has a display ID, roughly.
var latest = time.Date(2054, 1, 1, 0, 0, 0, 0, time.UTC)

// parseTime takes RFC 3339, and seconds, milliseconds, microseconds or nanoseconds since the epoch.
func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		n, numberErr := strconv.ParseInt(text, 10, 64)
		if numberErr != nil || n < 0 {
			return t, fmt.Errorf("must be a time such as 2026-03-04T12:00:00Z, or seconds since 1970, got %q", text)
		}
		switch {
		case n < 1e11:
			t = time.Unix(n, 0)
		case n < 1e14:
			t = time.UnixMilli(n)
		case n < 1e17:
			t = time.UnixMicro(n)
		default:
			t = time.Unix(0, n)
		}
	}
	if t.After(latest) {
		return t, fmt.Errorf("is too far in the future: %q", text)
	}
	return t, nil
}
