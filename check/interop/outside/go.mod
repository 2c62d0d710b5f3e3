module example.com/outside

go 1.26

require rondo v0.0.0

replace rondo => ../../..
