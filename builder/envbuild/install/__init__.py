"""From a lock to a conda environment on this machine, for those who want no container."""
