// Package store is the keyspace: a table from keys to byte strings with deadlines.
//
// It takes the time as an argument, has no lock, and hides its representation: callers see bytes
// and offsets of bytes, never an object of it. Views (the slices it returns) are valid until the
// next change of the same DB.
package store

import "math"

// NoDeadline is the deadline of a key that lives on: later than every clock.
const NoDeadline = int64(math.MaxInt64)

// View is what a key holds. Value is valid until the next change of the DB.
type View struct {
	Value    []byte
	Deadline int64 // Unix ms, or NoDeadline
	Access   int64 // the now of the last Use or Put
	Tag      uint8 // a mark of the caller's, kept with the value
}

// DB is one keyspace.
type DB struct{}

func New(seed uint64) *DB                                                 { panic("todo") }
func (db *DB) Get(key []byte) (View, bool)                                { panic("todo") }
func (db *DB) Use(key []byte, now int64) (View, bool)                     { panic("todo") }
func (db *DB) Put(key, val []byte, tag uint8, deadline, now int64)        { panic("todo") }
func (db *DB) Grow(key []byte, n int) []byte                              { panic("todo") }
func (db *DB) Del(key []byte) bool                                        { panic("todo") }
func (db *DB) SetDeadline(key []byte, at int64) bool                      { panic("todo") }
func (db *DB) Len() int                                                   { panic("todo") }
func (db *DB) Volatile() int                                              { panic("todo") }
func (db *DB) Bytes() int                                                 { panic("todo") }
func (db *DB) Scan(cursor uint64, visit func(key []byte, v View)) uint64  { panic("todo") }
func (db *DB) Sample(rand uint64) (key []byte, v View, ok bool)           { panic("todo") }
func (db *DB) NextDue() (int64, bool)                                     { panic("todo") }
func (db *DB) ExpireDue(now int64, max int, expired func(key []byte)) int { panic("todo") }
func (db *DB) Advance(budget int) bool                                    { panic("todo") }
func (db *DB) Clear()                                                     { panic("todo") }
