// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"strings"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/internal/identity"
)

const defaultNamespace = "default"

// nameOf is the object's name with its namespace in front, unless that is the one called default. With the resource as the service
// Jaeger shows it as "deployments shop/cart".
func nameOf(life *model.Life) string { return placedName(life.Object.Object) }

func placedName(o identity.Object) string {
	name := o.Name
	if name == "" {
		name = "*"
	}
	if o.Namespace != "" && o.Namespace != defaultNamespace {
		return o.Namespace + "/" + name
	}
	return name
}

// fullName names an object in a text: "deployments shop/cart", with the cluster if it is another.
func fullName(r model.Ref, cluster string) string {
	if r.Resource == "" && r.Name == "" {
		return "object " + r.ID.String()
	}
	var b strings.Builder
	b.WriteString(r.Resource + " " + placedName(r.Object))
	if r.Cluster != cluster && r.Cluster != "" {
		b.WriteString(" of cluster " + r.Cluster)
	}
	return b.String()
}
