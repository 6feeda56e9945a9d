"""What runs inside an image: the standard library alone, Python 3.9 and later.

These files are mounted into a container and started there by the interpreter of the image
(``supervise.py``). Nothing here may import envbuild, and nothing may be newer than Python 3.9.
"""
