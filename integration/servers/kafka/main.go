// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command kafka is a Kafka broker in memory, for tests: the fake of the client library that the Collector's Kafka components use.
// It listens on 127.0.0.1 and makes each topic that is asked for.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

func main() {
	port := flag.Int("port", 9092, "`port` to listen on")
	partitions := flag.Int("partitions", 6, "partitions of each topic")
	flag.Parse()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(*port), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(*partitions))
	if err != nil {
		fmt.Fprintln(os.Stderr, "start the broker:", err)
		os.Exit(1)
	}
	defer cluster.Close()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
