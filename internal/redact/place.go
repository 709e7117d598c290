// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

// place is what a JSON value is, as far as redaction needs to know: a state of a small machine. It starts with what the
// body is taken for and moves on with each key and each item on the way down. These are its steps:
//
//   - [rules.member] says what the value of a member is, by the object's place and the member's key;
//   - [item] says what the items of an array are;
//   - [hides] says whether a value of some kind is replaced as a whole where it is.
type place uint8

const (
	// anywhere is a value of which nothing is known. Keys that are well known are looked for in it.
	anywhere place = iota

	// object, and the three after it, are a whole API object, a list of such, or part of one in a patch.
	object
	// secretObject keeps metadata and the keys of its data. What it does not know, it hides.
	secretObject
	configMapObject
	// closedObject keeps metadata without the values of annotations.
	closedObject

	// The items of a list of objects.
	objectItems
	secretItems
	configMapItems
	closedItems

	// The rows of a table of objects, and a row. A client such as kubectl asks for tables.
	objectRows
	secretRows
	configMapRows
	closedRows
	objectRow
	secretRow
	configMapRow
	closedRow

	// metadata is that of an API object, innerMetadata what has that name deeper in it.
	metadata
	secretMetadata
	closedMetadata
	innerMetadata
	labels
	annotations

	containers
	container
	// envs is the env of a container. looseEnvs is what has that name elsewhere: custom resources have lists of variables
	// in many places, but also other things under that name.
	envs
	looseEnvs
	env
	looseEnv
	// arguments is the args or command of a container, looseArguments what has that name elsewhere.
	arguments
	looseArguments
	// looseValue is a member of a map of variables or arguments: hidden if it is a scalar.
	looseValue
	headers

	// details are those of a Status about an object that hides things; causes are in them.
	details
	causes
	cause

	// message is text for people that may contain a dump of an object.
	message
	// shown is a scalar that is harmless. Anything but a scalar is not what was expected and hidden.
	shown
	// hiddenValues is a map whose keys are shown and whose values are hidden.
	hiddenValues
	// hidden is replaced, whatever it is.
	hidden
	// dropped is left out with its key.
	dropped
)

// Variants of a place lie in the order of the objects that they belong to.

func (p place) isRoot() bool       { return p >= object && p <= closedObject }
func (p place) isGuarded() bool    { return p >= secretObject && p <= closedObject }
func (p place) isObserved() bool   { return p >= metadata && p <= labels }
func itemsOf(root place) place     { return root - object + objectItems }
func rowsOf(root place) place      { return root - object + objectRows }
func rowOf(rows place) place       { return rows - objectRows + objectRow }
func objectOfRow(row place) place  { return row - objectRow + object }
func objectOfItems(is place) place { return is - objectItems + object }

func metadataOf(root place) place {
	switch root {
	case closedObject:
		return closedMetadata
	case object:
		return metadata
	default:
		return secretMetadata
	}
}
