// From a name to its command: one probe of an open hash table in nearly every case.
package command

// nameMax is the longest name the index can hold; all are shorter.
const nameMax = 16

// nameIndex is an open hash table over names folded to lower case and packed into two words.
type nameIndex struct {
	slots [256]nameSlot // at most half full
}

type nameSlot struct {
	head, tail uint64 // bytes 0 to 7 and 8 to 15 of the name
	cmd        *Command
}

var index nameIndex

// Lookup finds a command by name, whatever its case; nil if unknown (WIRE-14, WIRE-15).
func Lookup(name []byte) *Command {
	head, tail, ok := pack(name)
	if !ok {
		return nil
	}
	for i := slotOf(head, tail); ; i++ {
		s := &index.slots[i]
		if s.cmd == nil || s.head == head && s.tail == tail {
			return s.cmd
		}
	}
}

func (x *nameIndex) add(c *Command) {
	head, tail, ok := pack([]byte(c.Name))
	if !ok {
		panic("command: name cannot be indexed: " + c.Name)
	}
	i := slotOf(head, tail)
	for x.slots[i].cmd != nil {
		i++
	}
	x.slots[i] = nameSlot{head, tail, c}
}

// slotOf is where a name is looked for first; uint8 wraps around by itself.
func slotOf(head, tail uint64) uint8 {
	return uint8((head ^ tail*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd >> 56)
}

// pack folds a name of letters; with anything else in it, it is no command's.
func pack(name []byte) (head, tail uint64, ok bool) {
	if len(name) > nameMax {
		return 0, 0, false
	}
	short := name
	if len(name) > 8 {
		short = name[:8]
		if tail, ok = packWord(name[8:]); !ok {
			return 0, 0, false
		}
	}
	head, ok = packWord(short)
	return head, tail, ok
}

func packWord(name []byte) (word uint64, ok bool) {
	for i := len(name) - 1; i >= 0; i-- {
		c := name[i] | 0x20
		if c-'a' > 'z'-'a' {
			return 0, false
		}
		word = word<<8 | uint64(c)
	}
	return word, true
}
