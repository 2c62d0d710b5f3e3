package impl

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"rondo/impl/command"
	"rondo/impl/kernel"
	"rondo/impl/store"
)

// The program rondo-server, as a function, so that another program can contain it.

// Exit statuses.
const (
	exitGood  = 0
	exitFail  = 1 // it could not start, or the loop failed
	exitUsage = 3
)

// Main runs the server with the arguments of a command line, without the program's name, and
// returns the exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	cfg, mode, err := parseArgs(args)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "rondo-server: %v\nTry: rondo-server -help\n", err)
		return exitUsage
	case mode == modeHelp:
		fmt.Fprint(stdout, helpText())
		return exitGood
	case mode == modeVersion:
		fmt.Fprintf(stdout, "rondo-server %s (behaves as redis %s; pollers: %s)\n",
			command.Version, command.RedisVersion, strings.Join(kernel.Backends(), " "))
		return exitGood
	}
	if err := serve(cfg, stdout); err != nil {
		fmt.Fprintf(stderr, "rondo-server: %v\n", err)
		return exitFail
	}
	return exitGood
}

type mode int

const (
	modeServe mode = iota
	modeHelp
	modeVersion
)

// parseArgs reads the command line. A first word that is no option is the file, as redis-server
// has it. The file is read first, whatever the order: what is typed overrides what is written.
func parseArgs(args []string) (Config, mode, error) {
	cfg := DefaultConfig()
	type setting struct{ name, value string }
	var settings []setting
	if len(args) > 0 && !isFlag(args[0]) {
		args = append([]string{"-config"}, args...)
	}
	for len(args) > 0 {
		if !isFlag(args[0]) {
			return cfg, modeServe, fmt.Errorf("unexpected argument %q: a configuration file comes"+
				" first, and a value of several words needs quotes", clip(args[0]))
		}
		name, value, joined := strings.Cut(strings.TrimPrefix(args[0], "-"), "=")
		name, args = strings.TrimPrefix(name, "-"), args[1:]
		switch name {
		case "help", "h":
			return cfg, modeHelp, nil
		case "version", "v":
			return cfg, modeVersion, nil
		}
		if !flagKnown(name) {
			return cfg, modeServe, fmt.Errorf("unknown option %q", clip(name))
		}
		if !joined {
			if len(args) == 0 {
				return cfg, modeServe, fmt.Errorf("option -%s lacks a value", name)
			}
			value, args = args[0], args[1:]
		}
		if name != "config" {
			settings = append(settings, setting{name, value})
		} else if err := cfg.ParseFile(value); err != nil {
			return cfg, modeServe, err
		}
	}
	for _, f := range settings {
		if err := cfg.setFlag(f.name, f.value); err != nil {
			return cfg, modeServe, fmt.Errorf("option -%s %q: %w", f.name, clip(f.value), err)
		}
	}
	cfg.divideMemory()
	return cfg, modeServe, errors.Join(cfg.checkBackend(), cfg.checkMemory())
}

func isFlag(arg string) bool { return strings.HasPrefix(arg, "-") }

func flagKnown(name string) bool {
	return name == "addr" || name == "config" || findOption(name) != nil
}

func (c *Config) setFlag(name, value string) error {
	if name == "addr" {
		return c.setAddr(value)
	}
	return c.Set(name, value)
}

// setAddr is -addr: HOST:PORT in place of bind and port, where port 0 is any free one, or
// unix:PATH alone.
func (c *Config) setAddr(addr string) error {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		c.UnixSocket, c.Port, c.AnyPort = path, 0, false
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return refusal("HOST:PORT or unix:PATH is needed, for example 127.0.0.1:6379")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return refusal("the port must be between 0 and 65535")
	}
	if host == "" {
		host = "*"
	}
	c.Bind, c.Port, c.AnyPort = []string{host}, int64(n), n == 0
	return nil
}

// checkBackend refuses a poller that this system has not.
func (c *Config) checkBackend() error {
	names := kernel.Backends()
	if c.EventBackend == "" || slices.Contains(names, c.EventBackend) {
		return nil
	}
	return fmt.Errorf("event-backend %q is not one of this system's: %s",
		clip(c.EventBackend), strings.Join(names, ", "))
}

// serve runs the loop on the operating system until a signal or SHUTDOWN ends it.
func serve(cfg Config, stdout io.Writer) error {
	cfg.Log = stdout
	if cfg.LogFile != "" {
		f, err := os.OpenFile(cfg.LogFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return fmt.Errorf("cannot open the log: %w", err)
		}
		defer f.Close()
		cfg.Log = f
	}
	k, err := kernel.Open(cfg.EventBackend)
	if err != nil {
		return err
	}
	defer func() { _ = k.Release() }() // the process ends with it
	if share := cfg.heapShare(); share > 0 {
		debug.SetMemoryLimit(share) // the keyspaces are not on the Go heap
	}
	cfg.Memory = store.SystemMemory()
	defer cfg.Memory.Close()
	if cfg.HugePages {
		cfg.Memory.UseHugePages()
	}
	s, err := New(cfg, k)
	if err != nil {
		return explain(err)
	}
	if cfg.MetricsAddr != "" {
		done, err := s.serveMetrics(cfg.MetricsAddr)
		if err != nil {
			return explain(err)
		}
		defer done()
	}
	defer stopOnSignals(s)()
	return s.Run()
}

// explain adds what can be done about it.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: another server has it;"+
			" try -addr 127.0.0.1:0 for any free port, or -port N", err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w: try a port above 1023, or a directory you may write to", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: no interface of this machine has that address; see -bind", err)
	}
	return err
}

// stopOnSignals makes SIGTERM and SIGINT a clean stop (LOOP-15); a second one ends the process at
// once. The function it returns lets go of the signals.
func stopOnSignals(s *Server) (letGo func()) {
	// SIGPIPE: a log whose reader has gone is no reason to end.
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		s.Stop()
		if _, ok := <-signals; ok {
			os.Exit(exitFail)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}
