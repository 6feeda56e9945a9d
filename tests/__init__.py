"""Tests of envbuild."""
