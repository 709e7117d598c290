// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// CreatePod creates a Pod without an owner and returns when it runs.
func CreatePod(ctx context.Context, u *User, namespace, name string) (Object, error) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: podSpec()}
	created, err := u.Client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return Object{}, fmt.Errorf("create pod %s: %w", name, err)
	}
	return seen(created), awaitRunning(ctx, u, namespace, name)
}

func awaitRunning(ctx context.Context, u *User, namespace, name string) error {
	err := awaitObject(ctx, u.Client.CoreV1().RESTClient(), "pods", namespace, name, &corev1.Pod{}, func(pod *corev1.Pod) bool {
		return pod != nil && pod.Status.Phase == corev1.PodRunning
	})
	if err != nil {
		return fmt.Errorf("wait until pod %s runs: %w", name, err)
	}
	return nil
}

func awaitPodGone(ctx context.Context, u *User, namespace, name string) error {
	err := awaitObject(ctx, u.Client.CoreV1().RESTClient(), "pods", namespace, name, &corev1.Pod{}, func(pod *corev1.Pod) bool {
		return pod == nil
	})
	if err != nil {
		return fmt.Errorf("wait until pod %s is gone: %w", name, err)
	}
	return nil
}

// BindPod creates a Pod that no scheduler takes, binds it to the first node through the subresource binding, and
// returns when it runs there.
func BindPod(ctx context.Context, u *User, namespace, name string) (Object, error) {
	pods := u.Client.CoreV1().Pods(namespace)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: podSpec()}
	pod.Spec.SchedulerName = "by-hand"
	created, err := pods.Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return Object{}, fmt.Errorf("bind pod %s: %w", name, err)
	}
	err = pods.Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Target:     corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: NodeName(0)},
	}, metav1.CreateOptions{})
	if err != nil {
		return Object{}, fmt.Errorf("bind pod %s: %w", name, err)
	}
	return seen(created), awaitRunning(ctx, u, namespace, name)
}

// EvictPod deletes an existing Pod through the subresource eviction, and returns when it is gone.
func EvictPod(ctx context.Context, u *User, namespace, name string) error {
	err := u.Client.PolicyV1().Evictions(namespace).Evict(ctx, &policyv1.Eviction{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
	})
	if err != nil {
		return fmt.Errorf("evict pod %s: %w", name, err)
	}
	return awaitPodGone(ctx, u, namespace, name)
}

// DeletePods creates n Pods, deletes all in one request by their label, and returns them when they are gone.
func DeletePods(ctx context.Context, u *User, namespace, label string, n int) ([]Object, error) {
	pods := u.Client.CoreV1().Pods(namespace)
	var objects []Object
	for i := range n {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", label, i), Labels: map[string]string{"group": label}},
			Spec:       podSpec(),
		}
		created, err := pods.Create(ctx, pod, metav1.CreateOptions{})
		if err != nil {
			return nil, fmt.Errorf("delete a collection of pods: %w", err)
		}
		objects = append(objects, seen(created))
	}
	if err := pods.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "group=" + label}); err != nil {
		return nil, fmt.Errorf("delete a collection of pods: %w", err)
	}
	for _, o := range objects {
		if err := awaitPodGone(ctx, u, namespace, o.Name); err != nil {
			return nil, err
		}
	}
	return objects, nil
}

// ExecProtocol is what a client upgrades the connection of an exec to. It decides the verb.
type ExecProtocol string

const (
	// ExecSPDY posts: the verb is create.
	ExecSPDY ExecProtocol = "SPDY/3.1"
	// ExecWebSocket gets, as today's kubectl does: the verb is get.
	ExecWebSocket ExecProtocol = "websocket"
)

// ExecInPod asks to run a command in an existing Pod that runs, and returns the status of the answer. Simulated nodes agree to the
// connection (101) and run nothing.
func ExecInPod(ctx context.Context, u *User, namespace, name string, protocol ExecProtocol, command ...string) (int, error) {
	req, err := execRequest(ctx, u, namespace, name, protocol, command)
	if err != nil {
		return 0, fmt.Errorf("exec in pod %s: %w", name, err)
	}
	// An HTTP/2 connection cannot be upgraded.
	config := rest.CopyConfig(u.Config)
	config.NextProtos = []string{"http/1.1"}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return 0, fmt.Errorf("exec in pod %s: %w", name, err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, fmt.Errorf("exec in pod %s: %w", name, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	return resp.StatusCode, nil
}

func execRequest(ctx context.Context, u *User, namespace, name string, protocol ExecProtocol, command []string) (*http.Request, error) {
	path := fmt.Sprintf("%s/api/v1/namespaces/%s/pods/%s/exec?", u.Config.Host, namespace, name)
	query := url.Values{"container": {"app"}, "stdout": {"true"}, "stderr": {"true"}, "command": command}
	method := http.MethodPost
	if protocol == ExecWebSocket {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, path+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", string(protocol))
	if protocol == ExecWebSocket {
		req.Header.Set("Sec-WebSocket-Version", "13")
		req.Header.Set("Sec-WebSocket-Key", "a2VsZW1ldHJ5LXRlc3RiZWQ=")
		req.Header.Set("Sec-WebSocket-Protocol", "v5.channel.k8s.io")
	} else {
		req.Header.Set("X-Stream-Protocol-Version", "v4.channel.k8s.io")
	}
	return req, nil
}

// RunJob creates a Job of one Pod, waits for its completion, and deletes it first and its Pod then. It returns both when they are gone.
func RunJob(ctx context.Context, u *User, namespace, name string) (job, pod Object, err error) {
	spec := podSpec()
	spec.RestartPolicy = corev1.RestartPolicyNever
	jobs := u.Client.BatchV1().Jobs(namespace)
	created, err := jobs.Create(ctx, &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: spec}},
	}, metav1.CreateOptions{})
	if err != nil {
		return job, pod, fmt.Errorf("run job %s: %w", name, err)
	}
	err = awaitObject(ctx, u.Client.BatchV1().RESTClient(), "jobs", namespace, name, &batchv1.Job{}, func(job *batchv1.Job) bool {
		return job != nil && slices.ContainsFunc(job.Status.Conditions, completed)
	})
	if err != nil {
		return job, pod, fmt.Errorf("wait until job %s completes: %w", name, err)
	}
	list, err := u.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "job-name=" + name})
	if err == nil && len(list.Items) != 1 {
		err = fmt.Errorf("has %d pods", len(list.Items))
	}
	if err != nil {
		return job, pod, fmt.Errorf("run job %s: %w", name, err)
	}
	job, pod = seen(created), seen(&list.Items[0])
	background := metav1.DeletePropagationBackground
	if err := jobs.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		return job, pod, fmt.Errorf("run job %s: %w", name, err)
	}
	return job, pod, awaitPodGone(ctx, u, namespace, pod.Name)
}

func completed(c batchv1.JobCondition) bool {
	return c.Type == batchv1.JobComplete && c.Status == corev1.ConditionTrue
}
