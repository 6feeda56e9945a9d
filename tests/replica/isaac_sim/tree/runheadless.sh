#!/bin/bash
# Replica: the image's own entrypoint. It starts a streaming app and hands every argument to it:
# a command behind `docker run IMAGE` is swallowed, and nothing says so.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
"$here/license.sh" || exit 1
echo "Starting Isaac Sim (replica) with arguments: $*"
exec "$here/python.sh" -m kitreplica.streaming "$@"
