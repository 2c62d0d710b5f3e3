// Package explore tries every schedule of a small world: a server, a few clients with short programs, a
// network that cuts where it likes, and a clock. It knows none of them, but what they can do next.
//
//	table.go   how a schedule that breaks a clause is shown
package explore
