// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package model // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/attr"
)

const second = pcommon.Timestamp(1e9)

// exactTime returns when an Event occurred, more exactly than its times tell. Most of them tell whole seconds, in which much
// happens. But client-go names an Event after the object and the nanosecond of its first occurrence: "web.18eb259388d2ed28".
// That counts if it is within the second that the Event tells.
func exactTime(e *Entry) pcommon.Timestamp {
	if e.Source != Event || e.Start%second != 0 || e.Int(attr.EventCount) > 1 {
		return e.Start
	}
	name := e.Text(attr.EventName)
	at, err := strconv.ParseUint(name[strings.LastIndexByte(name, '.')+1:], 16, 63)
	if exact := pcommon.Timestamp(at); err == nil && exact > e.Start && exact < e.Start+second {
		return exact
	}
	return e.Start
}
