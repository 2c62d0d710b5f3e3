package history

// Replies as JSON: a string is a bulk string, a number an integer, null a null, an array an array;
// {"simple":S}, {"error":S}, {"double":S}, {"bool":B}, {"map":[[k,v],...]}, {"set":[...]} and
// {"b64":S}.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"rondo/model"
)

func readReply(b []byte, depth int) (model.Reply, error) {
	b = bytes.TrimSpace(b)
	switch {
	case depth > DepthMax:
		return model.Reply{}, fmt.Errorf("nested deeper than %d", DepthMax)
	case len(b) == 0:
		return model.Reply{}, errors.New("empty")
	case string(b) == "null":
		return model.Reply{Kind: model.Null}, nil
	case b[0] == '"':
		s, err := readString(b)
		return model.Str(s), err
	case b[0] == '[':
		elems, err := readElems(b, depth)
		return model.Reply{Kind: model.Array, Elems: elems}, err
	case b[0] == '{':
		return readTyped(b, depth)
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return model.Reply{}, fmt.Errorf("%s is no 64-bit integer, string, array, object or null",
			shorten(b))
	}
	return model.Num(n), nil
}

func readElems(b []byte, depth int) ([]model.Reply, error) {
	var raw []json.RawMessage
	if err := unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("%s is no array", shorten(b))
	}
	elems := make([]model.Reply, len(raw))
	for i := range raw {
		var err error
		if elems[i], err = readReply(raw[i], depth+1); err != nil {
			return nil, err
		}
	}
	return elems, nil
}

// readString refuses half a surrogate pair, which encoding/json would turn into another
// character without a word.
func readString(b []byte) (string, error) {
	var s string
	if err := unmarshal(b, &s); err != nil {
		return "", fmt.Errorf("%s is no string", shorten(b))
	}
	if bytes.Contains(b, []byte(`\u`)) && loneSurrogate(b) {
		return "", fmt.Errorf(`%s holds half a surrogate pair; write such bytes as {"b64":"..."}`,
			shorten(b))
	}
	return s, nil
}

func loneSurrogate(b []byte) bool {
	high := false // the escape just before was the first half of a pair
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			if high {
				return true
			}
			continue
		}
		var unit uint64
		if b[i+1] == 'u' && i+6 <= len(b) {
			unit, _ = strconv.ParseUint(string(b[i+2:i+6]), 16, 16)
			i += 4
		}
		i++
		low := unit >= 0xDC00 && unit <= 0xDFFF
		if low != high {
			return true
		}
		high = unit >= 0xD800 && unit <= 0xDBFF
	}
	return high
}

func readTyped(b []byte, depth int) (model.Reply, error) {
	var fields map[string]json.RawMessage
	if err := unmarshal(b, &fields); err != nil {
		return model.Reply{}, fmt.Errorf("%s is no object", shorten(b))
	}
	if len(fields) != 1 {
		return model.Reply{}, fmt.Errorf("%s: an object that is a reply has one field", shorten(b))
	}
	for name, value := range fields {
		read, ok := typed[name]
		if !ok {
			return model.Reply{}, fmt.Errorf("unknown kind of reply %q", name)
		}
		r, err := read(value, depth)
		if err != nil {
			return model.Reply{}, fmt.Errorf("%q: %w", name, err)
		}
		return r, nil
	}
	panic("unreachable: the map has one field")
}

var typed map[string]func(b []byte, depth int) (model.Reply, error)

func init() { // not an initialiser: the functions refer to the table
	typed = map[string]func([]byte, int) (model.Reply, error){
		"simple": stringOf(model.Simple),
		"error":  stringOf(model.Error),
		"double": stringOf(model.Double),
		"b64":    readBase64,
		"bool":   readBool,
		"map":    readMap,
		"set": func(b []byte, depth int) (model.Reply, error) {
			elems, err := readElems(b, depth)
			return model.Reply{Kind: model.Set, Elems: elems}, err
		},
	}
}

func stringOf(kind model.Kind) func([]byte, int) (model.Reply, error) {
	return func(b []byte, _ int) (model.Reply, error) {
		s, err := readString(b)
		return model.Reply{Kind: kind, Str: s}, err
	}
}

func readBase64(b []byte, _ int) (model.Reply, error) {
	s, err := readString(b)
	if err != nil {
		return model.Reply{}, err
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	return model.Str(string(raw)), err
}

func readBool(b []byte, _ int) (model.Reply, error) {
	switch string(b) {
	case "true":
		return model.Reply{Kind: model.Bool, Int: 1}, nil
	case "false":
		return model.Reply{Kind: model.Bool}, nil
	}
	return model.Reply{}, fmt.Errorf("%s is neither true nor false", shorten(b))
}

func readMap(b []byte, depth int) (model.Reply, error) {
	pairs, err := readElems(b, depth)
	m := model.Reply{Kind: model.Map}
	for _, p := range pairs {
		if p.Kind != model.Array || len(p.Elems) != 2 {
			return m, errors.New("a map is an array of [key, value]")
		}
		m.Elems = append(m.Elems, p.Elems...)
	}
	return m, err
}

func appendReply(buf []byte, r model.Reply) ([]byte, error) {
	switch r.Kind {
	case model.Bulk:
		return appendText(buf, r.Str), nil
	case model.Int:
		return strconv.AppendInt(buf, r.Int, 10), nil
	case model.Null, model.NullArray, model.Null3:
		return append(buf, "null"...), nil
	case model.Array:
		return appendElems(buf, r.Elems)
	case model.Simple:
		return appendNamed(buf, "simple", r.Str)
	case model.Error:
		return appendNamed(buf, "error", r.Str)
	case model.Double:
		return appendNamed(buf, "double", r.Str)
	case model.Bool:
		buf = strconv.AppendBool(append(buf, `{"bool":`...), r.Int != 0)
		return append(buf, '}'), nil
	case model.Set:
		buf, err := appendElems(append(buf, `{"set":`...), r.Elems)
		return append(buf, '}'), err
	case model.Map:
		return appendMap(buf, r.Elems)
	}
	return nil, fmt.Errorf("the format has no notation for the reply %+v", r)
}

func appendElems(buf []byte, elems []model.Reply) (_ []byte, err error) {
	buf = append(buf, '[')
	for i, e := range elems {
		if i > 0 {
			buf = append(buf, ',')
		}
		if buf, err = appendReply(buf, e); err != nil {
			return nil, err
		}
	}
	return append(buf, ']'), nil
}

func appendMap(buf []byte, elems []model.Reply) (_ []byte, err error) {
	buf = append(buf, `{"map":[`...)
	for i := 0; i+1 < len(elems); i += 2 {
		if i > 0 {
			buf = append(buf, ',')
		}
		if buf, err = appendElems(buf, elems[i:i+2]); err != nil {
			return nil, err
		}
	}
	return append(buf, `]}`...), nil
}

// appendNamed writes {"simple":S} and the like, which are text: Redis makes no other.
func appendNamed(buf []byte, name, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("the format has no notation for a %s of %q, which is not UTF-8", name, s)
	}
	buf = append(buf, `{"`+name+`":`...)
	return append(appendText(buf, s), '}'), nil
}

func appendText(buf []byte, s string) []byte {
	if plain(s) {
		return append(append(append(buf, '"'), s...), '"')
	}
	if !utf8.ValidString(s) {
		buf = append(buf, `{"b64":"`...)
		buf = base64.StdEncoding.AppendEncode(buf, []byte(s))
		return append(buf, `"}`...)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return append(buf, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}
