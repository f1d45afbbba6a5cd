#!/bin/sh
# Writes the locks anew from what is asked for: every version with the hashes of all its files, for all Pythons from 3.10 on,
# of the reference (tests/goldens) from 3.11 on. Needs uv (pip install uv); takes the index that pip is set to.
set -eu
cd "$(dirname "$0")"
index=$(pip config get global.index-url 2>/dev/null || true)
[ -z "$index" ] || export UV_INDEX_URL="$index"
options="--universal --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade"
uv pip compile requirements.txt $options --python-version 3.10 -o requirements.lock
uv pip compile cuda.in --no-deps $options --python-version 3.10 -o cuda.lock

# The reference in four parts: torch comes with CUDA's libraries, which a build for processors does without.
reference=../tests/goldens
all=$(mktemp)
uv pip compile "$reference/requirements.txt" $options --python-version 3.11 -o "$all"
# part FILE PATTERN: the entries whose names begin so; an entry's further lines are indented
part() { awk -v pattern="$2" '/^[^ ]/ { kept = ($0 ~ pattern) } kept' "$all" >"$reference/locks/$1"; }
mkdir -p "$reference/locks"
part torch.lock '^torch=='
part torch-cuda.lock '^(triton|cuda-|nvidia-)'
awk '/^[^ ]/ { kept = ($0 !~ /^(torch==|triton|cuda-|nvidia-)/) } kept' "$all" >"$reference/locks/requirements.lock"
rm "$all"
# PyTorch's own build for processors (Linux, x64, Python 3.11), which its index has and the other one lacks.
sed -i 's/^torch==.*$/&\
    --hash=sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b \\/' "$reference/locks/torch.lock"
sed -n 's/^# no-deps: //p' "$reference/requirements.txt" |
  uv pip compile - --no-deps $options --python-version 3.11 -o "$reference/locks/alone.lock"
