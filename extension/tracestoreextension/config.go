// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracestoreextension // import "github.com/kelemetry/kelemetry/extension/tracestoreextension"

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// Config is the configuration of the extension.
type Config struct {
	// Directory is where the spans are. It is made if it is not there, and must be on a local disk. One process alone can use it.
	Directory string `mapstructure:"directory"`

	// GRPC is the server that takes OTLP and answers Jaeger.
	GRPC configgrpc.ServerConfig `mapstructure:"grpc"`

	// Retention bounds what is kept.
	Retention RetentionConfig `mapstructure:"retention"`

	// MinFree is how many bytes must stay free on the disk: with less, spans are refused until there is space again.
	MinFree int64 `mapstructure:"min_free"`

	// IndexedAttributes are those that a search finds without reading spans. All others can be searched too, by reading.
	IndexedAttributes []string `mapstructure:"indexed_attributes"`

	// Search bounds what a search may cost.
	Search SearchConfig `mapstructure:"search"`

	// Memory bounds what the store takes of it.
	Memory MemoryConfig `mapstructure:"memory"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RetentionConfig bounds what is kept. Spans are dropped by the hour.
type RetentionConfig struct {
	// MaxAge is how long an hour of spans is kept, after it has ended and was last written.
	MaxAge time.Duration `mapstructure:"max_age"`

	// MaxSize is how many bytes the store may take on disk before the oldest hours are dropped.
	MaxSize int64 `mapstructure:"max_size"`

	// CheckInterval is how often this is looked after.
	CheckInterval time.Duration `mapstructure:"check_interval"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// SearchConfig bounds what a search may cost.
type SearchConfig struct {
	// MaxTracesRead is how many traces a search reads at most to find those that are asked for.
	MaxTracesRead int `mapstructure:"max_traces_read"`

	// MaxOperations is how many operations of a service are listed at most.
	MaxOperations int `mapstructure:"max_operations"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// MemoryConfig bounds the store's memory, in bytes.
type MemoryConfig struct {
	// WriteBuffer is for what has not been written to a table yet. It is in a log on disk all the same.
	WriteBuffer int64 `mapstructure:"write_buffer"`

	// ReadCache is for what was read last.
	ReadCache int64 `mapstructure:"read_cache"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// The least that make sense.
const (
	minMaxSize     = 64 << 20
	minWriteBuffer = 8 << 20
	minReadCache   = 1 << 20
	minRetention   = time.Hour
)

func createDefaultConfig() component.Config {
	grpc := configgrpc.NewDefaultServerConfig()
	grpc.NetAddr.Endpoint = "localhost:17272" // 17271, which is usual for a storage of Jaeger's, is left to jaeger_plugin
	grpc.MaxRecvMsgSizeMiB = 16
	grpc.MaxConcurrentStreams = 32 // for each connection: what is under way is in memory
	return &Config{
		GRPC: grpc,
		Retention: RetentionConfig{
			MaxAge:        7 * 24 * time.Hour,
			MaxSize:       10 << 30,
			CheckInterval: 30 * time.Second,
		},
		MinFree:           512 << 20,
		IndexedAttributes: defaultIndexedAttributes(),
		Search:            SearchConfig{MaxTracesRead: 50_000, MaxOperations: 10_000},
		Memory:            MemoryConfig{WriteBuffer: 64 << 20, ReadCache: 64 << 20},
	}
}

// defaultIndexedAttributes are what people look for first: an object, who, and what went wrong.
func defaultIndexedAttributes() []string {
	return []string{attr.ObjectID, attr.ObjectName, attr.UserName, attr.EventReason, attr.ErrorType}
}

// Validate reports everything that is wrong with the options at once.
func (c *Config) Validate() error {
	var errs []error
	if c.Directory == "" {
		errs = append(errs, errors.New("directory: must be set: where the spans are kept, on a local disk"))
	}
	if c.GRPC.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("grpc::endpoint: must be set, such as localhost:17272"))
	}
	if c.MinFree < 0 {
		errs = append(errs, fmt.Errorf("min_free: must not be negative, got %d", c.MinFree))
	}
	for i, key := range c.IndexedAttributes {
		if key == "" {
			errs = append(errs, fmt.Errorf("indexed_attributes::%d: must not be empty", i))
		}
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the options at once.
func (c *RetentionConfig) Validate() error {
	var errs []error
	if c.MaxAge < minRetention {
		errs = append(errs, fmt.Errorf("max_age: must be at least %s, which is how finely spans are dropped, got %s", minRetention, c.MaxAge))
	}
	if c.MaxSize < minMaxSize {
		errs = append(errs, fmt.Errorf("max_size: must be at least %d bytes, got %d", minMaxSize, c.MaxSize))
	}
	if c.CheckInterval <= 0 {
		errs = append(errs, fmt.Errorf("check_interval: must be positive, got %s", c.CheckInterval))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the options at once.
func (c *SearchConfig) Validate() error {
	var errs []error
	if c.MaxTracesRead <= 0 {
		errs = append(errs, fmt.Errorf("max_traces_read: must be positive, got %d", c.MaxTracesRead))
	}
	if c.MaxOperations <= 0 {
		errs = append(errs, fmt.Errorf("max_operations: must be positive, got %d", c.MaxOperations))
	}
	return errors.Join(errs...)
}

// Validate reports everything that is wrong with the options at once.
func (c *MemoryConfig) Validate() error {
	var errs []error
	if c.WriteBuffer < minWriteBuffer {
		errs = append(errs, fmt.Errorf("write_buffer: must be at least %d bytes, got %d", minWriteBuffer, c.WriteBuffer))
	}
	if c.ReadCache < minReadCache {
		errs = append(errs, fmt.Errorf("read_cache: must be at least %d bytes, got %d", minReadCache, c.ReadCache))
	}
	return errors.Join(errs...)
}
