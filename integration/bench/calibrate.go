// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"time"
)

// document is JSON of the kind that API servers send.
var document = []byte(`{"items":[` + strings.Repeat(`{"metadata":{"name":"web-1","labels":{"app":"web"},"generation":12},"spec":{"replicas":3,"paused":false,"text":"a \"b\" c"}},`, 500) + `{}]}`)

// calibrate returns the CPU time of a loop that never changes: some JSON is decoded into trees, which allocates, encoded again, hashed, and
// counted in a map. It is the middle of three.
func calibrate() time.Duration {
	var took [3]time.Duration
	for i := range took {
		before := cpuTime()
		loop()
		took[i] = cpuTime() - before
	}
	least, most := min(took[0], took[1], took[2]), max(took[0], took[1], took[2])
	return took[0] + took[1] + took[2] - least - most
}

func loop() {
	seen := map[string]int{}
	for i := range 20 {
		var tree any
		if err := json.Unmarshal(document, &tree); err != nil {
			panic(err) // it is a constant
		}
		text, err := json.Marshal(tree)
		if err != nil {
			panic(err)
		}
		hash := sha256.Sum256(text)
		for j := range 5000 {
			seen[fmt.Sprintf("%x-%d", hash[:4], (i+j)%3000)]++
		}
	}
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
