package history

// Reading a file: it is cut into blocks of whole lines, which several goroutines parse side by side
// (scan.go, and format.go for what that does not understand); the results are put back in order.
// Read collects them all, Reader (reader.go) hands them out by call and forgets them.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync"
)

// Read parses a history file. An error names the line.
func Read(r io.Reader) (*History, error) {
	h := &History{}
	in := startBlocks(r)
	defer in.stop()
	var batches []*batch
	var order latest
	n := 0
	for b := range in.batches() {
		switch {
		case b.err != nil:
			return nil, b.err
		case n+len(b.ops) > OpsMax:
			return nil, fmt.Errorf("line %d: more than %d operations", b.lineOf(OpsMax-n), OpsMax)
		case len(h.Marks)+len(b.marks) > MarksMax:
			return nil, fmt.Errorf("line %d: more than %d marks", b.first, MarksMax)
		}
		if b.meta != nil {
			h.Meta = *b.meta
		}
		for i := range b.ops {
			if err := order.see(&b.ops[i], h.Meta.MaxDisorder); err != nil {
				return nil, fmt.Errorf("line %d: %w", b.lineOf(i), err)
			}
		}
		n += len(b.ops)
		h.Marks = append(h.Marks, b.marks...)
		b.marks = nil
		batches = append(batches, b)
	}
	if n == 0 {
		return h, nil
	}
	h.Ops = make([]Op, 0, n)
	for i, b := range batches {
		h.Ops = append(h.Ops, b.ops...)
		batches[i] = nil
	}
	return h, nil
}

var errTooLong = fmt.Errorf("longer than %d bytes", LineBytesMax)

// batch is what one block of lines holds.
type batch struct {
	meta  *Meta
	ops   []Op
	marks []Mark
	// first is the number of the block's first line, lines how many there are; others lists, for
	// each line that is no operation, how many operations stand before it.
	first, lines int
	others       []int
	err          error // names its line
	bytes        int   // of the block
}

// lineOf is the line number of the batch's operation i.
func (b *batch) lineOf(i int) int {
	n := b.first + i
	for _, at := range b.others {
		if at <= i {
			n++
		}
	}
	return n
}

// parse reads the lines of a block.
func (b *batch) parse(p *parser, block []byte, first bool) {
	b.ops = make([]Op, 0, bytes.Count(block, []byte{'\n'})+1)
	for len(block) > 0 && b.err == nil {
		line := block
		if i := bytes.IndexByte(block, '\n'); i >= 0 {
			line, block = block[:i], block[i+1:]
		} else {
			block = nil
		}
		b.lines++
		n := len(b.ops)
		b.ops = b.ops[:n+1]
		if p.operation(line, &b.ops[n]) {
			first = false
			continue
		}
		b.ops = b.ops[:n]
		if line = bytes.TrimSpace(line); len(line) > LineBytesMax {
			b.err = errTooLong
		} else if len(line) > 0 {
			b.err = b.readLine(line, first)
			first = false
		}
		if len(b.ops) == n {
			b.others = append(b.others, n)
		}
	}
}

// blocks reads a file in blocks and parses them side by side. Each block is a job whose result
// comes through a channel of its own; the queue of these channels keeps the order.
type blocks struct {
	in    io.Reader
	queue chan job
	jobs  chan job
	quit  chan struct{}
	once  sync.Once
	spare sync.Pool
}

type job struct {
	block  []byte
	first  bool // it begins the file
	result chan *batch
	err    error // what ended the file, instead of a block
}

func startBlocks(r io.Reader) *blocks {
	n := min(runtime.GOMAXPROCS(0), readersMax)
	s := &blocks{in: r, queue: make(chan job, 2*n), jobs: make(chan job, 2*n),
		quit: make(chan struct{})}
	s.spare.New = func() any { return new([]byte) }
	go s.read()
	for range n {
		go s.work()
	}
	return s
}

// stop lets the goroutines end; more than once is harmless.
func (s *blocks) stop() { s.once.Do(func() { close(s.quit) }) }

// batches gives the batches in order, with their line numbers. The last one may carry the error.
func (s *blocks) batches() iter.Seq[*batch] {
	return func(yield func(*batch) bool) {
		line := 1
		for j := range s.queue {
			b := &batch{err: j.err}
			if j.result != nil {
				b = <-j.result
			}
			b.first = line
			line += b.lines
			if b.err != nil {
				b.err = fmt.Errorf("line %d: %w", line-toInt(j.result != nil), b.err)
			}
			if !yield(b) || b.err != nil {
				return
			}
		}
	}
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *blocks) work() {
	p := newParser()
	for j := range s.jobs {
		b := &batch{bytes: len(j.block)}
		b.parse(p, j.block, j.first)
		spare := j.block[:0]
		s.spare.Put(&spare)
		j.result <- b
	}
}

// read cuts the file into blocks that end with a line.
func (s *blocks) read() {
	defer close(s.queue)
	defer close(s.jobs)
	var rest []byte // the beginning of a line
	for first := true; ; {
		block := append((*s.spare.Get().(*[]byte))[:0], rest...)
		block, end, err := s.fill(block)
		rest = append([]byte(nil), block[end:]...)
		if end > 0 && !s.send(job{block: block[:end], first: first, result: make(chan *batch, 1)}) {
			return
		}
		first = first && len(bytes.TrimSpace(block[:end])) == 0
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			s.send(job{err: err})
			return
		}
	}
}

// send hands a job to the workers and to who waits for its result; false: nobody waits any more.
func (s *blocks) send(j job) bool {
	select {
	case s.queue <- j:
	case <-s.quit:
		return false
	}
	if j.result != nil {
		s.jobs <- j // never blocks for long: there is room for all that the queue holds
	}
	return true
}

// fill reads until block holds a whole line and enough bytes, and says where its last line ends. At
// the end of the file that is the end of the block, whether a line break is there or not.
func (s *blocks) fill(block []byte) (_ []byte, end int, err error) {
	size := blockBytes
	for from := 0; ; {
		if cap(block) < size {
			block = append(make([]byte, 0, size+size/8), block...)
		}
		n, err := s.in.Read(block[len(block):min(cap(block), max(size, len(block)+1))])
		block = block[:len(block)+n]
		if err != nil {
			if errors.Is(err, io.EOF) {
				return block, len(block), err
			}
			return block, bytes.LastIndexByte(block, '\n') + 1, err
		}
		if len(block) < size {
			continue
		}
		if end := bytes.LastIndexByte(block[from:], '\n'); end >= 0 {
			return block, from + end + 1, nil
		}
		if from, size = len(block), size*2; from > LineBytesMax {
			return block, 0, errTooLong
		}
	}
}
