"""Writes a frame of floats, as a camera does."""

import frame_writer
import numpy as np

WRITTEN = frame_writer.write(np.zeros((4, 4), dtype=np.float32))
