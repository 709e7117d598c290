// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditevent // import "github.com/kelemetry/kelemetry/internal/auditlog/auditevent"

import "github.com/kelemetry/kelemetry/internal/jsonscan"

// decodeStatus reads a metav1.Status.
func decodeStatus(s *jsonscan.Scanner, status *Status) error {
	return objectOrNull(s, func(key []byte) (err error) {
		switch string(key) {
		case "code":
			status.Code, err = s.Int()
		case "reason":
			status.Reason, err = s.Bytes()
		case "message":
			status.Message, err = s.Bytes()
		case "details":
			err = decodeDetails(s, status)
		default:
			err = s.Skip()
		}
		return err
	})
}

func decodeDetails(s *jsonscan.Scanner, status *Status) error {
	return objectOrNull(s, func(key []byte) (err error) {
		switch string(key) {
		case "uid":
			status.DetailsUID, err = s.Bytes()
		case "name":
			status.DetailsName, err = s.Bytes()
		case "causes":
			if s.Next() == jsonscan.Null {
				return s.Skip()
			}
			err = s.Array(func() error { return decodeCause(s, status) })
		default:
			err = s.Skip()
		}
		return err
	})
}

func decodeCause(s *jsonscan.Scanner, status *Status) error {
	var cause Cause
	err := objectOrNull(s, func(key []byte) (err error) {
		switch string(key) {
		case "reason":
			cause.Reason, err = s.Bytes()
		case "message":
			cause.Message, err = s.Bytes()
		case "field":
			cause.Field, err = s.Bytes()
		default:
			err = s.Skip()
		}
		return err
	})
	status.Causes = append(status.Causes, cause)
	return err
}
