"""The programs that build and run images: found, probed, and called in one way."""
