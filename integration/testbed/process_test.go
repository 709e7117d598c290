// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package testbed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStopAsksFirstAndForcesThen(t *testing.T) {
	for name, script := range map[string]string{
		"obedient": `trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done`,
		"stubborn": `trap '' TERM; echo ready; while :; do sleep 0.05; done`,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := startProcess(t.TempDir(), name, "/bin/sh", "-c", script)
			if err != nil {
				t.Fatal(err)
			}
			awaitLog(t, p, "ready")
			if err := p.stop(300 * time.Millisecond); err != nil {
				t.Error(err)
			}
			<-p.exited
			log, _ := os.ReadFile(p.logPath)
			if asked := strings.Contains(string(log), "bye"); asked != (name == "obedient") {
				t.Errorf("log is %q", log)
			}
			if err := p.stop(time.Second); err != nil {
				t.Errorf("second stop: %v", err)
			}
		})
	}
}

func TestStopReportsAProcessThatHadEnded(t *testing.T) {
	p, err := startProcess(t.TempDir(), "broken", "/bin/sh", "-c", "echo no such flag; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	<-p.exited
	if err := p.stop(time.Second); err == nil || !strings.Contains(err.Error(), "no such flag") {
		t.Errorf("error is %v, want one with the end of the log", err)
	}
}

func TestAwaitEndsWithTheProcess(t *testing.T) {
	p, err := startProcess(t.TempDir(), "broken", "/bin/sh", "-c", "echo listen tcp: bind: address already in use; exit 1")
	if err != nil {
		t.Fatal(err)
	}
	err = p.await(t.Context(), func(context.Context) error { return errors.New("not yet") })
	if !errors.Is(err, errPortInUse) {
		t.Errorf("error is %v, want one that makes the start try other ports", err)
	}
}

func TestStartIsTriedAgainWithOtherPorts(t *testing.T) {
	tries := 0
	parent := t.TempDir()
	b, err := startBed(t.Context(), parent, "bed-*", func(context.Context, *bed) error {
		if tries++; tries < 3 {
			return fmt.Errorf("start: %w", errPortInUse)
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Fatalf("after %d tries: %v", tries, err)
	}
	if left, _ := os.ReadDir(parent); len(left) != 1 {
		t.Errorf("folders left: %v", left)
	}
	if err := b.Remove(); err != nil {
		t.Error(err)
	}
}

// parentEnv makes this test binary the parent that TestServersDieWithTheirParent kills: one that starts a child in the folder it names.
const parentEnv = "TESTBED_TEST_PARENT"

// Before TestMain, which may have servers to start.
func init() {
	dir := os.Getenv(parentEnv)
	if dir == "" {
		return
	}
	p, err := startProcess(dir, "child", "/bin/sleep", "600")
	if err != nil {
		panic(err)
	}
	fmt.Println("pid", p.cmd.Process.Pid)
	select {}
}

func TestServersDieWithTheirParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	child, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "pid ")))
	if err != nil {
		t.Fatalf("the parent said %q", line)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	eventually(t, "the child is gone", func() bool { return !runs(child) })
}

// runs says whether there is such a process, other than one that is dead and waits to be reaped by whoever adopted it.
func runs(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func awaitLog(t *testing.T, p *process, text string) {
	t.Helper()
	eventually(t, "log says "+text, func() bool {
		log, _ := os.ReadFile(p.logPath)
		return strings.Contains(string(log), text)
	})
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := poll(ctx, func(context.Context) (bool, error) { return condition(), nil }); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
