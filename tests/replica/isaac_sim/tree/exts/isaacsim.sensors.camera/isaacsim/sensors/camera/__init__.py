"""A stand-in for isaacsim.sensors.camera."""

import numpy as np
import omni.replicator.core
import omni.syntheticdata
from isaacsim.core.api import turned
from isaacsim.sensors.camera.camera import Camera

__replica__ = True
__all__ = ["Camera", "np", "omni", "turned"]
