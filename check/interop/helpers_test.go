package interop

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const root = "../.."

var (
	binDir   string
	building sync.Mutex // one at a time: two tests may want the same program
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "rondo-interop")
	if err != nil {
		panic(err)
	}
	binDir = dir
	status := m.Run()
	closeBrowser()
	os.RemoveAll(dir)
	os.Exit(status)
}

// build compiles a program once and returns its path.
func build(t *testing.T, dir, pkg string) string {
	t.Helper()
	bin, err := buildOnce(dir, pkg)
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// buildOnce does without the profile: so the packages are those that other tests have been built with.
func buildOnce(dir, pkg string) (bin string, err error) {
	building.Lock()
	defer building.Unlock()
	bin = filepath.Join(binDir, filepath.Base(pkg))
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	cmd := exec.Command("go", "build", "-pgo=off", "-o", bin, pkg)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %v\n%s", pkg, err, out)
	}
	return bin, nil
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serve starts rondo-server, waits until it answers PING, and stops it with the test.
func serve(t *testing.T, options ...string) string {
	t.Helper()
	addr := freeAddr(t)
	cmd := exec.Command(build(t, root, "./impl/cmd/rondo-server"), append([]string{"-addr", addr}, options...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("rondo-server did not stop cleanly: %v", err)
		}
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if pings(addr) {
			return addr
		}
		if time.Now().After(deadline) {
			t.Fatal("rondo-server does not answer PING")
		}
	}
}

func pings(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	c.Write([]byte("PING\r\n"))
	line, _ := bufio.NewReader(c).ReadString('\n')
	return strings.HasPrefix(line, "+PONG")
}

// needs skips a test by name where a program is not installed.
func needs(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed: `make deps` installs it", program)
	}
	return path
}
