package target

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a started server. It leads a process group of its own, so that what it starts in
// turn ends with it.
type process struct {
	argv  []string // as given, with {port} and {dir}
	logTo io.Writer
	cmd   *exec.Cmd
	dir   string // stands for {dir}; "" if the command does not use it
	tail  *tail
	stop  time.Duration // between SIGTERM and SIGKILL
	done  chan struct{} // closed when the process has ended
	err   error         // how it ended; read after done
}

// Exec starts a server from a command line in which {port} is replaced by a free port and {dir} by
// an empty directory, and waits until it answers PING. The line is split into words as a shell
// does, with quotes and backslashes and nothing else. Output goes to logTo (nil: nowhere).
func Exec(command string, logTo io.Writer) (*Target, error) {
	argv, err := split(command)
	if err != nil {
		return nil, fmt.Errorf("command %q: %w", command, err)
	}
	t, err := ExecArgs(argv, logTo)
	if err != nil {
		return nil, err
	}
	t.flags = "-exec " + shellQuote(command)
	return t, nil
}

// ExecArgs is Exec with the words of the command line already apart.
func ExecArgs(argv []string, logTo io.Writer) (*Target, error) {
	if len(argv) == 0 {
		return nil, errors.New("the command is empty: write for example 'redis-server --port {port}'")
	}
	if !strings.Contains(strings.Join(argv, " "), "{port}") {
		return nil, fmt.Errorf("the command %q does not say where {port} goes: a free port is put "+
			"there, for example 'redis-server --port {port}'", strings.Join(argv, " "))
	}
	for try := 1; ; try++ {
		t, err := launch(argv, logTo)
		if err == nil || try == portTries || !strings.Contains(err.Error(), "in use") {
			return t, err
		}
	}
}

// Again starts another instance of a target that was started from a command; extra words are added
// at the end of its command line.
func (t *Target) Again(extra ...string) (*Target, error) {
	if t.proc == nil {
		return nil, ErrNotStarted
	}
	argv := append(append([]string(nil), t.proc.argv...), extra...)
	return ExecArgs(argv, t.proc.logTo)
}

// Revive starts a target that was started from a command and has ended again, in place and with an
// address of its own. It does nothing to one that runs, or that was not started. Nobody may use t
// meanwhile.
func (t *Target) Revive() error {
	if t.Ended() == "" {
		return nil
	}
	fresh, err := t.Again()
	if err != nil {
		return err
	}
	t.proc.removeDir()
	fresh.flags = t.flags
	*t = *fresh
	return nil
}

func launch(argv []string, logTo io.Writer) (*Target, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &process{argv: argv, logTo: logTo, stop: StopTimeout, done: make(chan struct{}),
		tail: &tail{to: logTo}}
	words, err := p.fill(port)
	if err != nil {
		return nil, err
	}
	if err := p.start(words); err != nil {
		p.removeDir()
		return nil, err
	}
	t := &Target{access: Access{Addr: net.JoinHostPort("127.0.0.1", port)}, proc: p}
	if err = t.await(); err == nil {
		err = t.ask()
	}
	if err != nil {
		t.Kill()
		return nil, err
	}
	return t, nil
}

// freePort asks the kernel for a port. Another process may take it before the server does; then
// the server says "in use" and the next port is tried.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// fill replaces {port} and {dir}.
func (p *process) fill(port string) ([]string, error) {
	words := make([]string, len(p.argv))
	for i, w := range p.argv {
		if strings.Contains(w, "{dir}") && p.dir == "" {
			dir, err := os.MkdirTemp("", "rondo-target-")
			if err != nil {
				return nil, fmt.Errorf("make a directory for {dir}: %w", err)
			}
			p.dir = dir
		}
		words[i] = strings.NewReplacer("{port}", port, "{dir}", p.dir).Replace(w)
	}
	return words, nil
}

func (p *process) start(words []string) error {
	p.cmd = exec.Command(words[0], words[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = p.tail, p.tail
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = time.Second // for children that keep the output open
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %q: %w", words[0], err)
	}
	running.Store(p, nil)
	go func() {
		p.err = p.cmd.Wait()
		running.Delete(p)
		close(p.done)
	}()
	return nil
}

// await waits until the server answers PING, or has ended, or has had its time.
func (t *Target) await() error {
	deadline := time.Now().Add(StartTimeout)
	for {
		err := t.ping()
		if err == nil {
			return nil
		}
		select {
		case <-t.proc.done:
			return fmt.Errorf("%q ended before it answered PING: %s", t.proc.cmd.Args, t.proc.ending())
		case <-time.After(startPause):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%q does not answer PING at %s within %v: %w%s",
				t.proc.cmd.Args, t.Addr(), StartTimeout, err, t.proc.tail)
		}
	}
}

// ending says how the process ended; call it when done is closed.
func (p *process) ending() string {
	how := "exit status 0"
	if p.err != nil {
		how = p.err.Error()
	}
	return how + p.tail.String()
}

// signal goes to the whole group. That it is gone already is no error.
func (p *process) signal(sig syscall.Signal) error {
	err := syscall.Kill(-p.cmd.Process.Pid, sig)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// Terminate sends SIGTERM and waits for the end (AwaitEnd).
func (t *Target) Terminate() (int, error) {
	if err := t.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	return t.AwaitEnd()
}

// Signal sends a signal to a started target.
func (t *Target) Signal(sig syscall.Signal) error {
	if t.proc == nil {
		return ErrNotStarted
	}
	if err := t.proc.signal(sig); err != nil {
		return fmt.Errorf("%v to %q: %w", sig, t.proc.cmd.Args, err)
	}
	return nil
}

// AwaitEnd waits for the end of a started target that was told to stop. It answers the exit
// status, -1 if a signal ended the process. An error says that it did not end, and now is killed.
func (t *Target) AwaitEnd() (int, error) {
	if t.proc == nil {
		return 0, ErrNotStarted
	}
	select {
	case <-t.proc.done:
		t.Kill() // what it left behind
		return t.proc.cmd.ProcessState.ExitCode(), nil
	case <-time.After(t.proc.stop):
		t.Kill()
		return -1, fmt.Errorf("%q did not end within %v of being told to and was killed",
			t.proc.cmd.Args, t.proc.stop)
	}
}

// Stop ends a started target, with all that it started; a target At an address is left alone.
func (t *Target) Stop() error {
	if t.proc == nil {
		return nil
	}
	_, err := t.Terminate()
	return err
}

// Kill ends a started target at once.
func (t *Target) Kill() {
	if t.proc == nil {
		return
	}
	_ = t.proc.signal(syscall.SIGKILL)
	<-t.proc.done
	t.proc.removeDir()
}

// running are the processes that were started and have not ended.
var running sync.Map

// KillAll ends every started target at once, for a program that ends at once itself.
func KillAll() {
	running.Range(func(p, _ any) bool {
		_ = p.(*process).signal(syscall.SIGKILL)
		p.(*process).removeDir()
		return true
	})
}

func (p *process) removeDir() {
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
}

// tail keeps the end of a server's output and passes all of it on.
type tail struct {
	to  io.Writer
	mu  sync.Mutex
	buf []byte
}

func (w *tail) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf, b...)
	if over := len(w.buf) - outputTailBytesMax; over > 0 {
		w.buf = append(w.buf[:0], w.buf[over:]...)
	}
	if w.to != nil {
		_, _ = w.to.Write(b) // a full log disk must not stop the server
	}
	return len(b), nil
}

// String is what an error message ends with.
func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := strings.TrimSpace(string(w.buf))
	if text == "" {
		return "; it printed nothing"
	}
	return "; the end of its output:\n" + text
}
