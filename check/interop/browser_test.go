package interop

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The pages in a real browser: they open from the file and ask the network for nothing, sort and
// filter, and are whole without scripts, in the dark, on a phone, on paper and by keyboard.
// RONDO_SCREENSHOTS=DIR keeps a picture of each, to be looked at.

// failedPage is the report on a server that breaks much: miniredis.
var failedPage = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(binDir, "failed")
	check, err := buildOnce(root, "./check/cmd/rondo-check")
	if err != nil {
		return "", err
	}
	server, err := buildOnce(".", "./cmd/miniredis-server")
	if err != nil {
		return "", err
	}
	out, err := exec.Command(check, "run", "exec/*", "wire/WIRE-2", "time/TIME-3", "time/TIME-6",
		"history/expiry", "history/register", "-ops", "2000", "-seed", "1", "-report", dir,
		"-exec", server+" -addr 127.0.0.1:{port}").CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		return "", fmt.Errorf("miniredis is not convicted: %v\n%s", err, out)
	}
	return filepath.Join(dir, "index.html"), nil
})

// tab is a browser's tab, with what the page asked of the network and which exceptions it threw.
type tab struct {
	*testing.T
	ctx    context.Context
	mu     sync.Mutex
	asked  []string
	thrown []string
}

// step is what is done to a tab.
type step = chromedp.Action[chromedp.Void]

// browser is one Chromium for all tests, each of which gets a tab; closeBrowser ends it.
var closeBrowser = func() {}

var browser = sync.OnceValues(func() (context.Context, error) {
	path, err := browserPath()
	if err != nil {
		return nil, err
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1200, 900), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	ctx, cancelAll := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(ctx)
	closeBrowser = func() { cancel(); cancelAll() }
	return ctx, chromedp.Do(ctx) // starts it
})

// open opens a file in a new tab, after preparing the tab.
func open(t *testing.T, file string, prepare ...step) *tab {
	t.Helper()
	needsBrowser(t)
	ctx, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{T: t, ctx: ctx}
	b.do() // opens the tab, whose life no timeout may bound
	b.ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Listen(ctx, b.notice); err != nil {
		t.Fatal(err)
	}
	b.do(command(network.Enable, network.EnableParams{}))
	b.do(append(prepare, chromedp.Navigate((&url.URL{Scheme: "file", Path: file}).String()))...)
	return b
}

// notice keeps what a page should not do.
func (b *tab) notice(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.thrown = append(b.thrown, e.ExceptionDetails.Text)
	}
}

// command is a step that sends one command of the protocol.
func command[P, R any](c cdp.Command[P, R], params P) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

func withoutScripts() step {
	return command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// media emulates a medium ("" is the screen) and a colour scheme.
func media(medium, scheme string) step {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: medium,
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// needsBrowser skips a test by name where there is no Chromium.
func needsBrowser(t *testing.T) {
	t.Helper()
	if _, err := browserPath(); err != nil {
		needs(t, "chromium")
	}
}

func browserPath() (path string, err error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", err
}

func (b *tab) do(steps ...step) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

// ask evaluates an expression on the page.
func ask[T any](b *tab, expression string) T {
	b.Helper()
	return get(b, chromedp.Evaluate[T](expression))
}

// get runs an action that gives a value.
func get[T any](b *tab, action chromedp.Action[T]) T {
	b.Helper()
	out, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// keep saves a picture of the whole page for people.
func (b *tab) keep(name string) {
	b.Helper()
	dir := os.Getenv("RONDO_SCREENSHOTS")
	if dir == "" {
		return
	}
	png := get(b, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.Fatal(err)
	}
}

// openFailed opens the report on miniredis.
func openFailed(t *testing.T, prepare ...step) *tab {
	t.Helper()
	needsBrowser(t)
	file, err := failedPage()
	if err != nil {
		t.Fatal(err)
	}
	return open(t, file, prepare...)
}
