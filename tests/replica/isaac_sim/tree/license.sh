#!/bin/bash
# Replica: like the vendor's, it asks only whether the variable is set.
if [ -z "$ACCEPT_EULA" ]; then
  echo "The NVIDIA Omniverse License Agreement (EULA) must be accepted before" >&2
  echo "Omniverse Kit can start. Set ACCEPT_EULA to a value when the container starts." >&2
  exit 1
fi
