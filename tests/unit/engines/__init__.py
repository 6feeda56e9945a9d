"""Engines: command lines, refusals and answers, without any engine."""
