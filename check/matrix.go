package check

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"rondo/check/report"
	"rondo/check/target"
)

// Named is a target of a matrix, opened when its turn comes.
type Named struct {
	Name string // a folder of the report
	Open func() (*target.Target, error)
}

// Matrix judges targets one after the other with the same options. What cannot be opened is a
// column of its own that says why. The error is about the options.
func Matrix(ctx context.Context, targets []Named, opt Options) (*report.Matrix, []*Recordings, error) {
	if _, _, err := Select(opt.Patterns); err != nil {
		return nil, nil, err
	}
	started := time.Now()
	var columns []report.Column
	var recordings []*Recordings
	for _, named := range targets {
		if ctx.Err() != nil {
			break
		}
		column := report.Column{Name: named.Name}
		var rec *Recordings
		if t, err := named.Open(); err != nil {
			column.Error = err.Error()
		} else {
			column.Run, rec, err = opt.under(named.Name).withDefaults().run(ctx, t)
			_ = t.Stop() // how it stops is for LOOP-15
			if err != nil {
				return nil, nil, err
			}
		}
		columns, recordings = append(columns, column), append(recordings, rec)
	}
	m := report.NewMatrix(columns)
	m.Tool, m.Command, m.Seed = "rondo-check "+Version, opt.Command, opt.Seed
	m.Started, m.TookMs = started, time.Since(started).Milliseconds()
	return m, recordings, nil
}

// under puts a target's name before what is shown of the progress, and its files into its folder.
func (opt Options) under(name string) Options {
	if opt.Dir != "" {
		opt.Dir = filepath.Join(opt.Dir, name)
	}
	if show := opt.Progress; show != nil {
		opt.Progress = func(stage, text string) { show(name+": "+stage, text) }
	}
	return opt
}

// WriteMatrix fills dir: index.html, matrix.json, and for each target a folder that holds its own
// report and a page for each cell.
func WriteMatrix(m *report.Matrix, recordings []*Recordings, dir string) error {
	for i, c := range m.Columns {
		if c.Run == nil {
			continue
		}
		if err := Write(c.Run, recordings[i], filepath.Join(dir, c.Name)); err != nil {
			return err
		}
		for _, row := range m.Rows {
			page := m.Page(row, i)
			if page == "" {
				continue
			}
			cell := m.Cell(row, i)
			err := writeFile(filepath.Join(dir, filepath.FromSlash(page)), func(w io.Writer) error {
				return report.CellHTML(w, cell)
			})
			if err != nil {
				return fmt.Errorf("writing the matrix: %w", err)
			}
		}
	}
	for name, write := range map[string]func(io.Writer, *report.Matrix) error{
		"index.html": report.MatrixHTML, "matrix.json": report.MatrixJSON,
	} {
		err := writeFile(filepath.Join(dir, name), func(w io.Writer) error { return write(w, m) })
		if err != nil {
			return fmt.Errorf("writing the matrix: %w", err)
		}
	}
	return nil
}
