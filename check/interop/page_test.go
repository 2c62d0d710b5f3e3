package interop

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const shownRows = `[...document.querySelectorAll("#cases ~ .scroll tbody tr")].filter(r => !r.hidden && r.offsetHeight > 0)`

func TestPageOpensAlone(t *testing.T) {
	b := openFailed(t)
	if title := ask[string](b, `document.title`); !strings.Contains(title, "miniredis") {
		t.Errorf("the title is %q", title)
	}
	if len(b.asked) != 1 || len(b.thrown) > 0 {
		t.Errorf("the page asked for %q and threw %q", b.asked, b.thrown)
	}
	for _, want := range []string{"#failed", "#histories", "#clauses", "#cases", "#verdicts", "svg.timeline.wide .bad", "svg.timeline.narrow .bad", "#TIME-3"} {
		if !ask[bool](b, fmt.Sprintf(`!!document.querySelector(%q)`, want)) {
			t.Errorf("the page has no %s", want)
		}
	}
	if dead := ask[[]string](b, `[...document.querySelectorAll("a[href^='#']")].map(a => a.hash.slice(1)).filter(id => !document.getElementById(id))`); len(dead) > 0 {
		t.Errorf("links lead nowhere: %q", dead)
	}
	if twice := ask[int](b, `(ids => ids.length - new Set(ids).size)([...document.querySelectorAll("[id]")].map(e => e.id))`); twice != 0 {
		t.Errorf("%d anchors stand twice", twice)
	}
	b.keep("light")
}

// sorted says that the shown cases are in the order of a column.
func sorted(column int, numeric, down bool) string {
	value := fmt.Sprintf(`r.children[%d].textContent.trim()`, column)
	if numeric {
		value = fmt.Sprintf(`+r.children[%d].dataset.k`, column)
	}
	order := ">="
	if down {
		order = "<="
	}
	return fmt.Sprintf(`(k => k.length > 10 && k.every((v, i) => !i || (typeof v === "number" ? v - k[i-1] : v.localeCompare(k[i-1], "en", {numeric: true})) %s 0))(%s.map(r => %s))`,
		order, shownRows, value)
}

func TestPageSortsAndFilters(t *testing.T) {
	b := openFailed(t)
	for column, numeric := range map[int]bool{0: false, 1: true, 4: true} {
		head := fmt.Sprintf(`#cases ~ .scroll th:nth-child(%d) button`, column+1)
		for _, down := range []bool{false, true} {
			b.do(chromedp.Click(chromedp.CSS(head)))
			if !ask[bool](b, sorted(column, numeric, down)) {
				t.Errorf("column %d is not sorted, down %v", column, down)
			}
		}
	}
	all := ask[int](b, shownRows+`.length`)
	b.do(chromedp.SendKeys(chromedp.CSS(`input[name=text]`), "time-3"))
	if n := ask[int](b, shownRows+`.length`); n == 0 || n >= all {
		t.Errorf("%d of %d cases are shown of TIME-3", n, all)
	}
	if !ask[bool](b, shownRows+`.every(r => /time-3/i.test(r.textContent))`) {
		t.Error("a shown row does not contain what was asked for")
	}
	b.do(chromedp.Click(chromedp.CSS(`button[type=reset]`)), chromedp.Sleep(50*time.Millisecond))
	if n := ask[int](b, shownRows+`.length`); n != all {
		t.Errorf("%d of %d cases are shown after the filter is reset", n, all)
	}
	b.do(chromedp.Click(chromedp.CSS(`a[data-pick=fail]`)), chromedp.Sleep(50*time.Millisecond))
	if !ask[bool](b, shownRows+`.every(r => r.dataset.v === "fail")`) || ask[bool](b, `!document.querySelector("#histories").parentElement.hidden`) {
		t.Error("the tally of what failed does not show what failed alone")
	}
	b.do(chromedp.Click(chromedp.CSS(`#cases ~ .scroll tbody tr:not([hidden]) td a[href^="#"]`)), chromedp.Sleep(50*time.Millisecond))
	if !ask[bool](b, `(e => e && !e.hidden && e.getBoundingClientRect().top >= 0)(document.querySelector("tr:target"))`) {
		t.Error("a link to a clause that was filtered out does not show it")
	}
}

func TestPageByKeyboard(t *testing.T) {
	b := openFailed(t)
	b.do(chromedp.KeyEvent(kb.Tab))
	if first := ask[string](b, `document.activeElement.textContent`); first != "to the content" {
		t.Errorf("the first stop is %q", first)
	}
	stops := ask[int](b, `(window.stops = [], 0)`)
	for range 60 {
		b.do(chromedp.KeyEvent(kb.Tab))
		stops = ask[int](b, `(window.stops.push(document.activeElement), window.stops.length)`)
	}
	if !ask[bool](b, `window.stops.every((e, i) => !i || (window.stops[i-1].compareDocumentPosition(e) & 4))`) {
		t.Error("the focus does not go down the page")
	}
	if n := ask[int](b, `new Set(window.stops).size`); n != stops {
		t.Errorf("the focus is caught: %d stops of %d", n, stops)
	}
	if !ask[bool](b, `parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2`) {
		t.Error("the focus does not show")
	}
	b.do(chromedp.Focus(chromedp.CSS(`details.card:not([open]) > summary`)))
	ask[int](b, `(window.folded = document.activeElement.parentElement, 0)`)
	b.do(chromedp.KeyEvent(kb.Enter))
	if !ask[bool](b, `window.folded.open`) {
		t.Error("Enter does not unfold a case")
	}
	b.do(chromedp.Focus(chromedp.CSS(`#cases ~ .scroll th:nth-child(5) button`)), chromedp.KeyEvent(" "))
	if !ask[bool](b, sorted(4, true, false)) {
		t.Error("Space does not sort")
	}
}

func TestPageWithoutScripts(t *testing.T) {
	b := openFailed(t, withoutScripts())
	if ask[bool](b, `document.querySelector("#tools").offsetHeight > 0 || !!document.querySelector("th button")`) {
		t.Error("tools are shown that do nothing without scripts")
	}
	if n := ask[int](b, shownRows+`.length`); n < 20 {
		t.Errorf("only %d cases are shown", n)
	}
	b.do(chromedp.Click(chromedp.CSS(`details.card:not([open]) > summary`)))
	if !ask[bool](b, `[...document.querySelectorAll("details.card")].every(d => d.querySelector("dl"))`) {
		t.Error("a case has no content without scripts")
	}
	b.keep("without-scripts")
}

// faint lists texts that contrast too little with what they stand on (WCAG AA: 4.5).
const faint = `(() => {
  const rgb = c => c.match(/[\d.]+/g).map(Number);
  const lum = c => { const [r, g, b] = rgb(c).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return getComputedStyle(e).backgroundColor; } return "rgb(255,255,255)"; };
  const bad = new Set();
  for (const e of document.querySelectorAll("main *")) {
    if (e.closest("svg") || !e.offsetHeight || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [lum(getComputedStyle(e).color), lum(ground(e))], ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.add(e.tagName + "." + e.className + " " + ratio.toFixed(1));
  }
  return [...bad];
})()`

func TestPageInTheDark(t *testing.T) {
	for _, name := range []string{"light", "dark"} {
		b := openFailed(t, media("", name))
		if bad := ask[[]string](b, faint); len(bad) > 0 {
			t.Errorf("%s: too faint: %q", name, bad)
		}
		dark := ask[bool](b, `getComputedStyle(document.body).backgroundColor.match(/\d+/g).every(v => v < 60)`)
		if dark != (name == "dark") {
			t.Errorf("%s: the ground is dark: %v", name, dark)
		}
		if name == "dark" {
			b.keep("dark")
		}
	}
}

func TestPageOnAPhone(t *testing.T) {
	b := openFailed(t, chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2), chromedp.EmulateMobile))
	b.fits()
	if small := ask[[]string](b, `[...document.querySelectorAll("main p, main td, summary, dd")].filter(e => e.offsetHeight && parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.tagName)`); len(small) > 0 {
		t.Errorf("too small to read: %q", small)
	}
	if !ask[bool](b, shownRows+`.length > 20`) {
		t.Error("the cases are not shown")
	}
	b.keep("phone")
}

func TestPageOnPaper(t *testing.T) {
	b := openFailed(t, media("", "dark"))
	pdf := get(b, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if pages := bytes.Count(pdf, []byte("/Type /Page\n")) + bytes.Count(pdf, []byte("/Type /Page/")); !bytes.HasPrefix(pdf, []byte("%PDF")) || pages == 0 {
		t.Errorf("%d bytes and %d pages are no PDF", len(pdf), pages)
	}
	if dir := os.Getenv("RONDO_SCREENSHOTS"); dir != "" {
		os.WriteFile(filepath.Join(dir, "paper.pdf"), pdf, 0o644)
	}
	b = openFailed(t, withoutScripts(), media("print", "dark"), chromedp.EmulateViewport(720, 1000))
	if ask[bool](b, `document.querySelector("#tools").offsetHeight > 0`) {
		t.Error("the tools are printed")
	}
	if folded := ask[int](b, `[...document.querySelectorAll("details.card:not([open]) dl")].filter(e => !e.checkVisibility()).length`); folded > 0 {
		t.Errorf("%d cases are printed without their content", folded)
	}
	if ground := ask[string](b, `getComputedStyle(document.body).backgroundColor`); ground != "rgb(255, 255, 255)" {
		t.Errorf("paper is %s", ground)
	}
	if over := ask[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		t.Errorf("%d px are cut off at the side of the paper", over)
	}
	if bad := ask[[]string](b, faint); len(bad) > 0 {
		t.Errorf("too faint on paper: %q", bad)
	}
	b.keep("paper")
}

// fits checks that a page of the width of a phone is not wider than one.
func (b *tab) fits() {
	b.Helper()
	if wide := ask[[]string](b, `document.documentElement.scrollWidth <= innerWidth && innerWidth === 390 ? [] :
		[innerWidth + " " + document.documentElement.scrollWidth, ...[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > 391 && !e.closest(".scroll, .drawn, pre")).map(e => e.tagName + "." + e.className)]`); len(wide) > 0 {
		b.Errorf("the page scrolls sideways: %q", wide)
	}
	if hidden := ask[int](b, `[...document.querySelectorAll("svg.timeline .bad")].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth).length`); hidden > 0 {
		b.Errorf("%d decisive bars are out of view", hidden)
	}
}

// TestPracticePage: the scenarios for learners need no script, and fit a phone; an answer unfolds by
// keyboard.
func TestPracticePage(t *testing.T) {
	needsBrowser(t)
	file := filepath.Join(t.TempDir(), "practice.html")
	if out, err := exec.Command(build(t, root, "./check/cmd/rondo-check"), "practice", "-html", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b := open(t, file, withoutScripts(), chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	if n := ask[int](b, `document.querySelectorAll("article").length`); n < 12 {
		t.Errorf("%d scenarios", n)
	}
	if told := ask[int](b, `[...document.querySelectorAll(".bad, .v")].filter(e => e.checkVisibility()).length`); told > 0 {
		t.Errorf("%d answers are shown before anybody asks", told)
	}
	b.fits()
	b.do(chromedp.Focus(chromedp.CSS(`details > summary`)), chromedp.KeyEvent(kb.Enter))
	if told := ask[int](b, `[...document.querySelectorAll(".bad, .v")].filter(e => e.checkVisibility()).length`); told == 0 {
		t.Error("Enter does not unfold an answer")
	}
	b.fits()
	b.keep("practice")
}

// TestMatrixPage: clauses by target; every verdict leads to a page that is there and whose links
// lead somewhere too; it filters, and fits a phone.
func TestMatrixPage(t *testing.T) {
	needsBrowser(t)
	dir := t.TempDir()
	server := build(t, ".", "./cmd/miniredis-server") + " -addr 127.0.0.1:{port}"
	out, err := exec.Command(build(t, root, "./check/cmd/rondo-check"), "run", "exec/EXEC-6", "time/TIME-3", "wire/WIRE-1", "history/expiry",
		"-ops", "600", "-seed", "1", "-report", dir, "-target", "one=exec:"+server, "-target", "two=exec:"+server).CombinedOutput()
	if _, ok := err.(*exec.ExitError); !ok {
		t.Fatalf("miniredis is not convicted: %v\n%s", err, out)
	}
	b := open(t, filepath.Join(dir, "index.html"), chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	b.fits()
	b.keep("matrix")
	const shown = `[...document.querySelectorAll("#all ~ .scroll tbody tr")].filter(r => r.checkVisibility())`
	all := ask[int](b, shown+`.length`)
	b.do(chromedp.SendKeys(chromedp.CSS(`input[name=text]`), "exec-6"))
	if n := ask[int](b, shown+`.length`); n != 1 || all < 3 {
		t.Errorf("%d of %d rows are shown of EXEC-6", n, all)
	}
	for _, page := range append(ask[[]string](b, `[...document.querySelectorAll("td a.v")].map(a => a.getAttribute("href"))`), "index.html", "one/index.html") {
		linksLead(t, filepath.Join(dir, page))
	}
}

var linked = regexp.MustCompile(`(?:href)="([^"#]*)(#[^"]*)?"`)

// linksLead checks that the links of a page lead to files and anchors that are there.
func linksLead(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
	}
	for _, m := range linked.FindAllSubmatch(text, -1) {
		to, aim := file, text
		if len(m[1]) > 0 {
			to = filepath.Join(filepath.Dir(file), string(m[1]))
			if aim, err = os.ReadFile(to); err != nil {
				t.Errorf("%s: %v", filepath.Base(file), err)
				continue
			}
		}
		if len(m[2]) > 1 && !bytes.Contains(aim, fmt.Appendf(nil, `id="%s"`, m[2][1:])) {
			t.Errorf("%s leads to %s of %s, which is not there", filepath.Base(file), m[2], filepath.Base(to))
		}
	}
}

// TestRhythmPage: the pictures of how long others wait are in view on a phone, in the light and in
// the dark, without a script, and the page asks for nothing else.
func TestRhythmPage(t *testing.T) {
	needsBrowser(t)
	dir := t.TempDir()
	if out, err := exec.Command(build(t, root, "./check/cmd/rondo-check"), "rhythm", "growth", "keys", "eviction", "del-large",
		"-keys", "2000", "-target", "one=embedded", "-target", "two=embedded", "-report", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	file := filepath.Join(dir, "index.html")
	linksLead(t, file)
	for _, scheme := range []string{"light", "dark"} {
		b := open(t, file, withoutScripts(), media("", scheme), chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
		b.fits()
		if len(b.asked) != 1 {
			t.Errorf("the page asked for %q", b.asked)
		}
		if bad := ask[[]string](b, faint); len(bad) > 0 {
			t.Errorf("%s: too faint: %q", scheme, bad)
		}
		plots := ask[[]float64](b, `[...document.querySelectorAll("svg.plot")].filter(e => e.querySelector(".probe").getTotalLength() > 50).map(e => e.getBoundingClientRect().right)`)
		if len(plots) < 8 || slices.Max(plots) > 390 {
			t.Errorf("pictures that end at %v, of three kinds and two servers", plots)
		}
		b.keep("rhythm-" + scheme)
	}
}
