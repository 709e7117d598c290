// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package text // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// The attributes that are read: those of package view, and those of the stored span.
const (
	keyService   = attr.ServiceName
	keyCluster   = attr.ClusterName
	keyNamespace = attr.Namespace
	keySource    = "source"
	keyDuration  = "duration"
	keyMessage   = "message"
	keyError     = "error"
	keyDiff      = "diff "
	keyDiffCut   = "diff cut"
	keyJoin      = "diff joined"
	keyLife      = "life"
	keyLink      = "link"
	keyLinks     = "links"
	keyOwner     = "owner"
	keyGroup     = "group"
	keyWarnings  = "@jaeger@warnings"
)

// isObject is true of an object's own span: its service is the resource.
func isObject(s span) bool {
	service := str(s.resource, keyService)
	_, group := s.Attributes().Get(keyGroup)
	_, entry := s.Attributes().Get(keySource)
	return service != "" && service == str(s.resource, attr.ObjectResource) && !group && !entry
}

// heading names an object as kubectl does, with what tells it from the root left in.
func heading(s span, namespace, cluster string) []piece {
	if group := str(s.Attributes(), keyGroup); group != "" && group != "lives" {
		return []piece{{dim, s.Name()}}
	}
	resource := str(s.resource, attr.ObjectResource)
	if resource == "" || str(s.resource, keyService) != resource {
		return foreignHeading(s)
	}
	name := cmp.Or(str(s.resource, attr.ObjectName), "*")
	if own := str(s.resource, keyNamespace); own != "" && (own != namespace || s.ParentSpanID().IsEmpty()) {
		name = own + "/" + name
	}
	pieces := []piece{{plain, cmp.Or(str(s.resource, attr.ObjectKind), resource) + " "}, {bold, name}}
	add := func(before, text, after string) {
		if text != "" {
			pieces = append(pieces, piece{dim, before + text + after})
		}
	}
	if own := str(s.resource, keyCluster); own != cluster {
		add(" in cluster ", own, "")
	}
	add(" on ", str(s.Attributes(), attr.NodeName), "")
	add(" (life ", str(s.Attributes(), keyLife), ")")
	add(" (", str(s.Attributes(), keyLink), ")")
	return pieces
}

func foreignHeading(s span) []piece {
	long := time.Duration(s.EndTimestamp() - s.StartTimestamp()).Round(time.Microsecond)
	return []piece{
		{dim, s.StartTimestamp().AsTime().Format(clock) + "  "},
		{cyan, str(s.resource, keyService) + "  "},
		{plain, s.Name()},
		{dim, "  " + long.String()},
	}
}

// notes are what a span tells beside its entries: references and warnings.
func (p *printer) notes(s span, stem string) {
	if owner := str(s.Attributes(), keyOwner); owner != "" {
		p.line(stem, piece{dim, "owner: " + owner})
	}
	for _, link := range strs(s.Attributes(), keyLinks) {
		if node := str(s.Attributes(), attr.NodeName); p.options.Brief && node != "" && strings.HasSuffix(link, " "+node) {
			continue // the heading says it
		}
		p.line(stem, piece{dim, "link: " + link})
	}
	for _, warning := range strs(s.Attributes(), keyWarnings) {
		p.paragraph(stem, piece{yellow, "! " + warning}, warningLines)
	}
}

const warningLines = 3

// str returns an attribute as text.
func str(attrs pcommon.Map, key string) string {
	if v, ok := attrs.Get(key); ok {
		return v.AsString()
	}
	return ""
}

// strs returns an attribute that is a list of texts.
func strs(attrs pcommon.Map, key string) (all []string) {
	v, ok := attrs.Get(key)
	if !ok || v.Type() != pcommon.ValueTypeSlice {
		return nil
	}
	for _, one := range v.Slice().All() {
		all = append(all, one.AsString())
	}
	return all
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
