"""A stand-in for isaacsim.simulation_app."""

from isaacsim.simulation_app.simulation_app import SimulationApp

__all__ = ["SimulationApp"]
