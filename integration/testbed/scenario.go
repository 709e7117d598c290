// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The functions of the scenario_*.go files each do one thing that is worth seeing in an audit log, as the given user. They
// return an error when the cluster does not react as their comments say, so that a test can trust what it then looks for.

// Object is one object that a scenario saw.
type Object struct {
	Name string
	UID  types.UID
	// Owner is the UID of the controller that owns it, or empty.
	Owner types.UID
}

func seen(o metav1.Object) Object {
	s := Object{Name: o.GetName(), UID: o.GetUID()}
	if owner := metav1.GetControllerOf(o); owner != nil {
		s.Owner = owner.UID
	}
	return s
}

// expectStatus turns the outcome that a scenario provokes into success and any other into an error.
func expectStatus(what string, err error, is func(error) bool) error {
	if is(err) {
		return nil
	}
	if err == nil {
		return fmt.Errorf("%s: succeeded, against expectation", what)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}
}

// podSpec is of the smallest kind of Pod. A short grace period lets simulated Pods end soon.
func podSpec() corev1.PodSpec {
	return corev1.PodSpec{
		Containers:                    []corev1.Container{{Name: "app", Image: firstImage}},
		TerminationGracePeriodSeconds: new(int64(2)),
	}
}

const firstImage, secondImage = "example.com/app:1.0", "example.com/app:2.0"
