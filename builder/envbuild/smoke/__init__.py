"""Probes that run inside a built image, and the judgement of what they say."""
