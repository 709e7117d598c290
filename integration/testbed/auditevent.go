// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// AuditEvent holds the fields of an audit.k8s.io/v1 Event that tests look at, apart from the product's own decoder, which they judge.
type AuditEvent struct {
	Level                    string          `json:"level"`
	AuditID                  string          `json:"auditID"`
	Stage                    string          `json:"stage"`
	RequestURI               string          `json:"requestURI"`
	Verb                     string          `json:"verb"`
	User                     AuditUser       `json:"user"`
	ImpersonatedUser         *AuditUser      `json:"impersonatedUser"`
	UserAgent                string          `json:"userAgent"`
	ObjectRef                AuditObject     `json:"objectRef"`
	ResponseStatus           AuditStatus     `json:"responseStatus"`
	RequestObject            json.RawMessage `json:"requestObject"`
	ResponseObject           json.RawMessage `json:"responseObject"`
	RequestReceivedTimestamp time.Time       `json:"requestReceivedTimestamp"`
	StageTimestamp           time.Time       `json:"stageTimestamp"`
	// Annotations are those of the event, not of an object.
	Annotations map[string]string `json:"annotations"`
}

// AuditUser is who did it.
type AuditUser struct {
	Username string   `json:"username"`
	UID      string   `json:"uid"`
	Groups   []string `json:"groups"`
}

// AuditObject is what it was done to. It is zero for a request that is about no resource.
type AuditObject struct {
	APIGroup        string `json:"apiGroup"`
	APIVersion      string `json:"apiVersion"`
	Resource        string `json:"resource"`
	Subresource     string `json:"subresource"`
	Namespace       string `json:"namespace"`
	Name            string `json:"name"`
	UID             string `json:"uid"`
	ResourceVersion string `json:"resourceVersion"`
}

// AuditStatus is how it ended.
type AuditStatus struct {
	Code    int    `json:"code"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Writes says whether the request was for changing something, dry runs included.
func (e AuditEvent) Writes() bool {
	switch e.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	}
	return false
}

// ReadAuditLog calls visit for each line of an audit log, with the line as it stands there, until visit returns an error.
func ReadAuditLog(r io.Reader, visit func(line []byte, e AuditEvent) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<20), 64<<20)
	for n := 1; lines.Scan(); n++ {
		var e AuditEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("audit log, line %d: %w", n, err)
		}
		if err := visit(lines.Bytes(), e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return nil
}
