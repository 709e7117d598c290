// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diffjoin

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// history is what happened to one object, as an API server would have it, and what audit log and watch tell of it.
type history struct {
	requests []Request
	changes  []Change
	maker    map[pcommon.SpanID]pcommon.SpanID // of a change, the request
	told     map[pcommon.SpanID]bool           // requests that told their version
}

var historyManagers = []string{"kubectl", "kubelet", "controller"}

// randomHistory has requests one after the other, some of which overlap; some change nothing, and some tell more than others.
func randomHistory(r *rand.Rand, length int) history {
	h := history{maker: map[pcommon.SpanID]pcommon.SpanID{}, told: map[pcommon.SpanID]bool{}}
	version, now := 1, 0
	for i := range length {
		now += r.IntN(1500)
		commit := now + r.IntN(30)
		manager, subresource := historyManagers[r.IntN(len(historyManagers))], []string{"", "status"}[r.IntN(2)]
		ask := asked{
			verb: "patch", subresource: subresource, agent: manager + "/v1", from: now - r.IntN(200), to: commit + r.IntN(200),
		}
		if r.IntN(2) == 0 {
			ask.verb, ask.previous = "update", strconv.Itoa(version)
		}
		before, changed := version, r.IntN(6) > 0
		if changed {
			version++
		}
		if r.IntN(2) == 0 {
			ask.version = strconv.Itoa(version)
		}
		q, ok := ReadRequest(ask.span(uint64(i + 1)))
		if !ok {
			panic("not a request")
		}
		h.told[q.ID] = q.Version != ""
		// A no-op update is known by its versions; auditlog marks it.
		if changed || ask.previous == "" || ask.version == "" {
			h.requests = append(h.requests, q)
		}
		if !changed {
			continue
		}
		see := seen{
			at: commit + r.IntN(100), version: strconv.Itoa(version), previous: strconv.Itoa(before),
			managers: []string{fmt.Sprintf("%s/%s@%d", manager, subresource, commit)},
		}
		if r.IntN(4) == 0 {
			see.managers = append(see.managers, "other@0")
		}
		c, _, ok := ReadChange(see.span(uint64(1000 + i)))
		if !ok {
			panic("not a change")
		}
		h.changes = append(h.changes, c)
		h.maker[c.ID] = q.ID
	}
	return h
}

// TestNoFalseBlame: when all is known, whatever is joined is true; and what order things are in makes no difference.
func TestNoFalseBlame(t *testing.T) {
	exact, inferred := 0, 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 0))
		h := randomHistory(r, 2+r.IntN(30))
		got := byID(h, Rule{2 * time.Second}.Pairs(h.requests, h.changes))
		for request, pair := range got {
			require.Equal(t, h.maker[pair.change], request, "seed %d", seed)
			require.Equal(t, h.told[request], pair.join == Exact, "seed %d: exact if and only if the version was told", seed)
			if pair.join == Exact {
				exact++
			} else {
				inferred++
			}
		}
		r.Shuffle(len(h.requests), func(i, j int) { h.requests[i], h.requests[j] = h.requests[j], h.requests[i] })
		r.Shuffle(len(h.changes), func(i, j int) { h.changes[i], h.changes[j] = h.changes[j], h.changes[i] })
		require.Equal(t, got, byID(h, Rule{2 * time.Second}.Pairs(h.requests, h.changes)), "seed %d", seed)
	}
	require.Greater(t, exact, 1000)
	require.Greater(t, inferred, 1000)
}

// TestWhatIsExactStaysSo: fewer things known make no exact join another one.
func TestWhatIsExactStaysSo(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		h := randomHistory(r, 2+r.IntN(30))
		keep := h.requests[:0:0]
		for i := range h.requests {
			if r.IntN(3) > 0 {
				keep = append(keep, h.requests[i])
			}
		}
		h.requests = keep
		for request, pair := range byID(h, Rule{2 * time.Second}.Pairs(h.requests, h.changes)) {
			if pair.join == Exact && h.maker[pair.change] != request {
				// Only a no-op patch of the same manager, right behind the request that is not known, can be taken for it.
				maker := uint64(h.maker[pair.change][7])
				require.Less(t, maker, uint64(request[7]), "seed %d", seed)
			}
		}
	}
}

type joined struct {
	change pcommon.SpanID
	join   Join
}

func byID(h history, pairs []Pair) map[pcommon.SpanID]joined {
	got := map[pcommon.SpanID]joined{}
	for _, p := range pairs {
		got[h.requests[p.Request].ID] = joined{h.changes[p.Change].ID, p.Join}
	}
	return got
}

// FuzzReaders: text from elsewhere never makes the readers fail.
func FuzzReaders(f *testing.F) {
	f.Add("patch", "kubectl/v1", "fieldManager=x", "5", `[{"manager":"kubectl","time":"2026-03-04T12:00:00Z","fields":1}]`)
	f.Add("update", "é\xff/1", "fieldManager=%zz", "", "{")
	f.Fuzz(func(_ *testing.T, verb, agent, query, version, managers string) {
		q, _ := ReadRequest(asked{verb: verb, agent: agent, query: query, version: version}.span(1))
		c, _, _ := ReadChange(seen{version: version}.span(2))
		c.Managers = managersOf(managers)
		Rule{time.Second}.Find(&q, []Request{q, {}}, []Change{c, {}})
	})
}

func BenchmarkReadRequest(b *testing.B) {
	span := asked{verb: "patch", agent: "kubectl/v1.37.0 (linux/amd64) kubernetes/abc", query: "fieldManager=kubectl-client-side-apply", version: "5"}.span(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ReadRequest(span); !ok {
			b.Fatal("not a request")
		}
	}
}

func BenchmarkReadChange(b *testing.B) {
	span := seen{version: "5", managers: []string{"kubectl@0", "kube-controller-manager/status@0"}}.span(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := ReadChange(span); !ok {
			b.Fatal("not a change")
		}
	}
}
