// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerstorage // import "github.com/kelemetry/kelemetry/internal/jaegerstorage"

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage/internal/storagev2"
)

// fieldResourceSpans is the number of the only field of TracesData.
const fieldResourceSpans = protowire.Number(1)

// tracesToProto encodes once: the resource spans are slices of what pdata wrote.
func tracesToProto(td ptrace.Traces) (*storagev2.TracesData, error) {
	var marshaler ptrace.ProtoMarshaler
	text, err := marshaler.MarshalTraces(td)
	if err != nil {
		return nil, fmt.Errorf("encode spans: %w", err)
	}
	data := &storagev2.TracesData{}
	for len(text) > 0 {
		number, wireType, n := protowire.ConsumeTag(text)
		if n < 0 || number != fieldResourceSpans || wireType != protowire.BytesType {
			return nil, fmt.Errorf("encode spans: field %d of traces is not known", number)
		}
		value, m := protowire.ConsumeBytes(text[n:])
		if m < 0 {
			return nil, fmt.Errorf("encode spans: %w", protowire.ParseError(m))
		}
		data.ResourceSpans = append(data.ResourceSpans, value)
		text = text[n+m:]
	}
	return data, nil
}

func tracesFromProto(data *storagev2.TracesData) (ptrace.Traces, error) {
	size := 0
	for _, resource := range data.GetResourceSpans() {
		size += len(resource) + 2*protowire.SizeVarint(uint64(len(resource)))
	}
	text := make([]byte, 0, size)
	for _, resource := range data.GetResourceSpans() {
		text = protowire.AppendTag(text, fieldResourceSpans, protowire.BytesType)
		text = protowire.AppendBytes(text, resource)
	}
	var unmarshaler ptrace.ProtoUnmarshaler
	td, err := unmarshaler.UnmarshalTraces(text)
	if err != nil {
		return ptrace.Traces{}, fmt.Errorf("decode spans: %w", err)
	}
	return td, nil
}

// timeFromProto: Jaeger writes a time that is not set as the first moment of year 1.
func timeFromProto(ts *timestamppb.Timestamp) time.Time {
	if ts == nil {
		return time.Time{}
	}
	if t := ts.AsTime(); t.Year() > 1 {
		return t
	}
	return time.Time{}
}

func timeToProto(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func durationToProto(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

// queryFromProto refuses what would otherwise be answered as if it had not been asked.
func queryFromProto(q *storagev2.TraceQueryParameters) (Query, error) {
	switch {
	case len(q.GetFilter()) > 0:
		return Query{}, fmt.Errorf("%w: structured filters are not supported: search by service, operation, tags and duration", ErrInvalid)
	case q.GetPagination().GetPageToken() != "":
		return Query{}, fmt.Errorf("%w: there are no further pages: searches are not paginated, ask for more results at once", ErrInvalid)
	case q.GetSearchDepth() < 0:
		return Query{}, fmt.Errorf("%w: search_depth is %d", ErrInvalid, q.GetSearchDepth())
	}
	query := Query{
		Service:     q.GetServiceName(),
		Operation:   q.GetOperationName(),
		Attributes:  pcommon.NewMap(),
		StartMin:    timeFromProto(q.GetStartTimeMin()),
		StartMax:    timeFromProto(q.GetStartTimeMax()),
		DurationMin: q.GetDurationMin().AsDuration(),
		DurationMax: q.GetDurationMax().AsDuration(),
		Limit:       int(q.GetSearchDepth()),
	}
	if size := q.GetPagination().GetPageSize(); size > 0 {
		query.Limit = int(min(size, math.MaxInt32))
	}
	return query, mapFromProto(query.Attributes, q.GetAttributes(), 0)
}

func queryToProto(q Query) *storagev2.TraceQueryParameters {
	return &storagev2.TraceQueryParameters{
		ServiceName:   q.Service,
		OperationName: q.Operation,
		Attributes:    mapToProto(q.Attributes),
		StartTimeMin:  timeToProto(q.StartMin),
		StartTimeMax:  timeToProto(q.StartMax),
		DurationMin:   durationToProto(q.DurationMin),
		DurationMax:   durationToProto(q.DurationMax),
		SearchDepth:   int32(min(q.Limit, math.MaxInt32)),
	}
}

// maxDepth of values in values. No search is made with more than one level.
const maxDepth = 10

func mapFromProto(to pcommon.Map, from []*storagev2.KeyValue, depth int) error {
	for _, kv := range from {
		if kv.GetValue() == nil {
			continue
		}
		if err := valueFromProto(to.PutEmpty(kv.GetKey()), kv.GetValue(), depth); err != nil {
			return err
		}
	}
	return nil
}

func valueFromProto(to pcommon.Value, from *storagev2.AnyValue, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: attributes are nested over %d levels deep", ErrInvalid, maxDepth)
	}
	switch v := from.GetValue().(type) {
	case *storagev2.AnyValue_StringValue:
		to.SetStr(v.StringValue)
	case *storagev2.AnyValue_BoolValue:
		to.SetBool(v.BoolValue)
	case *storagev2.AnyValue_IntValue:
		to.SetInt(v.IntValue)
	case *storagev2.AnyValue_DoubleValue:
		to.SetDouble(v.DoubleValue)
	case *storagev2.AnyValue_BytesValue:
		to.SetEmptyBytes().FromRaw(v.BytesValue)
	case *storagev2.AnyValue_KvlistValue:
		return mapFromProto(to.SetEmptyMap(), v.KvlistValue.GetValues(), depth+1)
	case *storagev2.AnyValue_ArrayValue:
		slice := to.SetEmptySlice()
		for _, element := range v.ArrayValue.GetValues() {
			if err := valueFromProto(slice.AppendEmpty(), element, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func mapToProto(from pcommon.Map) []*storagev2.KeyValue {
	to := make([]*storagev2.KeyValue, 0, from.Len())
	for key, value := range from.All() {
		to = append(to, &storagev2.KeyValue{Key: key, Value: valueToProto(value)})
	}
	return to
}

func valueToProto(from pcommon.Value) *storagev2.AnyValue {
	switch from.Type() {
	case pcommon.ValueTypeStr:
		return &storagev2.AnyValue{Value: &storagev2.AnyValue_StringValue{StringValue: from.Str()}}
	case pcommon.ValueTypeBool:
		return &storagev2.AnyValue{Value: &storagev2.AnyValue_BoolValue{BoolValue: from.Bool()}}
	case pcommon.ValueTypeInt:
		return &storagev2.AnyValue{Value: &storagev2.AnyValue_IntValue{IntValue: from.Int()}}
	case pcommon.ValueTypeDouble:
		return &storagev2.AnyValue{Value: &storagev2.AnyValue_DoubleValue{DoubleValue: from.Double()}}
	case pcommon.ValueTypeBytes:
		return &storagev2.AnyValue{Value: &storagev2.AnyValue_BytesValue{BytesValue: from.Bytes().AsRaw()}}
	case pcommon.ValueTypeMap:
		return &storagev2.AnyValue{Value: &storagev2.AnyValue_KvlistValue{KvlistValue: &storagev2.KeyValueList{Values: mapToProto(from.Map())}}}
	case pcommon.ValueTypeSlice:
		array := &storagev2.ArrayValue{}
		for _, element := range from.Slice().All() {
			array.Values = append(array.Values, valueToProto(element))
		}
		return &storagev2.AnyValue{Value: &storagev2.AnyValue_ArrayValue{ArrayValue: array}}
	default:
		return &storagev2.AnyValue{}
	}
}

func summaryToProto(s Summary) *storagev2.TraceSummary {
	to := &storagev2.TraceSummary{
		TraceId:              slices.Clone(s.TraceID[:]),
		RootServiceName:      validText(s.RootService),
		RootOperationName:    validText(s.RootOperation),
		MinStartTimeUnixNano: nanos(s.Start),
		MaxEndTimeUnixNano:   nanos(s.End),
		SpanCount:            int32(s.Spans),
		ErrorSpanCount:       int32(s.ErrorSpans),
		OrphanSpanCount:      int32(s.Orphaned),
	}
	for _, service := range s.Services {
		to.Services = append(to.Services, &storagev2.ServiceSummary{
			Name: validText(service.Name), SpanCount: int32(service.Spans), ErrorSpanCount: int32(service.ErrorSpans),
		})
	}
	return to
}

func summaryFromProto(s *storagev2.TraceSummary) Summary {
	to := Summary{
		RootService:   s.GetRootServiceName(),
		RootOperation: s.GetRootOperationName(),
		Start:         fromNanos(s.GetMinStartTimeUnixNano()),
		End:           fromNanos(s.GetMaxEndTimeUnixNano()),
		Spans:         int(s.GetSpanCount()),
		ErrorSpans:    int(s.GetErrorSpanCount()),
		Orphaned:      int(s.GetOrphanSpanCount()),
	}
	copy(to.TraceID[:], s.GetTraceId())
	for _, service := range s.GetServices() {
		to.Services = append(to.Services, ServiceSummary{
			Name: service.GetName(), Spans: int(service.GetSpanCount()), ErrorSpans: int(service.GetErrorSpanCount()),
		})
	}
	return to
}

// validText: protobuf refuses to send text that is not UTF-8, and names in stored spans can be anything.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func nanos(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func fromNanos(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n)).UTC()
}
