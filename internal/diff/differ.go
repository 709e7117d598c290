// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diff // import "github.com/kelemetry/kelemetry/internal/diff"

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// Options bound and shape the result.
type Options struct {
	// MaxChanges bounds Result.Changes, and Result.Noise alike. 0 means no bound.
	MaxChanges int
	// Noise lists paths, with [*] for any item of a list, of which a change is noise, and so is one of anything below.
	// [DefaultNoise] is what built-in types need.
	Noise []string
}

// DefaultNoise lists what changes with every write, or at every heartbeat.
func DefaultNoise() []string {
	return []string{
		"apiVersion", "kind", // of another version of the same object
		"metadata.generation",
		"metadata.managedFields",
		"metadata.resourceVersion",
		"metadata.selfLink",
		`metadata.annotations["control-plane.alpha.kubernetes.io/leader"]`, // the old way to elect a leader
		`metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]`,
		"status.conditions[*].lastHeartbeatTime", // of Nodes
		"status.conditions[*].lastProbeTime",
		"status.conditions[*].lastUpdateTime",
	}
}

// Differ compares. It does not change, and is safe for concurrent use.
type Differ struct {
	maxChanges int
	// noise has the paths by the last name in them, so that most of what changes need not be written to be compared.
	noise map[string][]string
}

// New returns a Differ.
func New(options Options) *Differ {
	d := &Differ{maxChanges: options.MaxChanges, noise: map[string][]string{}}
	for _, path := range options.Noise {
		d.noise[lastName(path)] = append(d.noise[lastName(path)], path)
	}
	return d
}

// lastName returns the field that a path in text ends with.
func lastName(path string) string {
	path = strings.TrimSuffix(path, "[*]")
	if quoted, ok := strings.CutSuffix(path, `"]`); ok {
		return quoted[strings.LastIndex(quoted, `["`)+2:]
	}
	return path[strings.LastIndexByte(path, '.')+1:]
}

// maxDepth bounds how deep is looked into. What differs further down is one change.
const maxDepth = 64

// Compare lists what changed. The documents must stay as they are as long as the result is in use.
//
// Members of an object that differ in order or spelling only are equal. If a member occurs twice the first counts.
func (d *Differ) Compare(before, after []byte, schema *Schema) (Result, error) {
	if bytes.Equal(before, after) {
		return Result{}, nil
	}
	w := walker{differ: d}
	before, err := document(before)
	if err != nil {
		return Result{}, fmt.Errorf("cannot compare: the old document: %w", err)
	}
	after, err = document(after)
	if err != nil {
		return Result{}, fmt.Errorf("cannot compare: the new document: %w", err)
	}
	w.value(before, after, expect{object: schema})
	return w.result, nil
}

// document validates a text and takes the white space off.
func document(text []byte) ([]byte, error) {
	s := jsonscan.New(text)
	raw, err := s.Raw()
	if err != nil {
		return nil, err
	}
	return raw, s.End()
}

func (d *Differ) isNoise(path Path, buffer []byte) (bool, []byte) {
	for i := range path {
		if path[i].Kind != Field {
			continue
		}
		candidates, ok := d.noise[path[i].Field]
		if !ok {
			continue
		}
		buffer = path[:i+1].pattern(buffer[:0])
		for _, candidate := range candidates {
			if strings.TrimSuffix(candidate, "[*]") == string(buffer) {
				return true, buffer
			}
		}
	}
	return false, buffer
}
