// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package states keeps the last state of objects in little memory: compressed, with a dictionary made of the first objects
// of a resource, because objects of one resource look much the same. A budget bounds what all of them take together.
package states // import "github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/states"
