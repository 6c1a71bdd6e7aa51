// SPDX-License-Identifier: Apache-2.0

// Package suite runs containerd's own tests of snapshotters against the daemon, through containerd's proxy client.
//
//	OVERLAYBD_SNAPSHOTTER=/path/to/overlaybd-snapshotter GO111MODULE=off GOPATH=/usr/share/gocode go test -v -test.root ./...
//
// Needs Debian's packages golang-go and golang-github-containerd-containerd-dev, and root.
package suite

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/pkg/dialer"
	// Registers -test.root, without which tests that mount are skipped.
	_ "github.com/containerd/containerd/pkg/testutil"
	"github.com/containerd/containerd/snapshots"
	"github.com/containerd/containerd/snapshots/proxy"
	"github.com/containerd/containerd/snapshots/testsuite"
	"google.golang.org/grpc"
)

const startTimeout = 60 * time.Second

// Each test has a daemon of its own, which it ends.
func newSnapshotter(ctx context.Context, root string) (snapshots.Snapshotter, func() error, error) {
	socket := filepath.Join(root, "s.sock")
	config := filepath.Join(root, "config.json")
	text := fmt.Sprintf(`{"root": %q, "address": %q}`, filepath.Join(root, "state"), socket)
	if err := os.WriteFile(config, []byte(text), 0600); err != nil {
		return nil, nil, err
	}

	daemon := exec.Command(os.Getenv("OVERLAYBD_SNAPSHOTTER"), "--config", config, "--log-level", "warn")
	daemon.Stderr = os.Stderr
	daemon.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := daemon.Start(); err != nil {
		return nil, nil, err
	}

	stop := func() error {
		if err := daemon.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		return daemon.Wait()
	}
	connection, err := connect(ctx, socket)
	if err != nil {
		_ = stop()
		return nil, nil, err
	}

	end := func() error {
		connection.Close()
		return stop()
	}
	return proxy.NewSnapshotter(snapshotsapi.NewSnapshotsClient(connection), "overlaybd"), end, nil
}

func connect(ctx context.Context, socket string) (*grpc.ClientConn, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return grpc.DialContext(ctx, dialer.DialAddress(socket), grpc.WithContextDialer(dialer.ContextDialer),
		grpc.WithBlock(), grpc.WithInsecure())
}

func TestSnapshotter(t *testing.T) {
	if os.Getenv("OVERLAYBD_SNAPSHOTTER") == "" {
		t.Fatal("OVERLAYBD_SNAPSHOTTER does not name the daemon")
	}

	testsuite.SnapshotterSuite(t, "overlaybd", newSnapshotter)
}
