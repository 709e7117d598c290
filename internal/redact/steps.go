// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"bytes"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// rules are the rules that are on.
type rules struct {
	secrets, configMaps, tokens, lastApplied, env, args, messages, labels bool
	// copies names annotations that hold a full copy of the object, beyond the well-known ones.
	copies map[string]bool
	// known are the facts that matter with these rules.
	known facts
}

func newRules(c Config) rules {
	r := rules{
		secrets: c.Secrets, configMaps: c.ConfigMaps, tokens: c.TokensAndReviews, lastApplied: c.LastApplied,
		env: c.ContainerEnv, args: c.ContainerArgs, messages: c.Messages, labels: c.LabeledObjects,
		copies: make(map[string]bool), known: factList | factTable | factStatus | factDeleteOptions,
	}
	for _, name := range c.LastAppliedAnnotations {
		r.copies[name] = true
	}
	if c.Secrets {
		r.known |= factSecret | factSecretList
	}
	if c.ConfigMaps {
		r.known |= factConfigMap | factConfigMapList
	}
	if c.TokensAndReviews {
		r.known |= factToken
	}
	return r
}

// member returns what the value of a member is. Facts are what is known of the object from other members of it.
func (r *rules) member(p place, f facts, key []byte) place {
	switch p {
	case object:
		return r.ofObject(f, key)
	case secretObject, configMapObject, closedObject:
		return ofGuarded(p, f, key)
	case objectRow, secretRow, configMapRow, closedRow:
		return r.ofRow(p, key)
	case metadata, secretMetadata, closedMetadata:
		return r.ofMetadata(p, key)
	case innerMetadata:
		if string(key) == "managedFields" {
			return dropped
		}
		return r.ofAnything(f, key)
	case labels:
		return anywhere
	case annotations:
		return r.ofAnnotations(key)
	case containers:
		return container // some custom resources have maps of containers
	case container:
		return r.ofContainer(f, key)
	case env, looseEnv, headers:
		return r.ofVariable(p, f, key)
	case details, cause:
		return ofStatus(key)
	case looseEnvs, looseArguments:
		return looseValue
	case anywhere, objectItems, objectRows, looseValue, message:
		return r.ofAnything(f, key)
	default:
		return hidden
	}
}

// ofAnything looks for the keys that are well known wherever they are.
func (r *rules) ofAnything(f facts, key []byte) place {
	switch string(key) {
	case "metadata":
		return innerMetadata
	case "annotations":
		if r.lastApplied {
			return annotations
		}
	case "containers", "initContainers", "ephemeralContainers":
		return containers
	case "env":
		if r.env {
			return looseEnvs
		}
	case "args", "command":
		if r.args {
			return looseArguments
		}
	case "httpHeaders":
		if r.args {
			return headers
		}
	case "message", "note":
		if r.messages {
			return message
		}
	case "stringData": // nothing else has a field of this name, so its kind need not be known
		if r.secrets {
			return hiddenValues
		}
	case "data", "binaryData", "spec", "status", "items":
		return f.of(key)
	default:
		if len(key) > 0 && key[0] == '$' {
			return r.ofDirective(f, key)
		}
	}
	return anywhere
}

// ofDirective is for keys of strategic merge patches: $setElementOrder/args lists the items of args.
func (r *rules) ofDirective(f facts, key []byte) place {
	for _, prefix := range [...]string{"$setElementOrder/", "$deleteFromPrimitiveList/"} {
		if rest, ok := bytes.CutPrefix(key, []byte(prefix)); ok {
			return r.ofAnything(f, bytes.TrimLeft(rest, "$"))
		}
	}
	return anywhere
}

func (r *rules) ofObject(f facts, key []byte) place {
	switch string(key) {
	case "metadata":
		return metadata
	case "items":
		if p := f.of(key); p != anywhere {
			return p
		}
		return objectItems
	case "rows":
		return objectRows
	default:
		return r.ofAnything(f, key)
	}
}

// ofGuarded names what is harmless in an object that hides things. All else is hidden.
func ofGuarded(p place, f facts, key []byte) place {
	switch string(key) {
	case "apiVersion", "kind", "$patch":
		return shown
	case "metadata":
		return metadataOf(p)
	case "items":
		return f.then(factList, itemsOf(p))
	case "rows":
		return f.then(factTable, rowsOf(p))
	case "columnDefinitions":
		return f.then(factTable, anywhere)
	case "status", "reason", "code":
		return f.then(factStatus, shown)
	case "details":
		return f.then(factStatus, details)
	case "gracePeriodSeconds", "orphanDependents", "propagationPolicy", "dryRun", "preconditions":
		return f.then(factDeleteOptions, anywhere)
	case "type", "immutable":
		if p != closedObject {
			return shown
		}
	case "data":
		if p != closedObject {
			return hiddenValues
		}
	case "stringData":
		if p == secretObject {
			return hiddenValues
		}
	case "binaryData":
		if p == configMapObject {
			return hiddenValues
		}
	}
	return hidden
}

// ofRow hides the cells of a table whose objects hide things: they show fields of the object.
func (r *rules) ofRow(p place, key []byte) place {
	switch {
	case string(key) == "object":
		return objectOfRow(p)
	case p == objectRow:
		return r.ofAnything(0, key)
	default:
		return hidden
	}
}

func (r *rules) ofMetadata(p place, key []byte) place {
	switch string(key) {
	case "managedFields":
		return dropped
	case "labels":
		return labels
	case "annotations":
		switch {
		case p == closedMetadata:
			return hiddenValues
		case p == secretMetadata || r.lastApplied: // a copy of a Secret is one
			return annotations
		}
	}
	return anywhere
}

func (r *rules) ofContainer(f facts, key []byte) place {
	switch string(key) {
	case "env":
		if r.env {
			return envs
		}
		return anywhere
	case "args", "command":
		if r.args {
			return arguments
		}
		return anywhere
	default:
		return r.ofAnything(f, key)
	}
}

// ofVariable is for members of environment variables and of headers.
func (r *rules) ofVariable(p place, f facts, key []byte) place {
	switch {
	case string(key) == "value":
		return hidden
	case p == looseEnv:
		return r.ofAnything(f, key)
	case string(key) == "name", string(key) == "$patch":
		return shown
	case string(key) == "valueFrom" && p == env:
		return anywhere
	default:
		return hidden
	}
}

func ofStatus(key []byte) place {
	switch string(key) {
	case "name", "group", "kind", "uid", "retryAfterSeconds", "reason", "field":
		return shown
	case "causes":
		return causes
	default:
		return hidden
	}
}

// isList reports whether a value is a list if it is what was expected.
func isList(p place) bool {
	switch p {
	case containers, envs, looseEnvs, arguments, looseArguments, headers, causes:
		return true
	default:
		return p >= objectItems && p <= closedRows
	}
}

// item returns what the items of an array are.
func item(p place) place {
	switch p {
	case object, secretObject, configMapObject, closedObject:
		return p
	case objectItems, secretItems, configMapItems, closedItems:
		return objectOfItems(p)
	case objectRows, secretRows, configMapRows, closedRows:
		return rowOf(p)
	case containers:
		return container
	case envs:
		return env
	case looseEnvs:
		return looseEnv
	case headers:
		return headers
	case causes:
		return cause
	case arguments, looseArguments:
		return hidden
	case looseValue:
		return looseValue
	case hiddenValues, hidden, shown:
		return hidden
	default:
		return anywhere
	}
}

// hides reports whether a value is replaced as a whole, by what it is and its kind. Null never is.
func hides(p place, kind jsonscan.Kind) bool {
	switch p {
	case hidden:
		return true
	case headers, looseArguments, looseValue:
		return kind != jsonscan.Object && kind != jsonscan.Array
	case annotations:
		return kind == jsonscan.String
	case shown:
		return kind == jsonscan.Object || kind == jsonscan.Array
	case secretObject, configMapObject, closedObject, secretRow, configMapRow, closedRow,
		secretMetadata, closedMetadata, env, looseEnv, cause, details, hiddenValues:
		return kind != jsonscan.Object
	case secretItems, configMapItems, closedItems, secretRows, configMapRows, closedRows, envs, arguments, causes:
		return kind != jsonscan.Array
	default:
		return false
	}
}
