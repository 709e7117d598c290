// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// endStalled ends streams whose client does not take a message in time, so that none waits for a client that has stopped reading but is
// still connected. Returning from the handler is the only way to end a stream from here; what is blocked in it then gets an error, and ends.
func endStalled(limit time.Duration) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		watched := &watchedStream{ServerStream: stream, limit: limit, stalled: make(chan struct{}, 1)}
		ended := make(chan error, 1)
		go func() { ended <- handler(srv, watched) }()
		select {
		case err := <-ended:
			return err
		case <-watched.stalled:
			return status.Errorf(codes.DeadlineExceeded, "the client did not take a message within %s", limit)
		}
	}
}

type watchedStream struct {
	grpc.ServerStream
	limit   time.Duration
	stalled chan struct{}
}

func (s *watchedStream) SendMsg(m any) error {
	timer := time.AfterFunc(s.limit, func() { s.stalled <- struct{}{} }) // there is room for it: the first ends the stream
	defer timer.Stop()
	return s.ServerStream.SendMsg(m)
}
