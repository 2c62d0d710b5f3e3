package check

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"rondo/check/history"
)

// diskLog keeps the histories of a long run as files, each of which `rondo-check recheck` reads: the
// latest legal ones, and those that were illegal or not decided, as far as the bounds go (limits.go).
type diskLog struct {
	dir   string   // the report's folder; "" keeps nothing
	legal []string // by age
	kept  []string
}

// logFile is one history that is being written. A nil one swallows everything.
type logFile struct {
	name string // relative to the report's folder
	file *os.File
	w    *history.Writer
}

// oldFile is a file of an earlier long run into the same folder.
var oldFile = regexp.MustCompile(`^[a-z]+-\d{6}\.jsonl$`)

// openLog removes what an earlier long run left in the folder, or disks would fill run by run.
func openLog(dir string) (*diskLog, error) {
	d := &diskLog{dir: dir}
	if dir == "" {
		return d, nil
	}
	folder := filepath.Join(dir, historyFolder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("the folder of the histories: %w", err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("the folder of the histories: %w", err)
	}
	for _, e := range entries {
		if oldFile.MatchString(e.Name()) {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return nil, fmt.Errorf("remove the history of an earlier run: %w", err)
			}
		}
	}
	return d, nil
}

// create begins the file of the n-th stretch.
func (d *diskLog) create(mix string, n int, meta history.Meta) (*logFile, error) {
	if d.dir == "" {
		return nil, nil
	}
	name := filepath.Join(historyFolder, fmt.Sprintf("%s-%06d.jsonl", mix, n))
	file, err := os.Create(filepath.Join(d.dir, name))
	if err != nil {
		return nil, err
	}
	w, err := history.NewWriter(file, meta)
	if err != nil {
		file.Close()
		return nil, err
	}
	return &logFile{name, file, w}, nil
}

// settle ends a file and makes room. A file worth keeping goes to the others of its kind unless
// there are enough of them. It returns the name of the file if it is still there.
func (d *diskLog) settle(f *logFile, keep bool) (string, error) {
	if f == nil {
		return "", nil
	}
	err := f.w.Flush()
	if cerr := f.file.Close(); err == nil {
		err = cerr
	}
	switch {
	case err != nil:
		return "", err
	case keep && len(d.kept) < LogKeptMax:
		d.kept = append(d.kept, f.name)
		return f.name, nil
	case keep:
		return "", os.Remove(filepath.Join(d.dir, f.name))
	}
	d.legal = append(d.legal, f.name)
	for len(d.legal) > LogFilesMax {
		err = os.Remove(filepath.Join(d.dir, d.legal[0]))
		d.legal = slices.Delete(d.legal, 0, 1)
	}
	return f.name, err
}

func (f *logFile) op(op *history.Op) error {
	if f == nil {
		return nil
	}
	return f.w.Op(op)
}

func (f *logFile) mark(m history.Mark) error {
	if f == nil {
		return nil
	}
	return f.w.Mark(m)
}

// full says that the file is as long as one may be.
func (f *logFile) full() bool { return f != nil && f.w.Bytes() >= LogFileBytesMax }
