package target

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"rondo/check/wire"
	"rondo/model"
)

// Access says how to reach a server and who asks. Every connection of a run is made with it: the
// socket, TLS, AUTH, SELECT, and only then what the connection is for. None of that stands in the
// wire log, and the password stands nowhere.
type Access struct {
	Addr       string // "host:port" or "unix:PATH"
	User, Pass string // AUTH; without a user it is the default one
	TLS        bool
	CACert     string // a file of certificates to trust; "": those of the system
	Cert, Key  string // files: who we are, where the server asks
	Insecure   bool   // trust any certificate
	DB         int    // the database to work in

	// Through, if set, opens each socket instead of a dial: to a server in this process, in whose
	// synctest bubble there is no network.
	Through func() (net.Conn, error)

	config *tls.Config
}

// Open takes the server that a names.
func Open(a Access) (*Target, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	t := &Target{access: a, flags: a.Flags()}
	if err := t.ping(); err != nil {
		return nil, err
	}
	return t, t.ask()
}

// At is Open for a server that wants no more than its address ("host:port" or "unix:PATH").
func At(addr string) (*Target, error) { return Open(Access{Addr: addr}) }

// Beside takes the same server at another address, without TLS and as the same user.
func (t *Target) Beside(addr string) (*Target, error) {
	a := t.access
	return Open(Access{Addr: addr, User: a.User, Pass: a.Pass, DB: a.DB})
}

// check looks at what can be wrong before anything is dialled, and reads the files.
func (a *Access) check() error {
	if err := checkAddr(a.Addr); err != nil {
		return err
	}
	if a.DB < 0 {
		return fmt.Errorf("-db %d: databases are counted from 0", a.DB)
	}
	if !a.TLS {
		if a.CACert != "" || a.Cert != "" || a.Key != "" || a.Insecure {
			return errors.New("-cacert, -cert, -key and -insecure mean something only with -tls")
		}
		return nil
	}
	return a.readTLS()
}

func (a *Access) readTLS() error {
	host, _, _ := net.SplitHostPort(a.Addr) // "" at a unix socket
	a.config = &tls.Config{ServerName: cmp.Or(host, "localhost"), InsecureSkipVerify: a.Insecure}
	if a.CACert != "" {
		pem, err := os.ReadFile(a.CACert)
		if err != nil {
			return fmt.Errorf("-cacert: %w", err)
		}
		a.config.RootCAs = x509.NewCertPool()
		if !a.config.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("-cacert: %s holds no certificate in PEM", a.CACert)
		}
	}
	if (a.Cert == "") != (a.Key == "") {
		return errors.New("-cert and -key belong together")
	}
	if a.Cert != "" {
		pair, err := tls.LoadX509KeyPair(a.Cert, a.Key)
		if err != nil {
			return fmt.Errorf("-cert, -key: %w", err)
		}
		a.config.Certificates = []tls.Certificate{pair}
	}
	return nil
}

// Flags are those of rondo-check that reach the same server. The password is left out, as it is of
// everything that is printed: it is given again with -pass or in the variable PassVariable.
func (a Access) Flags() string {
	var words []string
	for _, f := range []struct{ name, value string }{
		{"-addr", a.Addr}, {"-user", a.User}, {"-cacert", a.CACert}, {"-cert", a.Cert}, {"-key", a.Key},
	} {
		if f.value != "" {
			words = append(words, f.name, shellQuote(f.value))
		}
	}
	if a.TLS {
		words = append(words, "-tls")
	}
	if a.Insecure {
		words = append(words, "-insecure")
	}
	if a.DB != 0 {
		words = append(words, "-db", strconv.Itoa(a.DB))
	}
	return strings.Join(words, " ")
}

// PassVariable is the environment variable that a password may stand in, so that it does not stand
// in the list of processes.
const PassVariable = "RONDO_PASS"

// SignsIn says whether connections begin with AUTH.
func (a Access) SignsIn() bool { return a.User != "" || a.Pass != "" }

// dial opens a connection that is ready to use, and the socket under it.
func (a *Access) dial() (*wire.Conn, net.Conn, error) {
	sock, err := a.connect()
	if err != nil {
		return nil, nil, err
	}
	if a.config != nil {
		if sock, err = secure(sock, a.config); err != nil {
			return nil, nil, fmt.Errorf("TLS with %s: %w", a.Addr, err)
		}
	}
	c := wire.NewConn(sock)
	c.KeepLog(false)
	if err := a.introduce(c); err != nil {
		c.Close()
		return nil, nil, err
	}
	c.KeepLog(true)
	return c, sock, nil
}

// hint adds to an error what a server with TLS may mean by it: it does not answer a client without
// TLS, and refuses one without a certificate only after the handshake, and often by a plain end.
func (a *Access) hint(err error) error {
	switch {
	case a.TLS && a.Cert == "":
		return fmt.Errorf("%w (perhaps it wants to know who asks: -cert and -key)", err)
	case !a.TLS && a.speaksTLS():
		return fmt.Errorf("%w: it speaks TLS, so add -tls", err)
	}
	return err
}

// speaksTLS tries whether the server answers a handshake, whomever it trusts.
func (a *Access) speaksTLS() bool {
	sock, err := a.connect()
	if err != nil {
		return false
	}
	defer sock.Close()
	var alert tls.AlertError
	_, err = secure(sock, &tls.Config{InsecureSkipVerify: true})
	return err == nil || errors.As(err, &alert)
}

// connect opens a socket to the server.
func (a *Access) connect() (net.Conn, error) {
	if a.Through != nil {
		return a.Through()
	}
	network, addr := "tcp", a.Addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	sock, err := net.DialTimeout(network, addr, DialTimeout)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return sock, nil
}

func secure(sock net.Conn, config *tls.Config) (net.Conn, error) {
	safe := tls.Client(sock, config)
	_ = safe.SetDeadline(time.Now().Add(DialTimeout))
	if err := safe.Handshake(); err != nil {
		sock.Close()
		return nil, err
	}
	return safe, safe.SetDeadline(time.Time{})
}

// ErrRefused is in the error of a Dial whose user, password or database the server refused.
var ErrRefused = errors.New("the server refused")

// introduce signs in and chooses the database.
func (a *Access) introduce(c *wire.Conn) error {
	auth := []string{"AUTH", a.Pass}
	if a.User != "" {
		auth = []string{"AUTH", a.User, a.Pass}
	}
	if a.SignsIn() {
		if err := agreed(c, "the user or the password", auth...); err != nil {
			return err
		}
	}
	if a.DB != 0 {
		return agreed(c, fmt.Sprintf("database %d", a.DB), "SELECT", strconv.Itoa(a.DB))
	}
	return nil
}

func agreed(c *wire.Conn, what string, command ...string) error {
	r, err := c.Do(command...)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", command[0], err)
	case r.Kind != model.Simple || r.Str != "OK":
		return fmt.Errorf("%w %s: %s", ErrRefused, what, r.Str)
	}
	return nil
}

// shellQuote makes one word of text where a shell would not, for a line that a person copies.
func shellQuote(text string) string {
	if text != "" && !strings.ContainsAny(text, " \t\n'\"\\$`*?[]{}()<>|&;!#~") {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
