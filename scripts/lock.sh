#!/bin/sh
# Writes the locks anew from what is asked for: every version with the hashes of all its files, for all Pythons from 3.10 on.
# Needs uv (pip install uv); takes the index that pip is set to.
set -eu
cd "$(dirname "$0")"
index=$(pip config get global.index-url 2>/dev/null || true)
[ -z "$index" ] || export UV_INDEX_URL="$index"
options="--universal --python-version 3.10 --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade"
uv pip compile requirements.txt $options -o requirements.lock
uv pip compile cuda.in --no-deps $options -o cuda.lock
