"""envbuild: from declarative profiles to pinned locks to Dockerfiles for NVIDIA robotics."""

__version__ = "0.1.0"
