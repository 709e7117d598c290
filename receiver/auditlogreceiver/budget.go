// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"golang.org/x/sync/semaphore"
)

// budget bounds the bytes of all bodies that are in memory. It never waits: what does not fit is refused, for the
// sender to try again.
type budget struct {
	bytes   *semaphore.Weighted
	buffers sync.Pool // of *[]byte
}

func newBudget(bytes int64) *budget {
	return &budget{bytes: semaphore.NewWeighted(bytes), buffers: sync.Pool{New: func() any { return new([]byte) }}}
}

// body is what was read of one request. It holds its share of the budget until released.
type body struct {
	budget *budget
	buffer *[]byte
	held   int64
}

// Shares are taken in steps, because the length of a compressed body is not known before it has been read.
const budgetStep = 1 << 20

// maxFirstShare is the most that is reserved for a request that has sent nothing yet.
const maxFirstShare = 4 << 20

// maxKeptBuffer is the largest buffer that is kept for the next request.
const maxKeptBuffer = 8 << 20

// read reads the whole body. Also with an error, the body must be released.
func (b *budget) read(r *http.Request) (*body, error) {
	result := &body{budget: b, buffer: b.buffers.Get().(*[]byte)}
	*result.buffer = (*result.buffer)[:0]
	// What a client announces is not believed beyond this before it arrives.
	if err := result.reserve(max(min(r.ContentLength+1, maxFirstShare), 1)); err != nil {
		return result, err
	}
	for {
		if int64(len(*result.buffer)) == result.held {
			if err := result.reserve(2 * result.held); err != nil {
				return result, err
			}
		}
		buffer := *result.buffer
		n, err := r.Body.Read(buffer[len(buffer):result.held])
		*result.buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) {
			return result, nil
		}
		if err != nil {
			return result, readError(err)
		}
	}
}

// readError tells what the client did wrong from what it may try again.
func readError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fmt.Errorf("the body is larger than max_request_body_size: %w", err)
	}
	return &requestError{http.StatusBadRequest, fmt.Sprintf("reading the body: %v", err)}
}

// reserve makes room for size bytes in all.
func (b *body) reserve(size int64) error {
	size = (size + budgetStep - 1) / budgetStep * budgetStep
	if more := size - b.held; more > 0 {
		if !b.budget.bytes.TryAcquire(more) {
			return errBusy
		}
		b.held = size
	}
	if int64(cap(*b.buffer)) < size {
		grown := make([]byte, len(*b.buffer), size)
		copy(grown, *b.buffer)
		*b.buffer = grown
	}
	return nil
}

func (b *body) bytes() []byte { return *b.buffer }

// release returns the share. The bytes must not be used afterwards.
func (b *body) release() {
	b.budget.bytes.Release(b.held)
	b.held = 0
	if cap(*b.buffer) <= maxKeptBuffer {
		b.budget.buffers.Put(b.buffer)
	}
	b.buffer = nil
}
