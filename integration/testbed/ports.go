// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Servers get their ports from below the range from which systems choose the local ports of outgoing connections: one of
// those could else take a port between our choice and the server's bind.
const firstPort, lastPort = 20000, 32000

var errPortInUse = errors.New("port in use")

// freePorts returns n different ports on which nothing listens at this moment. That can change
// before a server binds, so whoever uses them must be ready to try again with others.
func freePorts(n int) ([]int, error) {
	// Held until all are found, so that none is chosen twice.
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	var ports []int
	for tries := 0; len(ports) < n; tries++ {
		if tries > 1000 {
			return nil, fmt.Errorf("no free port between %d and %d", firstPort, lastPort)
		}
		port := firstPort + rand.IntN(lastPort-firstPort)
		l, err := net.Listen("tcp", addr(port))
		if err != nil {
			continue
		}
		held = append(held, l)
		ports = append(ports, port)
	}
	return ports, nil
}

func addr(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
