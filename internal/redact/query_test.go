// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestQueryKeepsHarmlessValuesOnly(t *testing.T) {
	for query, want := range map[string]string{
		"":           "",
		"dryRun=All": "dryRun=All",
		"fieldManager=kubectl-edit&fieldValidation=Strict&force=true": "fieldManager=kubectl-edit&fieldValidation=Strict&force=true",
		"labelSelector=a%3Db%2Cc+in+%28d%29&limit=500":                "labelSelector=a%3Db%2Cc+in+%28d%29&limit=500",
		"watch":   "watch",
		"watch=":  "watch=",
		"&&tty=1": "tty=1",
		"command=mysql&command=-phunter2&container=db&stdin=true&tty=true": "command=REDACTED&container=db&stdin=true&tty=true",
		"continue=hunter2&limit=1":    "continue=REDACTED&limit=1",
		"token=hunter2":               "token=REDACTED",
		"co%6dmand=hunter2":           "command=REDACTED",
		"hunter2":                     "REDACTED",
		"hunter2&hunter3":             "REDACTED",
		"hun%20ter2=x":                "REDACTED",
		"hunter2%=x":                  "REDACTED",
		"limit=%zzhunter2":            "limit=REDACTED",
		strings.Repeat("x", 65) + "=": "REDACTED",
		"fieldManager=%00%ff%0a":      "fieldManager=%00%EF%BF%BD%0A",
		"container=a;command=hunter2": "container=a%3Bcommand%3Dhunter2",
		"Limit=hunter2":               "Limit=REDACTED",
	} {
		assert.Equal(t, want, defaultRedactor(t).Query(query), query)
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("command=a&limit=1&x&watch=%ff&labelSelector=a=b&=&%00=;")
	f.Fuzz(func(t *testing.T, query string) {
		r := defaultRedactor(t)
		got := r.Query(query)
		if strings.ContainsFunc(got, func(c rune) bool { return c <= ' ' || c > '~' }) {
			t.Errorf("%q gives %q", query, got)
		}
		if _, err := url.ParseQuery(got); err != nil {
			t.Errorf("%q gives %q: %v", query, got, err)
		}
		if again := r.Query(got); again != got {
			t.Errorf("%q gives %q, and that %q", query, got, again)
		}
		if got := r.Query("command=MARKER" + query + "&c=MARKER&MARKER"); strings.Contains(got, "MARKER") {
			t.Errorf("%q gives %q", query, got)
		}
	})
}
