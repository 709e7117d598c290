// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"testing"

	"github.com/kelemetry/kelemetry/integration/servers"
)

// Kafka is a running broker that keeps everything in memory and makes each topic that is asked for.
type Kafka struct {
	*bed
	// Broker is its host:port.
	Broker string
}

// KafkaForTest is to StartKafka as ForTest is to StartCluster.
func KafkaForTest(tb testing.TB, partitions int) *Kafka {
	tb.Helper()
	k, err := StartKafka(tb.Context(), partitions)
	if err != nil {
		tb.Fatal(err)
	}
	endWithTest(tb, k.bed)
	return k
}

// StartKafka starts a broker whose topics have that many partitions, and returns when it takes connections.
func StartKafka(ctx context.Context, partitions int) (*Kafka, error) {
	binary, err := servers.Path(ctx, servers.Kafka)
	if err != nil {
		return nil, fmt.Errorf("start Kafka: %w", err)
	}
	k := &Kafka{}
	k.bed, err = startBed(ctx, "", "kelemetry-kafka-*", func(ctx context.Context, b *bed) error {
		ports, err := freePorts(1)
		if err != nil {
			return err
		}
		k.Broker = addr(ports[0])
		p, err := b.run("kafka", binary, "-port="+strconv.Itoa(ports[0]), "-partitions="+strconv.Itoa(partitions))
		if err != nil {
			return err
		}
		return p.await(ctx, func(ctx context.Context) error {
			connection, err := new(net.Dialer).DialContext(ctx, "tcp", k.Broker)
			if err == nil {
				err = connection.Close()
			}
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("start Kafka: %w", err)
	}
	return k, nil
}
