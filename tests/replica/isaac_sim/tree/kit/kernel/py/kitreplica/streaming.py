"""What the image's entrypoint starts: an app that streams, whatever its arguments were."""

import sys
import time

from kitreplica import log

if __name__ == "__main__":
    log.begin()
    log.write("Info", "omni.kit.app", f"arguments: {sys.argv[1:]}")
    log.console("Isaac Sim Full Streaming App is loaded.")
    while True:
        time.sleep(1)
