// Package testdata embeds the reviewed vectors, conversations and histories, so that programs
// and tests of any folder, and of other projects, find them without knowing a path.
//
// What lies where:
//
//	resp/          wire vectors: bytes of requests and replies, good and malformed
//	script/        conversations (*.txt) in the format of package spec, recorded from
//	               redis-server 7.0.15, one story a file
//	history/ok/    concurrent histories (*.jsonl) that a checker must accept
//	history/bad/   twins that it must refuse
//	history/void/  recordings that cannot be, and so are evidence of nothing
//	practice/      short recordings for people who learn, as histories or wire logs; which of
//	               them are allowed stands in no file, the engine says it
//
// Reviewed means: every expectation was first asked of the real server, then read by a person
// against the clause it cites. A file that changes is asked again. Each folder keeps a README.md,
// which also lets the embedding work while a folder holds nothing else.
package testdata

import (
	"embed"
	"io/fs"
	"path"
)

// FS holds the folders named above.
//
//go:embed resp script history practice
var FS embed.FS

// File is one embedded file.
type File struct {
	Path string // "script/set-options.txt"
	Text string
}

// Name is the file's name without folder and extension: "set-options".
func (f File) Name() string {
	base := path.Base(f.Path)
	return base[:len(base)-len(path.Ext(base))]
}

// Match returns the files whose path matches a pattern such as "script/*.txt", sorted by path.
func Match(pattern string) ([]File, error) {
	paths, err := fs.Glob(FS, pattern)
	if err != nil {
		return nil, err
	}
	files := make([]File, len(paths))
	for i, p := range paths {
		text, err := FS.ReadFile(p)
		if err != nil {
			return nil, err
		}
		files[i] = File{Path: p, Text: string(text)}
	}
	return files, nil
}

// Scripts returns the conversations.
func Scripts() ([]File, error) { return Match("script/*.txt") }
