"""A stand-in for a camera: a picture of zeros, by the way of NumPy."""

import numpy as np


class Camera:
    """A camera of a size in pixels."""

    def __init__(
        self, prim_path: str = "/World/Camera", resolution: tuple[int, int] = (64, 48)
    ) -> None:
        self.prim_path = prim_path
        self.resolution = resolution

    def get_rgba(self) -> np.ndarray:
        """A picture: height, width, and four channels of bytes."""
        width, height = self.resolution
        return np.zeros((height, width, 4), dtype=np.uint8)
