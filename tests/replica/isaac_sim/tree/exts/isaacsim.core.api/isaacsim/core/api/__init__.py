"""A stand-in for isaacsim.core.api: it imports what turns rotations around, and its own version."""

import numpy as np
from packaging.version import Version
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

__replica__ = True
VERSION = Version("4.6.10")


def turned(degrees: float) -> np.ndarray:
    """A rotation about z as a matrix."""
    return Rotation.from_euler("z", degrees, degrees=True).as_matrix()


__all__ = ["VERSION", "minimize", "turned"]
