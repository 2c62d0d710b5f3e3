package check

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rondo/check/report"
	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
)

// These tests reach redis-server in every way that Access has and judge it each time: whatever is
// in the way, it keeps its clauses, and what cannot be asked is skipped. The secrets of all of it
// must not stand in the report. They mostly wait, each for a server of its own, so they run side by
// side.

const secret = "n0b0dy-kn0ws"

func TestAccess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeCertificates(t, dir)
	for _, name := range []string{"password", "user", "socket", "socket, database", "TLS, certificates"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			judgedFairly(t, open(t, startGuarded(t, dir)[name]), 1)
		})
	}
	t.Run("refused", func(t *testing.T) {
		ways := startGuarded(t, dir)
		refusals(t, ways["TLS, certificates"], ways["password"].Addr)
	})
}

// startGuarded starts a server that asks for a password, and gives the ways in.
func startGuarded(t *testing.T, certs string) map[string]target.Access {
	in := func(name string) string { return filepath.Join(certs, name) }
	socket, port, tlsPort := filepath.Join(t.TempDir(), "s"), freePort(t), freePort(t)
	startRedis(t, "--port", port, "--unixsocket", socket, "--tls-port", tlsPort,
		"--tls-cert-file", in("server.pem"), "--tls-key-file", in("server.key"),
		"--tls-ca-cert-file", in("ca.pem"), "--requirepass", secret)
	admin := open(t, target.Access{Addr: "unix:" + socket, Pass: secret})
	do(t, admin, "ACL", "SETUSER", "judge", "on", ">"+secret, "~rondo:*", "+@all", "-@dangerous",
		"-getex", "-scan")
	return map[string]target.Access{
		"password":         {Addr: "127.0.0.1:" + port, Pass: secret},
		"user":             {Addr: "127.0.0.1:" + port, User: "judge", Pass: secret},
		"socket":           {Addr: "unix:" + socket, Pass: secret},
		"socket, database": {Addr: "unix:" + socket, Pass: secret, DB: 3},
		"TLS, certificates": {Addr: "127.0.0.1:" + tlsPort, Pass: secret, TLS: true, CACert: in("ca.pem"),
			Cert: in("client.pem"), Key: in("client.key")},
	}
}

// judgedFairly runs a part of everything and wants no verdict but those of a good server.
func judgedFairly(t *testing.T, tg *target.Target, seed int64) {
	t.Helper()
	patterns := []string{"wire/*", "conn/*", "exec/*", "data/*", "script/*", "history/full"}
	if testing.Short() {
		patterns = []string{"conn/*", "EXEC-1", "script/scan", "script/client", "history/full"}
	}
	r, err := Run(t.Context(), tg, Options{Patterns: patterns, Ops: 1500, Seed: seed, Unmeasured: true})
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, c := range r.Cases {
		switch c.Verdict {
		case "fail", "error":
			t.Errorf("%s is %s: %s", c.Name, c.Verdict, c.Reason)
		case "pass":
			passed++
		}
	}
	if passed < len(r.Cases)/2 {
		t.Errorf("only %d of %d cases pass", passed, len(r.Cases))
	}
	for _, h := range r.Histories {
		if h.Verdict != report.HistoryOK && h.Verdict != report.HistoryVacuous || h.Ops < 1000 {
			t.Errorf("%s is %s, %d operations: %s", h.Name, h.Verdict, h.Ops, h.Reason)
		}
	}
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if text, _ := os.ReadFile(path); bytes.Contains(text, []byte(secret)) {
			t.Errorf("%s holds the password", path)
		}
		return err
	})
}

// refusals says in words what is wrong with each way that does not lead in.
func refusals(t *testing.T, safe target.Access, plain string) {
	stranger, nobody := safe, safe
	stranger.CACert = ""
	nobody.Cert, nobody.Key = "", ""
	for want, a := range map[string]target.Access{
		"asks for a password: give it with -pass": {Addr: plain},
		"refused the user or the password":        {Addr: plain, Pass: "wrong"},
		"refused database 99":                     {Addr: plain, Pass: secret, DB: 99},
		"certificate signed by unknown authority": stranger,
		"-cert and -key":                          nobody,
		"TLS with":                                {Addr: plain, TLS: true, Insecure: true, Pass: secret},
	} {
		_, err := target.Open(a)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	stranger.Insecure = true
	open(t, stranger)
	for _, pass := range []string{"", secret} {
		_, err := target.Open(target.Access{Addr: safe.Addr, Pass: pass})
		if err == nil || !strings.Contains(err.Error(), "add -tls") || errors.Is(err, target.ErrNothingListens) {
			t.Errorf("without TLS: %v", err)
		}
	}
}

// TestClusterNode judges one of two nodes, which between them serve the slots by turns: no key of a
// run may belong to the other.
func TestClusterNode(t *testing.T) {
	t.Parallel()
	one, two := freePort(t), freePort(t)
	for _, port := range []string{one, two} {
		startRedis(t, "--port", port, "--cluster-enabled", "yes", "--dir", t.TempDir())
	}
	raw := dial(t, "127.0.0.1:"+one)
	other := dial(t, "127.0.0.1:"+two)
	var mine, yours []string
	for slot := 0; slot < 16384; slot += 512 {
		span := []string{fmt.Sprint(slot), fmt.Sprint(slot + 511)}
		if slot/512%2 == 0 {
			mine = append(mine, span...)
		} else {
			yours = append(yours, span...)
		}
	}
	want(t, raw, "OK", append([]string{"CLUSTER", "ADDSLOTSRANGE"}, mine...)...)
	want(t, other, "OK", append([]string{"CLUSTER", "ADDSLOTSRANGE"}, yours...)...)
	want(t, raw, "OK", "CLUSTER", "MEET", "127.0.0.1", two)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		r, err := raw.Do("CLUSTER", "INFO")
		if err == nil && strings.Contains(r.Str, "cluster_state:ok") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the cluster does not form: %v %s", err, r.Str)
		}
	}
	tg := open(t, target.Access{Addr: "127.0.0.1:" + one})
	if !tg.Caps().Cluster || tg.Caps().Databases != 1 {
		t.Errorf("%+v", tg.Caps())
	}
	judgedFairly(t, tg, 2)
	moved, ours := 0, 0
	for i := range 20 {
		r, err := raw.Do("GET", fmt.Sprint(i*7919))
		if err != nil {
			t.Fatal(err)
		}
		if why := tg.Excuse(r); why != "" {
			moved++
		}
		if r.Kind == model.Null {
			ours++
		}
	}
	if moved == 0 || ours == 0 || moved+ours != 20 {
		t.Errorf("of 20 keys %d are elsewhere and %d here", moved, ours)
	}
}

func dial(t *testing.T, addr string) *wire.Conn {
	t.Helper()
	c, err := wire.Dial(addr, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func want(t *testing.T, c *wire.Conn, text string, command ...string) {
	t.Helper()
	if r, err := c.Do(command...); err != nil || r.Str != text {
		t.Fatalf("%s: %s, %v", command[0], r.String(), err)
	}
}

func do(t *testing.T, tg *target.Target, command ...string) {
	t.Helper()
	c, err := tg.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want(t, c, "OK", command...)
}

func open(t *testing.T, a target.Access) *target.Target {
	t.Helper()
	tg, err := target.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// startRedis starts a server and waits until it says that it is ready.
func startRedis(t *testing.T, options ...string) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: `make deps` installs it")
	}
	cmd := exec.Command("redis-server", append([]string{"--save", ""}, options...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var log []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(log, []byte("Ready to accept connections")) {
		n, err := out.Read(buf)
		if log = append(log, buf[:n]...); err != nil {
			t.Fatalf("redis-server ended: %s", log)
		}
	}
	go func() { // it must not be held up by a full pipe
		for _, err := out.Read(buf); err == nil; _, err = out.Read(buf) {
		}
	}()
}

// writeCertificates makes an authority and what it signs for a server and a client.
func writeCertificates(t *testing.T, dir string) {
	t.Helper()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caKey := newKey(t)
	writeCertificate(t, filepath.Join(dir, "ca"), ca, ca, caKey, caKey)
	for i, name := range []string{"server", "client"} {
		leaf := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 2)), NotBefore: ca.NotBefore,
			NotAfter: ca.NotAfter, Subject: pkix.Name{CommonName: name},
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
		writeCertificate(t, filepath.Join(dir, name), leaf, ca, newKey(t), caKey)
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writeCertificate(t *testing.T, base string, c, by *x509.Certificate, key, byKey *ecdsa.PrivateKey) {
	t.Helper()
	cert, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, byKey)
	if err != nil {
		t.Fatal(err)
	}
	secretKey, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pem.Block{
		base + ".pem": {Type: "CERTIFICATE", Bytes: cert},
		base + ".key": {Type: "EC PRIVATE KEY", Bytes: secretKey},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
