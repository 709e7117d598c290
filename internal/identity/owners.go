// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package identity // import "github.com/kelemetry/kelemetry/internal/identity"

import (
	"encoding/json"
	"fmt"
)

// OwnerReference is the part of metav1.OwnerReference that placing an object needs.
type OwnerReference struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Controller bool   `json:"controller,omitempty"`
}

// FormatOwners writes owner references as the JSON array that the attribute k8s.object.owner_references carries.
// No owners make an empty array, which says that there are none.
func FormatOwners(owners []OwnerReference) string {
	if len(owners) == 0 {
		return "[]"
	}
	text, err := json.Marshal(owners)
	if err != nil {
		panic(err) // strings and booleans always encode
	}
	return string(text)
}

// ParseOwners reads what FormatOwners wrote.
func ParseOwners(text string) ([]OwnerReference, error) {
	if text == "[]" {
		return nil, nil
	}
	var owners []OwnerReference
	if err := json.Unmarshal([]byte(text), &owners); err != nil {
		return nil, fmt.Errorf("reading owner references: %w", err)
	}
	return owners, nil
}
