"""Tests over a replica of Isaac Sim's layout: what envbuild says of images that work and that do not."""
