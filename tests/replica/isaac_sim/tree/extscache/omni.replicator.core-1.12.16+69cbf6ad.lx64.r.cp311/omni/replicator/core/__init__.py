"""A stand-in for omni.replicator.core."""

import numpy as np
import numpy.random
import omni.syntheticdata

__replica__ = True


def sampled(count: int, seed: int = 0) -> np.ndarray:
    """Random numbers, as a randomiser takes them."""
    return np.random.default_rng(seed).random(count)


__all__ = ["omni", "sampled"]
