"""A user's scene: a tiled camera, which Isaac Lab initialises when the simulation begins to play."""

from types import SimpleNamespace

from isaaclab.sensors import TiledCamera

# The sensor's first act, without a sensor: the replica has no stage to spawn one on.
TiledCamera._initialize_impl(SimpleNamespace())
