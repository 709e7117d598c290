// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/api/meta"
)

func TestFilter(t *testing.T) {
	for name, tt := range map[string]struct {
		config FilterConfig
		want   reason
	}{
		"nothing":                         {FilterConfig{}, keep},
		"kind":                            {FilterConfig{Exclude: []RuleConfig{{Kinds: []string{"Pod", "Deployment"}}}}, reasonExcluded},
		"kind and group":                  {FilterConfig{Exclude: []RuleConfig{{Kinds: []string{"*.apps"}}}}, reasonExcluded},
		"kind of another group":           {FilterConfig{Exclude: []RuleConfig{{Kinds: []string{"Deployment.example.com"}}}}, keep},
		"reason":                          {FilterConfig{Exclude: []RuleConfig{{Reasons: []string{"Scaling*"}}}}, reasonExcluded},
		"type":                            {FilterConfig{Include: []RuleConfig{{Types: []string{"Warning"}}}}, reasonNotIncluded},
		"namespace":                       {FilterConfig{Include: []RuleConfig{{Namespaces: []string{"kube-*", "default"}}}}, keep},
		"cluster-scoped only":             {FilterConfig{Include: []RuleConfig{{Namespaces: []string{""}}}}, reasonNotIncluded},
		"controller":                      {FilterConfig{Exclude: []RuleConfig{{Controllers: []string{"deployment-controller"}}}}, reasonExcluded},
		"name":                            {FilterConfig{Exclude: []RuleConfig{{Names: []string{"hell*"}}}}, reasonExcluded},
		"each list has to match":          {FilterConfig{Exclude: []RuleConfig{{Names: []string{"hello"}, Types: []string{"Warning"}}}}, keep},
		"one rule has to match":           {FilterConfig{Include: []RuleConfig{{Names: []string{"other"}}, {Types: []string{"Normal"}}}}, keep},
		"exclude wins":                    {FilterConfig{Include: []RuleConfig{{}}, Exclude: []RuleConfig{{}}}, reasonExcluded},
		"a rule without lists is for all": {FilterConfig{Include: []RuleConfig{{}}}, keep},
	} {
		t.Run(name, func(t *testing.T) {
			e := happened("ScalingReplicaSet", 1)
			e.ReportingController = "deployment-controller"
			e.Regarding.APIVersion, e.Regarding.Kind, e.Regarding.Name = "apps/v1", "Deployment", "hello"
			on, ok := objects{"prod", meta.NewDefaultRESTMapper(nil)}.of(&e.Regarding, e.Namespace)
			assert.True(t, ok)
			o := occurrenceOf(e)
			assert.Equal(t, tt.want, newFilter(tt.config).check(&o, on))
		})
	}
}
