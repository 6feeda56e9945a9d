"""Ways of starting Python, and where each looks for packages."""
