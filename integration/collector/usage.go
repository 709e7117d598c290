// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used.
type Usage struct {
	// CPU is user and system time together.
	CPU time.Duration
	// Resident is the memory that it has now, in bytes, and Peak the most that it ever had.
	Resident, Peak int64
	// Anonymous is what of Resident is the process's own. The rest are pages of files, mostly the executable, that the kernel can drop.
	Anonymous int64
}

// ticksPerSecond is what Linux counts CPU time in, on every architecture that Go runs on.
const ticksPerSecond = 100

// Usage returns what the process has used so far. It is for Linux.
func (c *Collector) Usage() (Usage, error) {
	folder := fmt.Sprintf("/proc/%d/", c.Pid())
	stat, errStat := os.ReadFile(folder + "stat")
	status, errStatus := os.ReadFile(folder + "status")
	if err := errors.Join(errStat, errStatus); err != nil {
		return Usage{}, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from the third on
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	resident, errResident := kilobytes(status, "VmRSS:")
	anonymous, errAnonymous := kilobytes(status, "RssAnon:")
	peak, errPeak := kilobytes(status, "VmHWM:")
	return Usage{
		CPU: time.Duration(user+system) * time.Second / ticksPerSecond, Resident: resident << 10, Anonymous: anonymous << 10, Peak: peak << 10,
	}, errors.Join(errUser, errSystem, errResident, errAnonymous, errPeak)
}

func kilobytes(status []byte, key string) (int64, error) {
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, key); ok {
			return strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s", key)
}
