// Package store is the keyspace: a table from keys to byte strings with deadlines.
//
// It takes the time as an argument, has no lock, and hides its representation: callers see bytes
// and offsets of bytes, never an object of it. Views (the slices it returns) are valid until the
// next change of the same DB.
package store
