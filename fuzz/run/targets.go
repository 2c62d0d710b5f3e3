package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// target is a function of the testing package's fuzzing engine.
type target struct {
	name string
	pkg  string // its folder, from the root: "./fuzz"
}

var declaration = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(\w+ \*testing\.F\)`)

// targets finds those of the module at root, by its source. Nested modules are not part of it.
func targets(root string) (all []target, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && notOurs(path, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		found, err := targetsIn(root, path)
		all = append(all, found...)
		return err
	})
	slices.SortFunc(all, func(a, b target) int { return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.name, b.name)) })
	return all, err
}

// notOurs tells folders that hold no package of the module.
func notOurs(path, name string) bool {
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil || name == "testdata" || strings.HasPrefix(name, ".")
}

func targetsIn(root, path string) (found []target, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	for _, m := range declaration.FindAllSubmatch(text, -1) {
		found = append(found, target{string(m[1]), "./" + filepath.ToSlash(dir)})
	}
	return found, nil
}

// named are the targets with these names, with or without the word Fuzz; without names all.
func named(all []target, names []string) (some []target, err error) {
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		i := slices.IndexFunc(all, func(t target) bool { return t.name == name || t.name == "Fuzz"+name })
		if i < 0 {
			return nil, fmt.Errorf("there is no target %s", name)
		}
		some = append(some, all[i])
	}
	return some, nil
}
