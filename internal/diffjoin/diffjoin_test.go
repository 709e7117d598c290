// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diffjoin

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func at(milliseconds int) time.Time { return noon.Add(time.Duration(milliseconds) * time.Millisecond) }

// asked is an audit span as auditlog makes them.
type asked struct {
	verb, subresource string
	from, to          int // milliseconds after noon
	agent, query      string
	version, previous string
	set               map[string]any
}

func (a asked) span(id uint64) ptrace.Span {
	span := ptrace.NewSpan()
	span.SetSpanID(spanID(id))
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(at(a.from)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(at(a.to)))
	put(span.Attributes(), map[string]any{
		attr.SpanType: attr.SpanTypeAudit, attr.AuditStage: "ResponseComplete", attr.AuditVerb: a.verb,
		attr.AuditSubresource: a.subresource, attr.UserAgent: a.agent, attr.URLQuery: a.query,
		attr.ObjectResourceVersion: a.version, attr.PreviousResourceVersion: a.previous, attr.HTTPResponseStatus: 200,
	})
	put(span.Attributes(), a.set)
	return span
}

// seen is a watch span as watch makes them. Its managers are "name[/subresource][@millisecond][=fields]".
type seen struct {
	at                int // milliseconds after noon
	version, previous string
	managers          []string
	diff              string // a path that changed; spec.replicas if empty
	set               map[string]any
}

func (s seen) span(id uint64) ptrace.Span {
	span := ptrace.NewSpan()
	span.SetSpanID(spanID(id))
	span.SetName("updated")
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(at(s.at)))
	put(span.Attributes(), map[string]any{
		attr.SpanType: attr.SpanTypeWatch, attr.ObjectResourceVersion: s.version, attr.PreviousResourceVersion: s.previous,
		attr.WatchFieldManagers: managersText(s.managers),
	})
	put(span.Attributes(), s.set)
	event := span.Events().AppendEmpty()
	event.SetName(attr.EventDiff)
	path := s.diff
	if path == "" {
		path = "spec.replicas"
	}
	event.Attributes().PutStr(path, "1 -> 2")
	return span
}

func managersText(managers []string) string {
	type manager struct {
		Manager     string `json:"manager"`
		Subresource string `json:"subresource,omitempty"`
		Time        string `json:"time,omitempty"`
		Fields      int    `json:"fields"`
	}
	var all []manager
	for _, text := range managers {
		m := manager{Fields: 1}
		if name, ok := strings.CutSuffix(text, "=0"); ok {
			text, m.Fields = name, 0
		}
		name, when, timed := strings.Cut(text, "@")
		if timed {
			offset, _ := time.ParseDuration(when + "ms")
			m.Time = noon.Add(offset).Truncate(time.Second).Format(time.RFC3339)
		}
		m.Manager, m.Subresource, _ = strings.Cut(name, "/")
		all = append(all, m)
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func put(attrs pcommon.Map, values map[string]any) {
	for key, value := range values {
		if value == "" {
			continue
		}
		if err := attrs.PutEmpty(key).FromRaw(value); err != nil {
			panic(err)
		}
	}
}

func spanID(n uint64) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

const tolerance = 2 * time.Second

// TestRule: each row is an object's requests and changes, and which belong together: "0=1 exact" says that request 0 made change 1.
func TestRule(t *testing.T) {
	kubectl := asked{verb: "patch", from: 100, to: 120, agent: "kubectl/v1.37.0 (linux/amd64)"}
	byKubectl := []string{"kubectl@110"}
	for name, row := range map[string]struct {
		requests []asked
		changes  []seen
		want     string
	}{
		"by version": {
			[]asked{{verb: "patch", from: 100, to: 120, version: "5"}, {verb: "patch", from: 130, to: 150, version: "6"}},
			[]seen{{at: 140, version: "6", previous: "5"}, {at: 115, version: "5", previous: "4"}},
			"0=1 exact, 1=0 exact",
		},
		"another version is another change": {
			[]asked{{verb: "patch", from: 100, to: 120, agent: "kubectl/v1", version: "5"}},
			[]seen{{at: 110, version: "6", managers: byKubectl}},
			"",
		},
		"a version whose change others own is of a no-op": {
			[]asked{{verb: "patch", from: 100, to: 120, agent: "kubectl/v1", version: "5"}},
			[]seen{{at: 50, version: "5", managers: []string{"kubelet@0"}}},
			"",
		},
		"so is one that was seen before the request began": {
			[]asked{{verb: "patch", from: 9000, to: 9010, version: "5"}}, []seen{{at: 50, version: "5"}}, "",
		},
		"what was only removed has no owner": {
			[]asked{{verb: "patch", from: 100, to: 120, agent: "kubectl/v1", version: "5"}},
			[]seen{{at: 110, version: "5", managers: []string{"kubelet@0=0"}}},
			"0=0 exact",
		},
		"two that tell one version: one of them changed nothing, and it is not known which": {
			[]asked{{verb: "patch", from: 100, to: 120, version: "5"}, {verb: "patch", from: 130, to: 150, version: "5"}},
			[]seen{{at: 140, version: "5"}},
			"",
		},
		"by the version that it was based on": {
			[]asked{
				{verb: "update", subresource: "status", from: 100, to: 120, agent: "m/1", previous: "4"},
				{verb: "update", subresource: "status", from: 130, to: 150, agent: "m/1", previous: "5"},
			},
			[]seen{
				{at: 115, version: "5", previous: "4", managers: []string{"m/status@110"}},
				{at: 140, version: "6", previous: "5", managers: []string{"m/status@140"}},
			},
			"0=0 inferred, 1=1 inferred",
		},
		"by manager and time": {[]asked{kubectl}, []seen{{at: 115, version: "5", managers: byKubectl}}, "0=0 inferred"},
		"by the manager that the request names": {
			[]asked{{verb: "patch", from: 100, to: 120, agent: "kubectl/v1", query: "fieldManager=me&force=true"}},
			[]seen{{at: 115, version: "5", managers: []string{"me@110"}}},
			"0=0 inferred",
		},
		"another manager":     {[]asked{kubectl}, []seen{{at: 115, version: "5", managers: []string{"kubelet@110"}}}, ""},
		"another subresource": {[]asked{kubectl}, []seen{{at: 115, version: "5", managers: []string{"kubectl/status@110"}}}, ""},
		"another second":      {[]asked{kubectl}, []seen{{at: 1115, version: "5", managers: []string{"kubectl@1110"}}}, ""},
		"a manager without a time, observed in time": {
			[]asked{kubectl}, []seen{{at: 1500, version: "5", managers: []string{"kubectl"}}}, "0=0 inferred",
		},
		"a manager without a time, observed too late": {[]asked{kubectl}, []seen{{at: 3500, version: "5", managers: []string{"kubectl"}}}, ""},
		"no managers":               {[]asked{kubectl}, []seen{{at: 115, version: "5"}}, ""},
		"two changes in one second": {[]asked{kubectl}, []seen{{at: 115, version: "5", managers: byKubectl}, {at: 118, version: "6", managers: byKubectl}}, ""},
		"two requests in one second": {
			[]asked{kubectl, {verb: "patch", from: 130, to: 150, agent: "kubectl/v1"}}, []seen{{at: 115, version: "5", managers: byKubectl}}, "",
		},
		"the better reason wins, and leaves the other change to the other request": {
			[]asked{kubectl, {verb: "update", from: 110, to: 150, agent: "kubectl/v1", previous: "5", version: "6"}},
			[]seen{{at: 115, version: "5", managers: byKubectl}, {at: 118, version: "6", managers: byKubectl}},
			"0=0 inferred, 1=1 exact",
		},
		"what is another's for a better reason is not this one's": {
			[]asked{kubectl, {verb: "update", from: 110, to: 150, agent: "kubectl/v1", previous: "5", version: "6"}},
			[]seen{{at: 118, version: "6", managers: byKubectl}},
			"1=0 exact",
		},
		"a patch that tells a version may be a no-op behind one that does not": {
			[]asked{kubectl, {verb: "patch", from: 110, to: 150, agent: "kubectl/v1", version: "5"}},
			[]seen{{at: 115, version: "5", managers: byKubectl}},
			"",
		},
		"several updates in one diff": {
			[]asked{{verb: "patch", from: 100, to: 120, version: "6"}},
			[]seen{{at: 110, version: "6", previous: "4", set: map[string]any{attr.WatchInferred: true}}},
			"",
		},
		"a list that shows one update, as the request says": {
			[]asked{{verb: "update", from: 100, to: 120, previous: "5", version: "6"}},
			[]seen{{at: 110, version: "6", previous: "5", set: map[string]any{attr.WatchInferred: true}}},
			"0=0 exact",
		},
		"deletion": {
			[]asked{{verb: "delete", from: 100, to: 120, agent: "kubectl/v1"}, {verb: "patch", from: 100, to: 120, agent: "kubectl/v1"}},
			[]seen{{at: 115, version: "5", managers: byKubectl, set: map[string]any{attr.WatchDeletion: []any{attr.WatchDeletionRequested}}}},
			"0=0 inferred",
		},
		"deletion with the version": {
			[]asked{{verb: "delete", from: 100, to: 120, version: "5"}},
			[]seen{{at: 115, version: "5", diff: "metadata.deletionTimestamp"}},
			"0=0 exact",
		},
		"the last version before the end is not the deletion's": {
			[]asked{{verb: "delete", from: 100, to: 120, version: "5"}}, []seen{{at: 90, version: "5"}}, "",
		},
		"eviction": {
			[]asked{{verb: "create", subresource: "eviction", from: 100, to: 120}},
			[]seen{{at: 115, version: "5", diff: "metadata.deletionTimestamp"}, {at: 117, version: "6", managers: []string{"kubelet@110"}}},
			"0=0 inferred",
		},
		"binding": {
			[]asked{{verb: "create", subresource: "binding", from: 100, to: 120, agent: "kube-scheduler/v1"}},
			[]seen{{at: 115, version: "5", diff: "spec.nodeName"}},
			"0=0 inferred",
		},
		"a request that is delivered twice is one": {
			[]asked{{verb: "patch", from: 100, to: 120, version: "5", set: map[string]any{"id": 7}}, {verb: "patch", from: 100, to: 120, version: "5", set: map[string]any{"id": 7}}},
			[]seen{{at: 110, version: "5"}},
			"0=0 exact, 1=0 exact",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var requests []Request
			for i, a := range row.requests {
				id := uint64(i + 1)
				if same, ok := a.set["id"]; ok {
					id = uint64(same.(int))
				}
				r, ok := ReadRequest(a.span(id))
				require.True(t, ok)
				requests = append(requests, r)
			}
			var changes []Change
			for i, s := range row.changes {
				c, _, ok := ReadChange(s.span(uint64(100 + i)))
				require.True(t, ok)
				changes = append(changes, c)
			}
			assert.Equal(t, row.want, describe(Rule{tolerance}.Pairs(requests, changes)))
		})
	}
}

func describe(pairs []Pair) string {
	var texts []string
	for _, p := range pairs {
		how := map[Join]string{Exact: "exact", Inferred: "inferred"}[p.Join]
		texts = append(texts, string(rune('0'+p.Request))+"="+string(rune('0'+p.Change))+" "+how)
	}
	return strings.Join(texts, ", ")
}

func TestLivesUnderOneNameAreToldApart(t *testing.T) {
	r, ok := ReadRequest(asked{verb: "patch", from: 100, to: 120, agent: "kubectl/v1"}.span(1))
	require.True(t, ok)
	c, _, ok := ReadChange(seen{at: 110, version: "5", managers: []string{"kubectl@110"}}.span(2))
	require.True(t, ok)
	rule := Rule{tolerance}
	for _, uids := range []struct {
		request, change string
		want            bool
	}{{"", "", true}, {"a", "", true}, {"", "a", true}, {"a", "a", true}, {"a", "b", false}} {
		r.UID, c.UID = uids.request, uids.change
		assert.Equal(t, uids.want, rule.MayHaveMade(&r, &c), "%v", uids)
	}
}

// TestWhatMakesNoChange: requests that no diff can come from.
func TestWhatMakesNoChange(t *testing.T) {
	for name, a := range map[string]asked{
		"read":       {verb: "get"},
		"create":     {verb: "create"},
		"exec":       {verb: "create", subresource: "exec"},
		"failed":     {verb: "patch", set: map[string]any{attr.ErrorType: "Conflict"}},
		"dry run":    {verb: "patch", set: map[string]any{attr.AuditDryRun: true}},
		"no-op":      {verb: "update", set: map[string]any{attr.AuditNoop: true}},
		"created":    {verb: "patch", set: map[string]any{attr.HTTPResponseStatus: 201}},
		"unfinished": {verb: "patch", set: map[string]any{attr.AuditStage: "RequestReceived"}},
		"event":      {verb: "patch", set: map[string]any{attr.SpanType: attr.SpanTypeEvent}},
	} {
		_, ok := ReadRequest(a.span(1))
		assert.False(t, ok, name)
	}
	_, _, ok := ReadChange(seen{set: map[string]any{attr.SpanType: attr.SpanTypeObject}}.span(1))
	assert.False(t, ok)
	created := seen{}.span(1)
	created.Events().At(0).SetName(attr.EventSnapshot)
	_, _, ok = ReadChange(created)
	assert.False(t, ok)
}

// TestManagerIsTheAPIServersDefault: as fieldmanager.managerOrUserAgent of k8s.io/apiserver.
func TestManagerIsTheAPIServersDefault(t *testing.T) {
	long := strings.Repeat("x", 127)
	for _, row := range []struct{ query, agent, want string }{
		{"", "kubectl/v1.37.0 (linux/amd64) kubernetes/abc", "kubectl"},
		{"", "curl", "curl"},
		{"", "/1.0", "unknown"},
		{"", "", "unknown"},
		{"", "a\tb\u200bc/1", "abc"},
		{"", long + "éé/1", long},
		{"", long + "yz/1", long + "y"},
		{"dryRun=&fieldManager=kubectl-edit", "kubectl/v1", "kubectl-edit"},
		{"fieldManager=a%20b", "kubectl/v1", "a b"},
		{"fieldManager=", "kubectl/v1", "kubectl"},
		{"fieldManager=%zz", "kubectl/v1", "kubectl"},
	} {
		assert.Equal(t, row.want, managerOf(row.query, row.agent), "%q %q", row.query, row.agent)
	}
}

// TestManagersThatCannotBeReadAreNone: text from elsewhere is no reason to fail.
func TestManagersThatCannotBeReadAreNone(t *testing.T) {
	for _, text := range []string{"{", `{"manager":"x"}`, `[{"manager":"x","time":"yesterday"}]`, `[{"manager":1}]`} {
		c, _, ok := ReadChange(seen{version: "5", set: map[string]any{attr.WatchFieldManagers: text}}.span(1))
		assert.True(t, ok)
		assert.Empty(t, c.Managers, text)
	}
}
