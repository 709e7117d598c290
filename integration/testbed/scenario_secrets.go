// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Needles returns the forms that secret values have in an audit log: plain, and in base64. None may be found in what is exported.
func Needles(values ...string) []string {
	var needles []string
	for _, v := range values {
		needles = append(needles, v, strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(v)), "="))
	}
	return needles
}

// HandleSecret creates a Secret with last-applied-configuration, updates it, patches it in every way, and deletes it. Each
// request carries a value of its own that begins with the marker; it returns all of them.
func HandleSecret(ctx context.Context, u *User, namespace, name, marker string) (values []string, err error) {
	secrets := u.Client.CoreV1().Secrets(namespace)
	value := func(step string) string {
		v := marker + "-" + step
		values = append(values, v)
		return v
	}
	encoded := func(step string) string { return base64.StdEncoding.EncodeToString([]byte(value(step))) }

	applied, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name, "namespace": namespace},
		"data": map[string]any{"password": encoded("last-applied-data")}, "stringData": map[string]any{"token": value("last-applied-string-data")},
	})
	if err != nil {
		return nil, err
	}
	secret, err := secrets.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: string(applied)}},
		Data:       map[string][]byte{"password": []byte(value("created"))},
		StringData: map[string]string{"token": value("created-as-string")},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("create secret %s: %w", name, err)
	}
	secret.Data["password"] = []byte(value("updated"))
	if _, err := secrets.Update(ctx, secret, metav1.UpdateOptions{}); err != nil {
		return nil, fmt.Errorf("update secret %s: %w", name, err)
	}
	for _, p := range []struct {
		kind types.PatchType
		body string
	}{
		{types.JSONPatchType, fmt.Sprintf(`[{"op":"replace","path":"/data/password","value":%q}]`, encoded("json-patch"))},
		{types.MergePatchType, fmt.Sprintf(`{"stringData":{"token":%q}}`, value("merge-patch"))},
		{types.StrategicMergePatchType, fmt.Sprintf(`{"data":{"password":%q}}`, encoded("strategic-patch"))},
		{types.ApplyYAMLPatchType, fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":%q},"stringData":{"more":%q}}`, name, value("apply"))},
	} {
		options := metav1.PatchOptions{}
		if p.kind == types.ApplyYAMLPatchType {
			options.FieldManager = "testbed-apply"
		}
		if _, err := secrets.Patch(ctx, name, p.kind, []byte(p.body), options); err != nil {
			return nil, fmt.Errorf("patch secret %s as %s: %w", name, p.kind, err)
		}
	}
	if err := secrets.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return nil, fmt.Errorf("delete secret %s: %w", name, err)
	}
	return values, nil
}

// InstallHelmRelease writes the Secret in which Helm keeps a release, with the marker in the release's values, and then marks it as
// superseded. It returns what must not be found: the marker, and the packed release in which it is.
func InstallHelmRelease(ctx context.Context, u *User, namespace, release, marker string) (values []string, err error) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	content := map[string]any{"name": release, "namespace": namespace, "config": map[string]any{"password": marker}}
	if err := json.NewEncoder(zip).Encode(content); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	// Helm encodes once more what the API encodes anyway.
	encoded := base64.StdEncoding.EncodeToString(packed.Bytes())
	secrets := u.Client.CoreV1().Secrets(namespace)
	secret, err := secrets.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:   fmt.Sprintf("sh.helm.release.v1.%s.v1", release),
			Labels: map[string]string{"name": release, "owner": "helm", "status": "deployed", "version": "1"},
		},
		Type: "helm.sh/release.v1",
		Data: map[string][]byte{"release": []byte(encoded)},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("install release %s: %w", release, err)
	}
	secret.Labels["status"] = "superseded"
	if _, err := secrets.Update(ctx, secret, metav1.UpdateOptions{}); err != nil {
		return nil, fmt.Errorf("install release %s: %w", release, err)
	}
	return []string{marker, encoded}, nil
}

// RequestToken asks for a token of the namespace's default ServiceAccount and returns it.
func RequestToken(ctx context.Context, u *User, namespace string) (token string, err error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(int64(600))}}
	response, err := u.Client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, "default", request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("request a token: %w", err)
	}
	return response.Status.Token, nil
}

// ReviewToken asks kube-apiserver whose token it is. The request itself carries the token.
func ReviewToken(ctx context.Context, u *User, token string) error {
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	answer, err := u.Client.AuthenticationV1().TokenReviews().Create(ctx, review, metav1.CreateOptions{})
	if err == nil && !answer.Status.Authenticated {
		err = fmt.Errorf("it is not valid: %s", answer.Status.Error)
	}
	if err != nil {
		return fmt.Errorf("review a token: %w", err)
	}
	return nil
}
