"""A stand-in for Unitree's simulation: it starts the app, then says how it was called."""

import sys

from isaacsim import SimulationApp

app = SimulationApp({"headless": True})
print("sim_main", *sys.argv[1:], flush=True)
app.close()
