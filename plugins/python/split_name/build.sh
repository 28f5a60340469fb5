#!/bin/sh
# Tests the SDK and the plugin, and builds it: ./build.sh OUT.wasm. Needs Python 3.11 or newer with venv, nothing else.
# Ends with 75 when pip's index cannot be reached.
set -eu
case "${1:?usage: build.sh OUT.wasm}" in
  /*) out=$1 ;;
  *) out=$PWD/$1 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
pip="$work/venv/bin/pip --quiet --disable-pip-version-check"
if ! $pip install --require-hashes --requirement "$here/requirements.txt"; then
  $pip index versions flatbuffers || exit 75
  exit 1
fi

# The component will hold what this folder holds: the plugin, its config's schema, the SDK, and the packages that the SDK needs.
mkdir "$work/app"
cp "$here/transform.py" "$root/plugins/examples/split_name/config.schema.json" "$work/app"
cp -R "$root/sdk/python/loader_sdk" "$("$work/venv/bin/python" -c 'import flatbuffers; print(*flatbuffers.__path__)')" "$work/app"
find "$work/app" -name __pycache__ -prune -exec rm -r {} +

cp -R "$here/test_transform.py" "$root/sdk/python/tests" "$work"
(cd "$work" && PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$work/app" "$work/venv/bin/python" -m unittest discover)

# The sandbox has no network, which Python's WASI asks for: with stubs, nothing of WASI is imported.
"$work/venv/bin/componentize-py" --quiet --wit-path "$root/wit/0.1" --world plugin \
  componentize --stub-wasi --python-path "$work/app" --output "$out" transform
