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

// TestPairsAreWhatFindFinds: looking only at what is near makes no difference.
func TestPairsAreWhatFindFinds(t *testing.T) {
	rule := Rule{2 * time.Second}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 2))
		h := randomHistory(r, 2+r.IntN(60))
		for i := range h.requests { // some levels tell less
			if r.IntN(3) == 0 {
				h.requests[i].Previous = ""
			}
		}
		for i := range h.changes {
			if r.IntN(5) == 0 {
				h.changes[i].Previous = ""
			}
		}
		h.requests = append(h.requests, h.requests[r.IntN(len(h.requests))]) // delivered again
		var want []Pair
		for i := range h.requests {
			if change, join := rule.Find(&h.requests[i], h.requests, h.changes); join > Ambiguous {
				want = append(want, Pair{i, change, join})
			}
		}
		require.Equal(t, want, rule.Pairs(h.requests, h.changes), "seed %d", seed)
	}
}

// TestACrowdIsNotToldApart: where a request may have made very many changes, neither it nor any other gets one of them by time, but those
// that tell versions do.
func TestACrowdIsNotToldApart(t *testing.T) {
	var requests []Request
	var changes []Change
	for i := range 3 * maxCandidates {
		q, _ := ReadRequest(asked{verb: "patch", agent: "kubectl/v1", from: i, to: i + 1}.span(uint64(i + 1)))
		c, _, _ := ReadChange(seen{at: i + 1, version: strconv.Itoa(i), managers: []string{"kubectl@0"}}.span(uint64(100_000 + i)))
		requests, changes = append(requests, q), append(changes, c)
	}
	told, _ := ReadRequest(asked{verb: "update", agent: "kubectl/v1", from: 7, to: 8, version: "7", previous: "6"}.span(99_999))
	alone, _ := ReadRequest(asked{verb: "patch", agent: "other/v1", from: 7, to: 8}.span(99_998))
	requests = append(requests, told, alone)
	require.Equal(t, []Pair{{len(requests) - 2, 7, Exact}}, Rule{2 * time.Second}.Pairs(requests, changes))

	// Too many of one version are nonsense.
	for i := range changes {
		changes[i].Version = "7"
	}
	require.Empty(t, Rule{2 * time.Second}.Pairs(requests, changes))
}

// BenchmarkPairs: the cost for each request and change is the same however many there are.
func BenchmarkPairs(b *testing.B) {
	for _, n := range []int{500, 2000, 8000} {
		h := randomHistory(rand.New(rand.NewPCG(1, 3)), n)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				Rule{2 * time.Second}.Pairs(h.requests, h.changes)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*(len(h.requests)+len(h.changes))), "ns/span")
		})
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
