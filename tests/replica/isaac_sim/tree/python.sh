#!/bin/bash
# Replica: starts the simulator's own Python with the paths that the simulator's packages need.
here="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
export CARB_APP_PATH="$here/kit" ISAAC_PATH="$here" EXP_PATH="$here/apps"
source "$here/setup_python_env.sh"
if [ -n "$CONDA_PREFIX" ]; then
  echo "Warning: running in conda env, please deactivate before executing this script" >&2
fi
# The loader takes it first, before anything can use up the room for thread-local memory.
if [ -f "$here/kit/libcarb.so" ] && [ "$REPLICA_PRELOAD" != no ]; then
  export LD_PRELOAD="$here/kit/libcarb.so${LD_PRELOAD:+:$LD_PRELOAD}"
fi
exec "${PYTHONEXE:-$here/kit/python/bin/python3}" "$@"
