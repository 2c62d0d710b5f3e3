package reactor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Edited is the file of the tree at root with the fault in it.
func (f Fault) Edited(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, f.File))
	if err != nil {
		return "", err
	}
	text := string(b)
	for _, e := range f.Edits {
		if n := strings.Count(text, e.Find); n != 1 {
			return "", fmt.Errorf("%s holds this %d times and not once; bring %s up to date with it:\n%s",
				f.File, n, f.Path(), e.Find)
		}
		text = strings.Replace(text, e.Find, e.Replace, 1)
	}
	return text, nil
}

// Overlay writes into dir the edited file and the list that puts it in the original's place, and
// gives the path of that list, for the go command.
func (f Fault) Overlay(root, dir string) (string, error) {
	text, err := f.Edited(root)
	if err != nil {
		return "", err
	}
	original, err := filepath.Abs(filepath.Join(root, f.File))
	if err != nil {
		return "", err
	}
	edited, list := filepath.Join(dir, filepath.Base(f.File)), filepath.Join(dir, "overlay.json")
	b, err := json.Marshal(map[string]map[string]string{"Replace": {original: edited}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(edited, []byte(text), 0o600); err != nil {
		return "", err
	}
	return list, os.WriteFile(list, b, 0o600)
}
