"""A replica of what Kit does to Python: not NVIDIA's code, written for tests of envbuild.

``ROOT`` is the folder that python.sh calls ISAAC_PATH. Images of tests switch a behaviour on by
environment variables, all named ``REPLICA_…`` (see REPLICA.md).
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
VERSION = "5.0.0"
