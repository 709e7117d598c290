// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package web // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/web"

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"
)

// Server answers requests for views.
type Server struct {
	Plugin *plugin.Plugin
	// JaegerURL is where Jaeger's page is, without a slash at the end.
	JaegerURL string
	// Range is the length of the time range where the request has none.
	Range time.Duration
}

// Handler serves the paths.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /redirect", s.redirect)
	mux.HandleFunc("GET /trace", s.trace)
	mux.HandleFunc("GET /trace/{id}", s.trace)
	return mux
}

// redirect leads to the view's page. It does not ask the storage whether there is anything to see.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request) {
	v, err := s.viewOf(r.Context(), r.URL.Query(), time.Now())
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store") // the same address leads elsewhere later on
	http.Redirect(w, r, s.JaegerURL+"/trace/"+v.Display.TraceID().String(), http.StatusFound)
}

func (s *Server) trace(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	if id := r.PathValue("id"); id != "" {
		values.Set("id", id)
	}
	format, err := formatOf(r)
	if err != nil {
		fail(w, err)
		return
	}
	v, err := s.viewOf(r.Context(), values, time.Now())
	if err != nil {
		fail(w, err)
		return
	}
	if err := s.Plugin.View(r.Context(), v, func(view ptrace.Traces) { write(w, v, view, format) }); err != nil {
		fail(w, err)
	}
}

// write answers with a view.
func write(w http.ResponseWriter, v plugin.View, view ptrace.Traces, format *text.Options) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Trace-Id", v.Display.TraceID().String())
	if format != nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_ = text.Write(w, view, *format) // a client that is gone needs no answer
		return
	}
	var marshaler ptrace.JSONMarshaler
	body, err := marshaler.MarshalTraces(view)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// formatOf reads how the text is to be, nil if JSON is wanted.
func formatOf(r *http.Request) (*text.Options, error) {
	values := r.URL.Query()
	asText := false
	switch format := values.Get("format"); format {
	case "text":
		asText = true
	case "":
		asText = prefersText(r.Header.Get("Accept"))
	case "json":
	default:
		return nil, fmt.Errorf("%w: format: must be json or text, got %q", errInvalid, format)
	}
	var o text.Options
	for name, option := range map[string]*bool{"brief": &o.Brief, "color": &o.Color} {
		switch value := values.Get(name); value {
		case "", "false":
		case "true":
			*option = true
		default:
			return nil, fmt.Errorf("%w: %s: must be true or false, got %q", errInvalid, name, value)
		}
	}
	if value := values.Get("width"); value != "" {
		width, err := strconv.Atoi(value)
		if err != nil || width <= 0 || width > maxWidth {
			return nil, fmt.Errorf("%w: width: must be a number of columns up to %d, got %q", errInvalid, maxWidth, value)
		}
		o.Width = width
	}
	if !asText {
		return nil, nil
	}
	return &o, nil
}

// maxWidth is more than any terminal has.
const maxWidth = 1000

// prefersText is true if plain text is named before JSON.
func prefersText(accept string) bool {
	plain, json := strings.Index(accept, "text/plain"), strings.Index(accept, "application/json")
	return plain >= 0 && (json < 0 || plain < json)
}

func parseTraceID(text string) (id pcommon.TraceID, ok bool) {
	if len(text) != hex.EncodedLen(len(id)) {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(text))
	return id, err == nil
}

// fail answers with a text for people.
func fail(w http.ResponseWriter, err error) {
	code, message := http.StatusBadGateway, "the storage could not be asked: "+collect.Reason(err)
	switch {
	case errors.Is(err, errInvalid):
		code, message = http.StatusBadRequest, strings.TrimPrefix(err.Error(), errInvalid.Error()+": ")
	case errors.Is(err, collect.ErrNotFound):
		code, message = http.StatusNotFound, err.Error()
	case plugin.OutcomeOf(err) == plugin.OutcomeTimeout:
		code = http.StatusGatewayTimeout
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, message, code)
}
