// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package diff // import "github.com/kelemetry/kelemetry/internal/diff"

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// sameText reports whether two strings differ in their escapes only.
func sameText(a, b []byte) bool {
	if bytes.IndexByte(a, '\\') < 0 && bytes.IndexByte(b, '\\') < 0 {
		return false
	}
	return text(a) == text(b)
}

// text is a string's content.
func text(value []byte) string {
	s := jsonscan.New(value)
	t, _ := s.Str()
	return t
}

// sameMeaning reports whether two values that are not containers mean the same to a person, at the current path.
// Values that the object's author made up, such as labels and data, mean what they say.
func (w *walker) sameMeaning(before, after []byte) bool {
	was, is := kindOf(before), kindOf(after)
	if was == jsonscan.Number && is == jsonscan.Number {
		return sameNumber(before, after)
	}
	if was != jsonscan.String && was != jsonscan.Number || is != jsonscan.String && is != jsonscan.Number || w.isVerbatim() {
		return false
	}
	switch {
	case w.isQuantity():
		return sameQuantity(plain(before), plain(after))
	case was == jsonscan.String && is == jsonscan.String && isTime(w.name()):
		return sameTime(text(before), text(after))
	default:
		return false
	}
}

func plain(value []byte) string {
	if value[0] == '"' {
		return text(value)
	}
	return string(value)
}

// exactDigits is how many decimal digits a float64 holds for sure.
const exactDigits = 15

func sameNumber(a, b []byte) bool {
	if len(a) > exactDigits || len(b) > exactDigits {
		return false
	}
	x, errX := strconv.ParseFloat(string(a), 64)
	y, errY := strconv.ParseFloat(string(b), 64)
	return errX == nil && errY == nil && x == y
}

// maxQuantity is longer than any quantity that a person writes.
const maxQuantity = 32

func sameQuantity(a, b string) bool {
	if len(a) > maxQuantity || len(b) > maxQuantity {
		return false
	}
	x, errX := resource.ParseQuantity(a)
	y, errY := resource.ParseQuantity(b)
	return errX == nil && errY == nil && x.Cmp(y) == 0
}

func sameTime(a, b string) bool {
	x, errX := time.Parse(time.RFC3339Nano, a)
	y, errY := time.Parse(time.RFC3339Nano, b)
	return errX == nil && errY == nil && x.Equal(y)
}

// isTime goes by the names that the API conventions ask for.
func isTime(name string) bool {
	return strings.HasSuffix(name, "Time") || strings.HasSuffix(name, "Timestamp") || strings.HasSuffix(name, "At") ||
		name == "time" || name == "timestamp"
}

// isQuantity goes by the names of fields that hold quantities, or maps of them, wherever an author took them over.
func (w *walker) isQuantity() bool {
	switch w.name() {
	case "sizeLimit", "divisor", "averageValue", "capacity":
		return true
	}
	if len(w.path) < 2 {
		return false
	}
	switch w.path[len(w.path)-2].Field {
	case "requests", "limits", "capacity", "allocatable", "allocatedResources", "hard", "used", "default", "defaultRequest", "max", "min",
		"maxLimitRequestRatio", "overhead", "podFixed":
		return true
	default:
		return false
	}
}

func (w *walker) isVerbatim() bool {
	for i := range w.path {
		switch w.path[i].Field {
		case "annotations", "labels", "matchLabels", "data", "stringData", "binaryData":
			return true
		}
	}
	return false
}

// name is the current field.
func (w *walker) name() string {
	if len(w.path) == 0 {
		return ""
	}
	return w.path[len(w.path)-1].Field
}
