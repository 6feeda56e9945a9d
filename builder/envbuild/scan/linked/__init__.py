"""Libraries and the system that modules are loaded with."""
