#!/bin/sh
# Tests the SDK and the plugin, and builds it: ./build.sh OUT.wasm. Needs node 20 or newer with npm, nothing else.
# Ends with 75 when npm's registry cannot be reached.
set -eu
case "${1:?usage: build.sh OUT.wasm}" in
  /*) out=$1 ;;
  *) out=$PWD/$1 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../../..

for package in "$root/sdk/javascript" "$here"; do
  cd "$package"
  if ! npm ci --no-progress --loglevel=error; then
    npm ping --loglevel=silent || exit 75
    exit 1
  fi
  npm test --silent
done
npx --no-install loader-plugin-build plugin.js "$root/wit/0.1" "$out"
