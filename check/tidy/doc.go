// Package tidy holds the house rules as tests: who may import whom (imports_test.go), every clause
// with its evidence (clauses_test.go), and what may lie about (tree_test.go).
package tidy
