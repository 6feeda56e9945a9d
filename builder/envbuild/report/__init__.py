"""A finished judgement as text that other programs read."""
