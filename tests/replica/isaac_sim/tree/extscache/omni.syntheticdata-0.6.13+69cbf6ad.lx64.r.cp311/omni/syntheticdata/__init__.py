"""A stand-in for omni.syntheticdata."""

import numpy as np
import numpy.ma
from numpy.lib import recfunctions
from omni.syntheticdata.scripts.SyntheticData import SyntheticData

__replica__ = True


def labels(names: list[str]) -> np.ndarray:
    """A table of labels."""
    rows = np.array(list(enumerate(names)), dtype=[("id", "u4"), ("name", "U32")])
    return recfunctions.append_fields(rows, "seen", np.ones(len(names)), usemask=False)


__all__ = ["SyntheticData", "labels"]
