// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

import (
	"encoding/json"
	"errors"
	"fmt"
)

// AnnotationRule is what links by the annotation are called where others have the name of their rule.
const AnnotationRule = "annotation"

// parentLink is the value of the annotation, as the original Kelemetry defines it.
type parentLink struct {
	Cluster   string `json:"cluster"`
	Group     string `json:"group"`
	Version   string `json:"version"`
	Resource  string `json:"resource"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
}

// readAnnotation reads the object that the annotation's value names.
func readAnnotation(text string, from *Object) (Target, bool, error) {
	var p parentLink
	if len(text) > 8*maxText {
		return Target{}, false, fmt.Errorf("the annotation has %d bytes", len(text))
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return Target{}, false, fmt.Errorf("reading the annotation: %w", err)
	}
	if p.Resource == "" || p.Name == "" {
		return Target{}, false, errors.New("the annotation lacks resource or name")
	}
	return fields{
		fieldCluster: p.Cluster, fieldGroup: p.Group, fieldVersion: p.Version, fieldResource: p.Resource,
		fieldNamespace: p.Namespace, fieldName: p.Name, fieldUID: p.UID,
	}.target(from)
}
