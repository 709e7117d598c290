// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package states // import "github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/states"

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// How a packed text was packed, by its first byte.
const (
	packedPlain byte = iota
	packedZstd
	packedDict
)

const (
	// samples is how many objects make the dictionary, and enough how many there must have been: it takes memory too.
	samples = 4
	enough  = 64
	// maxDict is what S2 can use.
	maxDict = s2.MaxDictSize
	// maxWindow is how far zstd looks back, which decides the memory that coders take.
	maxWindow = 128 << 10
	// maxText bounds what a packed text may become when it is unpacked.
	maxText = 64 << 20
)

// codec packs the texts of one resource. It is not safe for concurrent use.
//
// S2 with a dictionary takes 4 µs for a Pod and keeps a tenth of it; zstd with the same dictionary would keep a fifth less
// yet, but each of its encoders with a dictionary takes close to 1 MB. zstd without one is what is left for texts that
// are not like others, such as data of ConfigMaps.
type codec struct {
	dict   *s2.Dict
	first  []byte
	seen   int
	shared *shared
}

// shared is what all codecs use. It is safe for concurrent use.
type shared struct {
	encoders, decoders sync.Pool
}

func newShared() *shared {
	return &shared{
		encoders: sync.Pool{New: func() any {
			e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
				zstd.WithWindowSize(maxWindow), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
			if err != nil {
				panic(err) // constants
			}
			return e
		}},
		decoders: sync.Pool{New: func() any {
			d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxText))
			if err != nil {
				panic(err) // constants
			}
			return d
		}},
	}
}

// dictOverhead is what the tables of a dictionary take, besides its bytes.
const dictOverhead = 64 << 10

// size is what the codec itself takes.
func (c *codec) size() int64 {
	if c.dict == nil {
		return int64(cap(c.first))
	}
	return int64(len(c.dict.Bytes())) + dictOverhead
}

// pack returns a new slice of exactly the size that it takes.
func (c *codec) pack(text []byte) []byte {
	c.learn(text)
	best, how := text, packedPlain
	if c.dict != nil {
		if packed := c.dict.Encode(nil, text); len(packed) < len(best)/3 {
			best, how = packed, packedDict
		}
	}
	if how == packedPlain && len(text) > 0 {
		encoder := c.shared.encoders.Get().(*zstd.Encoder)
		if packed := encoder.EncodeAll(text, make([]byte, 0, len(text)/2+64)); len(packed) < len(best) {
			best, how = packed, packedZstd
		}
		c.shared.encoders.Put(encoder)
	}
	out := make([]byte, 1+len(best))
	out[0] = how
	copy(out[1:], best)
	return out
}

// learn takes some of the first objects for the dictionary. Later changes of it would make what was packed before unreadable.
func (c *codec) learn(text []byte) {
	if c.seen >= enough {
		return
	}
	if c.seen++; c.seen%(enough/samples) == 0 {
		c.first = append(c.first, text[:min(len(text), maxDict/samples)]...)
	}
	if c.seen == enough {
		c.dict = s2.MakeDict(bytes.Clone(c.first), nil) // nil if there is too little to learn from
		c.first = nil
	}
}

// unpack returns a new slice.
func (c *codec) unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, errors.New("unpacking: empty")
	}
	switch packed[0] {
	case packedPlain:
		return bytes.Clone(packed[1:]), nil
	case packedZstd:
		decoder := c.shared.decoders.Get().(*zstd.Decoder)
		defer c.shared.decoders.Put(decoder)
		text, err := decoder.DecodeAll(packed[1:], nil)
		if err != nil {
			return nil, fmt.Errorf("unpacking: %w", err)
		}
		return text, nil
	default:
		if c.dict == nil {
			return nil, errors.New("unpacking: no dictionary")
		}
		text, err := c.dict.Decode(nil, packed[1:])
		if err != nil {
			return nil, fmt.Errorf("unpacking: %w", err)
		}
		return text, nil
	}
}
