// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package objectspan // import "github.com/kelemetry/kelemetry/internal/objectspan"

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/kinds"
)

// Resource describes an object as an OpenTelemetry resource: its key and what else is known of it.
type Resource struct {
	identity.Object

	// Kind, APIVersion and UID are empty where the source does not tell.
	Kind       string
	APIVersion string
	UID        string
}

// semanticNames are the resource attributes of the semantic conventions that name an object of a kind, so that other
// tools can jump from and to it.
var semanticNames = map[string]struct{ name, uid string }{
	"pods":                                 {string(semconv.K8SPodNameKey), string(semconv.K8SPodUIDKey)},
	"nodes":                                {string(semconv.K8SNodeNameKey), string(semconv.K8SNodeUIDKey)},
	"namespaces":                           {string(semconv.K8SNamespaceNameKey), ""},
	"services":                             {string(semconv.K8SServiceNameKey), string(semconv.K8SServiceUIDKey)},
	"persistentvolumes":                    {string(semconv.K8SPersistentvolumeNameKey), string(semconv.K8SPersistentvolumeUIDKey)},
	"persistentvolumeclaims":               {string(semconv.K8SPersistentvolumeclaimNameKey), string(semconv.K8SPersistentvolumeclaimUIDKey)},
	"replicationcontrollers":               {string(semconv.K8SReplicationControllerNameKey), string(semconv.K8SReplicationControllerUIDKey)},
	"resourcequotas":                       {string(semconv.K8SResourceQuotaNameKey), string(semconv.K8SResourceQuotaUIDKey)},
	"deployments.apps":                     {string(semconv.K8SDeploymentNameKey), string(semconv.K8SDeploymentUIDKey)},
	"replicasets.apps":                     {string(semconv.K8SReplicaSetNameKey), string(semconv.K8SReplicaSetUIDKey)},
	"statefulsets.apps":                    {string(semconv.K8SStatefulSetNameKey), string(semconv.K8SStatefulSetUIDKey)},
	"daemonsets.apps":                      {string(semconv.K8SDaemonSetNameKey), string(semconv.K8SDaemonSetUIDKey)},
	"jobs.batch":                           {string(semconv.K8SJobNameKey), string(semconv.K8SJobUIDKey)},
	"cronjobs.batch":                       {string(semconv.K8SCronJobNameKey), string(semconv.K8SCronJobUIDKey)},
	"horizontalpodautoscalers.autoscaling": {string(semconv.K8SHPANameKey), string(semconv.K8SHPAUIDKey)},
}

// CopyTo writes the resource attributes of docs/attributes.md.
func (r Resource) CopyTo(attrs pcommon.Map) {
	attrs.EnsureCapacity(13)
	attrs.PutStr(attr.ServiceName, r.Cluster)
	attrs.PutStr(attr.ClusterName, r.Cluster)
	putUnlessEmpty(attrs, attr.Namespace, r.Namespace)
	putUnlessEmpty(attrs, attr.ObjectKind, r.Kind)
	putUnlessEmpty(attrs, attr.ObjectName, r.Name)
	putUnlessEmpty(attrs, attr.ObjectUID, r.UID)
	putUnlessEmpty(attrs, attr.ObjectAPIVersion, r.APIVersion)
	attrs.PutStr(attr.ObjectGroup, r.Group)
	attrs.PutStr(attr.ObjectResource, r.Resource)
	attrs.PutStr(attr.ObjectID, identity.ObjectID(r.Object).String())
	if names, ok := semanticNames[r.GroupResource()]; ok && r.Name != "" {
		attrs.PutStr(names.name, r.Name)
		if names.uid != "" {
			putUnlessEmpty(attrs, names.uid, r.UID)
		}
	}
}

// ReadResource reads back what CopyTo wrote, and what other sources write by the same names: name and either resource or
// kind are enough. It reports false when the attributes do not name an object. The cluster is empty where it is not named: what
// to take in its place is up to who reads.
func ReadResource(attrs pcommon.Map) (Resource, bool) {
	r := Resource{
		Object: identity.Object{
			Cluster:   str(attrs, attr.ClusterName),
			Group:     str(attrs, attr.ObjectGroup),
			Resource:  str(attrs, attr.ObjectResource),
			Namespace: str(attrs, attr.Namespace),
			Name:      str(attrs, attr.ObjectName),
		},
		Kind:       str(attrs, attr.ObjectKind),
		APIVersion: str(attrs, attr.ObjectAPIVersion),
		UID:        str(attrs, attr.ObjectUID),
	}
	if r.Group == "" && r.APIVersion != "" {
		r.Group, _ = identity.GroupVersion(r.APIVersion)
	}
	if r.Resource == "" && r.Kind != "" {
		if t, ok := kinds.ByKind(r.Group, r.Kind); ok {
			r.Resource = t.Resource
		} else {
			r.Resource = kinds.GuessResource(r.Kind)
		}
	}
	if t, ok := kinds.ByResource(r.Group, r.Resource); ok {
		if r.Kind == "" {
			r.Kind = t.Kind
		}
		if !t.Namespaced {
			r.Namespace = "" // a Namespace object may carry its own name as its namespace
		}
	}
	_, named := attrs.Get(attr.ObjectID)
	return r, r.Resource != "" && (r.Name != "" || named)
}

func str(attrs pcommon.Map, key string) string {
	if v, ok := attrs.Get(key); ok {
		return v.AsString()
	}
	return ""
}

func putUnlessEmpty(attrs pcommon.Map, key, value string) {
	if value != "" {
		attrs.PutStr(key, value)
	}
}
