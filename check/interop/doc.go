// Package interop tests Rondo with other people's software: real clients against the server
// (goredis_test.go, tools_test.go) and the judge against other servers (judge_test.go). It is a
// module of its own, so that what it needs does not become a dependency of Rondo.
package interop
