// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func object(name string) objectspan.Resource {
	return objectspan.Resource{
		Object: identity.Object{Cluster: "c", Resource: "configmaps", Namespace: "n", Name: name},
		Kind:   "ConfigMap", APIVersion: "v1", UID: "uid-" + name,
	}
}

func ownedBy(name string) Owners {
	owners, err := ParseOwners(`[{"apiVersion":"v1","kind":"ConfigMap","name":"`+name+`","uid":"uid-`+name+`"}]`, ControllerOnly)
	if err != nil {
		panic(err)
	}
	return owners
}

func newKnowledge(t *testing.T, maxObjects, maxDepth int) *Knowledge {
	k, err := NewKnowledge(Bounds{Objects: maxObjects, Depth: maxDepth}, time.Now)
	require.NoError(t, err)
	return k
}

func teach(k *Knowledge, child, owner string) {
	f := NewForest()
	f.Add(object(child)).Teach(ownedBy(owner), 1)
	k.Complete(context.Background(), f, nil)
}

func chainOf(k *Knowledge, name string, maxDepth int) (names []string, cut Cut) {
	f := NewForest()
	n := f.Add(object(name))
	k.Complete(context.Background(), f, nil)
	chain, cut := n.Chain(maxDepth, nil)
	for _, n := range chain {
		names = append(names, n.Name)
	}
	return names, cut
}

func TestParseOwners(t *testing.T) {
	for _, tt := range []struct {
		name, text, owner string
		none              bool
	}{
		{"no owners", `[]`, "", true},
		{"null", `null`, "", true},
		{"the only one", `[{"kind":"A","name":"a"}]`, "a", false},
		{"several without a controller", `[{"kind":"A","name":"a"},{"kind":"A","name":"b"}]`, "", false},
		{"the controller", `[{"kind":"A","name":"a"},{"kind":"A","name":"b","controller":true}]`, "b", false},
		{"fields that we do not know", `[{"kind":"A","name":"a","blockOwnerDeletion":true,"controller":false}]`, "a", false},
		{"a reference without a name is none", `[{"kind":"A"},{"kind":"A","name":"b"}]`, "b", false},
		{"a reference without a kind is none", `[{"name":"a"}]`, "", true},
		{"a name longer than names can be", `[{"kind":"A","name":"` + strings.Repeat("x", maxText+1) + `"}]`, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			owners, err := ParseOwners(tt.text, ControllerOnly)
			require.NoError(t, err)
			owner, ok := owners.Value().Owner()
			assert.Equal(t, tt.owner, owner.Name)
			assert.Equal(t, tt.owner != "", ok)
			assert.Equal(t, tt.none, owners.Value().None())
		})
	}
	for _, text := range []string{``, `{}`, `"x"`, `[1]`, `[{"kind":1}]`, `[{`, `[] []`} {
		_, err := ParseOwners(text, ControllerOnly)
		assert.Error(t, err, text)
	}
}

func TestManyReferencesAreCutButTheOwnerIsFound(t *testing.T) {
	var refs []identity.OwnerReference
	for i := range 10 * maxReferences {
		refs = append(refs, identity.OwnerReference{Kind: "A", Name: fmt.Sprint(i), Controller: i == 10*maxReferences-1})
	}
	owners, err := ParseOwners(identity.FormatOwners(refs), ControllerOnly)
	require.NoError(t, err)
	owner, _ := owners.Value().Owner()
	assert.Equal(t, refs[len(refs)-1], owner)
	kept, err := identity.ParseOwners(owners.Value().JSON)
	require.NoError(t, err)
	assert.Len(t, kept, maxReferences)
	assert.Contains(t, kept, owner)
}

// TestLivesDoNotDependOnOrder adds the same random facts in random orders, some of them twice.
func TestLivesDoNotDependOnOrder(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		facts := make([]fact, 1+r.IntN(20))
		for i := range facts {
			facts[i] = fact{
				uid: []string{"", "a", "b", "c", "d", "e", "f"}[r.IntN(7)], at: pcommon.Timestamp(r.IntN(6)),
				owners: ownedBy(fmt.Sprint(r.IntN(3))),
			}
		}
		var want lives
		for round := range 6 {
			r.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
			got := firstFact(facts[0])
			for _, f := range append(facts[1:], facts[r.IntN(len(facts))]) {
				got = got.with(f)
			}
			if round == 0 {
				want = got
			}
			require.Equal(t, want.newest, got.newest, "seed %d", seed)
			require.ElementsMatch(t, want.older, got.older, "seed %d", seed)
			require.Less(t, len(got.older), maxLives)
		}
	}
}

// TestLivesAreValues: what was handed out does not change when facts are added later.
func TestLivesAreValues(t *testing.T) {
	old := firstFact(fact{uid: "a", at: 1, owners: ownedBy("x")}).with(fact{uid: "b", at: 2, owners: ownedBy("y")})
	_ = old.with(fact{uid: "a", at: 3, owners: ownedBy("z")})
	f, ok := old.of("a")
	assert.True(t, ok)
	assert.Equal(t, ownedBy("x"), f.owners)
}

func TestFactForALife(t *testing.T) {
	anonymous := fact{uid: "", at: 5, owners: ownedBy("anonymous")}
	a := fact{uid: "a", at: 3, owners: ownedBy("a")}
	b := fact{uid: "b", at: 4, owners: ownedBy("b")}
	for _, tt := range []struct {
		name  string
		facts []fact
		uid   string
		want  *fact
	}{
		{"its own", []fact{a, b}, "a", &a},
		{"its own before a newer one that does not say whose it is", []fact{a, anonymous}, "a", &a},
		{"one that does not say whose it is", []fact{b, anonymous}, "a", &anonymous},
		{"never that of another life", []fact{b}, "a", nil},
		{"without a UID the newest", []fact{a, b}, "", &b},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := firstFact(tt.facts[0])
			for _, f := range tt.facts[1:] {
				l = l.with(f)
			}
			got, ok := l.of(tt.uid)
			assert.Equal(t, tt.want != nil, ok)
			if tt.want != nil {
				assert.Equal(t, *tt.want, got)
			}
		})
	}
}

func TestChain(t *testing.T) {
	k := newKnowledge(t, 100, 4)
	for _, edge := range []string{"b a", "c b", "d c", "e d", "f e", "self self", "x y", "y x", "tail x", "longer tail"} {
		child, owner, _ := strings.Cut(edge, " ")
		teach(k, child, owner)
	}
	circle := []string{"x", "y"}
	if a, b := identity.ObjectID(object("x").Object), identity.ObjectID(object("y").Object); a.String() > b.String() {
		circle = []string{"y", "x"}
	}
	root, other := circle[0], circle[1]
	ontoCircle := func(chain ...string) []string { // x is where the tail leads to
		if root == "x" {
			return append(chain, "x")
		}
		return append(chain, "x", "y")
	}
	for _, tt := range []struct {
		name string
		want []string
		cut  Cut
	}{
		{"a", []string{"a"}, Whole},
		{"d", []string{"d", "c", "b", "a"}, Whole},
		{"e", []string{"e", "d", "c", "b"}, CutDepth},
		{"f", []string{"f", "e", "d", "c"}, CutDepth},
		{"self", []string{"self"}, CutCycle},
		{root, []string{root}, CutCycle},
		{other, []string{other, root}, CutCycle},
		{"tail", ontoCircle("tail"), CutCycle},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, cut := chainOf(k, tt.name, 4)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.cut, cut)
		})
	}
}

// TestAllOfACircleHaveOneRoot for circles of any length below the limit, and whatever leads into them.
func TestAllOfACircleHaveOneRoot(t *testing.T) {
	for length := 1; length < 8; length++ {
		k := newKnowledge(t, 100, 16)
		for i := range length {
			teach(k, fmt.Sprint(i), fmt.Sprint((i+1)%length))
		}
		teach(k, "tail", "0")
		teach(k, "longer", "tail")
		roots := map[string]bool{}
		for _, name := range []string{"0", fmt.Sprint(length - 1), fmt.Sprint(length / 2), "tail", "longer"} {
			chain, cut := chainOf(k, name, 16)
			assert.Equal(t, CutCycle, cut)
			roots[chain[len(chain)-1]] = true
		}
		assert.Len(t, roots, 1)
	}
}

func TestTypes(t *testing.T) {
	custom := func(resource, namespace, name string) objectspan.Resource {
		return objectspan.Resource{
			Object: identity.Object{Cluster: "c", Group: "example.com", Resource: resource, Namespace: namespace, Name: name},
			Kind:   "Bus",
		}
	}
	tooLong := custom(strings.Repeat("x", maxText+1), "", "a")
	for _, tt := range []struct {
		name          string
		seen          []objectspan.Resource
		want          string
		clusterScoped bool
	}{
		{"guessed", nil, "buses", false},
		{"learned", []objectspan.Resource{custom("omnibuses", "n", "a")}, "omnibuses", false},
		{"learned to have no namespace", []objectspan.Resource{custom("omnibuses", "", "a")}, "omnibuses", true},
		{"with a namespace once is always", []objectspan.Resource{custom("omnibuses", "n", "a"), custom("omnibuses", "", "b")}, "omnibuses", false},
		{"the same backwards", []objectspan.Resource{custom("omnibuses", "", "b"), custom("omnibuses", "n", "a")}, "omnibuses", false},
		{"the first of several", []objectspan.Resource{custom("b", "", "x"), custom("a", "", "x"), custom("c", "", "x")}, "a", true},
		{"a collection tells no scope", []objectspan.Resource{custom("omnibuses", "", "")}, "buses", false},
		{"no resource is that long", []objectspan.Resource{tooLong}, "buses", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			types, err := newTypes(10)
			require.NoError(t, err)
			for _, r := range tt.seen {
				types.Learn(r)
			}
			resource, clusterScoped := types.Resource("c", "example.com", "Bus")
			assert.Equal(t, tt.want, resource)
			assert.Equal(t, tt.clusterScoped, clusterScoped)
			elsewhere, _ := types.Resource("other", "example.com", "Bus")
			assert.Equal(t, "buses", elsewhere, "another cluster may have another type by that name")
		})
	}
	t.Run("built-in ones are not learned", func(t *testing.T) {
		types, err := newTypes(10)
		require.NoError(t, err)
		types.Learn(objectspan.Resource{Object: identity.Object{Group: "apps", Resource: "deployments", Name: "x"}, Kind: "Scale"})
		assert.Zero(t, types.learned.Len())
	})
}

// TestBatchLargerThanTheCache: what a batch tells serves the batch itself in any case.
func TestBatchLargerThanTheCache(t *testing.T) {
	k := newKnowledge(t, 1, 16)
	f := NewForest()
	nodes := make([]*Node, 10)
	for i := range nodes {
		nodes[i] = f.Add(object(fmt.Sprint(i)))
		if i > 0 {
			nodes[i].Teach(ownedBy(fmt.Sprint(i-1)), 1)
		}
	}
	k.Complete(context.Background(), f, nil)
	chain, cut := nodes[9].Chain(16, nil)
	assert.Len(t, chain, 10)
	assert.Equal(t, Whole, cut)
	assert.Equal(t, Stats{Objects: 1, EvictedObjects: 8}, k.Stats())
}

func TestSources(t *testing.T) {
	k := newKnowledge(t, 100, 16)
	teach(k, "cached", "parent")
	f := NewForest()
	f.Add(object("cached"))
	f.Add(object("told")).Teach(ownedBy("cached"), 1)
	none, err := ParseOwners("[]", ControllerOnly)
	require.NoError(t, err)
	f.Add(object("none")).Teach(none, 1)
	f.Add(object("unknown"))
	f.Add(object("")) // a collection
	k.Complete(context.Background(), f, nil)
	assert.Equal(t, Sources{SourceUnknown: 2, SourceNone: 2, SourceBatch: 1, SourceCache: 1}, f.Sources(),
		"the parent of the cached one is unknown too")
}

// TestReferencesDescribeOnlyWhatSpansDoNot, and the same whatever the order.
func TestReferencesDescribeOnlyWhatSpansDoNot(t *testing.T) {
	deployment := func(version string) Owners {
		owners, err := ParseOwners(`[{"apiVersion":"apps/`+version+`","kind":"Deployment","name":"d","uid":"u"}]`, ControllerOnly)
		require.NoError(t, err)
		return owners
	}
	for _, order := range [][2]string{{"v1", "v1beta1"}, {"v1beta1", "v1"}} {
		f := NewForest()
		a, b := f.Add(object("a")), f.Add(object("b"))
		a.Teach(deployment(order[0]), 1)
		b.Teach(deployment(order[1]), 1)
		newKnowledge(t, 10, 16).Complete(context.Background(), f, nil)
		assert.Same(t, a.owner, b.owner)
		assert.Equal(t, "apps/v1", a.owner.APIVersion)
		assert.Equal(t, "u", a.owner.UID)
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	k := newKnowledge(t, 50, 16)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(worker), 0))
			for range 500 {
				child := r.IntN(100)
				teach(k, fmt.Sprint(child), fmt.Sprint(child/2))
				k.Stats()
				chainOf(k, fmt.Sprint(r.IntN(100)), 16)
				k.Types().Learn(objectspan.Resource{
					Object: identity.Object{Group: "g", Resource: fmt.Sprint(child), Name: "x"}, Kind: fmt.Sprint(child % 60),
				})
				k.Types().Resource("", "g", "1")
			}
		})
	}
	wg.Wait()
	stats := k.Stats()
	assert.EqualValues(t, 50, stats.Objects)
	assert.Positive(t, stats.EvictedObjects)
	assert.Positive(t, stats.EvictedTypes)
}

func TestBoundsAreChecked(t *testing.T) {
	_, err := NewKnowledge(Bounds{Objects: 0, Depth: 16}, time.Now)
	assert.Error(t, err)
}

// FuzzParseOwners: no text, however hostile, makes more of an entry than the bounds allow.
func FuzzParseOwners(f *testing.F) {
	f.Add(`[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"a","uid":"b","controller":true}]`)
	f.Add(`[]`)
	f.Add(`null`)
	f.Add(`[{"kind":"\ud800","name":"<>&"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		owners, err := ParseOwners(text, ControllerOnly)
		if err != nil {
			return
		}
		list := owners.Value()
		again, err := ParseOwners(list.JSON, ControllerOnly)
		require.NoError(t, err, "what goes out must come in")
		require.Equal(t, owners, again, "another k8slink must read the same from it")
		refs, err := identity.ParseOwners(list.JSON)
		require.NoError(t, err)
		require.LessOrEqual(t, len(refs), maxReferences)
	})
}
