"""From rendered files to an image: what it needs is fetched first, then it is built and checked."""
