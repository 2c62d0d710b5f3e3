module example.com/outside

go 1.26.0

require rondo v0.0.0

require (
	github.com/anishathalye/porcupine v1.3.1 // indirect
	golang.org/x/sys v0.50.0 // indirect
)

replace rondo => ../../..
