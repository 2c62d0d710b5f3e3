package check

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"time"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/check/report"
)

// This file judges a recorded history that is too large to keep: it is read as a stream, as its
// maxDisorder allows, and judged segment by segment, so that memory does not grow with the file.

// streamFrom is StreamBytes, but for a test.
var streamFrom int64 = StreamBytes

// streamed judges a file that is large and says how far its lines are out of order; ok is false for
// any other, which is read into memory, where more can be measured and said about it.
func streamed(file, base string, opt Options, rec *Recordings) (
	out report.History, meta history.Meta, ok bool, err error) {
	info, err := os.Stat(file)
	if err != nil || info.Size() < streamFrom || !info.Mode().IsRegular() {
		return out, meta, false, err
	}
	f, err := os.Open(file)
	if err != nil {
		return out, meta, false, err
	}
	defer f.Close()
	in, err := history.NewReader(f)
	if err != nil {
		return out, meta, false, fmt.Errorf("%s: %w", file, err)
	}
	defer in.Close()
	if meta = in.Meta(); meta.MaxDisorder == 0 {
		return out, meta, false, nil
	}
	started := time.Now()
	res, clients, err := follow(in, info.Size(), opt)
	if err != nil {
		return out, meta, true, fmt.Errorf("%s: %w", file, err)
	}
	out = summary(file, in.Marks(), res)
	out.Clients = clients
	out.File = rec.add(base+".jsonl", func(w io.Writer) error { return copyFile(w, file) })
	out.TookMs = time.Since(started).Milliseconds()
	return out, meta, true, nil
}

// follow feeds a Monitor from a file. The error is the file's.
func follow(in *history.Reader, size int64, opt Options) (linear.Result, int, error) {
	meta := in.Meta()
	meta.MaxDisorder = 1 // the reader sorts
	m := linear.NewMonitor(meta, opt.linear())
	seen := map[int]bool{}
	began := time.Now()
	for n := 1; ; n++ {
		op, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			m.Close()
			return linear.Result{}, 0, err
		}
		if len(seen) < clientsCounted {
			seen[op.Client] = true
		}
		if m.Add(op) != nil {
			break // Close says what is wrong
		}
		if n%shownEach == 0 && opt.Progress != nil {
			opt.Progress("recheck", rate(n, in.Bytes(), size, time.Since(began)))
		}
	}
	return m.Close(), len(seen), nil
}

// rate says how fast a file is judged and how long the rest will take.
func rate(ops int, done, size int64, took time.Duration) string {
	left := time.Duration(float64(took) * float64(size-done) / float64(max(1, done)))
	return fmt.Sprintf("%d operations, %.0f/s, %d%%, %v left", ops, float64(ops)/took.Seconds(),
		100*done/max(1, size), left.Round(time.Second))
}

func copyFile(w io.Writer, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// describeTarget fills in whose history a file is.
func describeTarget(r *report.Run, meta history.Meta) {
	r.Target = report.Target{Name: cmp.Or(meta.Target, "the recorded server"),
		Profile: cmp.Or(meta.Profile, "unknown"), Addr: "recorded"}
	r.Seed = meta.Seed
}
