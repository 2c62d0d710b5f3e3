#!/bin/bash -eu
# Builds every fuzz target for OSS-Fuzz, whose image sets SRC and OUT and brings
# compile_native_go_fuzzer_v2: it builds a package with its test files, under the tag gofuzz. Beside
# each target go its seeds, and its dictionary if it has one.

cd "$SRC/rondo"

# Package and target. Names are not to be the beginning of one another: they are searched as text.
targets="
check/history FuzzQuickIsStrict
fuzz FuzzConfig
fuzz FuzzConn
fuzz FuzzDecode
fuzz FuzzDict
fuzz FuzzExpiry
fuzz FuzzHistory
fuzz FuzzJudge
fuzz FuzzProgram
fuzz FuzzRoundTrip
fuzz FuzzSplit
fuzz FuzzTurns
"

seeds=$(mktemp -d)
RONDO_SEEDS="$seeds" go test ./fuzz -count=1 -run '^Fuzz'

while read -r package target; do
	test -n "$package" || continue
	compile_native_go_fuzzer_v2 "rondo/$package" "$target" "$target"
	if [ -d "$seeds/$target" ]; then
		(cd "$seeds/$target" && zip -q -r "$OUT/${target}_seed_corpus.zip" .)
	fi
	if [ -f "fuzz/oss-fuzz/$target.dict" ]; then
		cp "fuzz/oss-fuzz/$target.dict" "$OUT/$target.dict"
	fi
done <<<"$targets"
