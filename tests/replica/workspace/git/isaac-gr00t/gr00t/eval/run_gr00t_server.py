"""A server without a model: it answers ping, and an action of zeros."""

import argparse

import numpy as np
import zmq

from gr00t.policy.server_client import pack, unpack


def answer(request: dict[str, object]) -> object:
    """What an endpoint says."""
    if request.get("endpoint") == "ping":
        return {"status": "ok", "message": "Server is running"}
    if request.get("endpoint") == "get_action":
        return {"action": np.zeros((16, 7), dtype=np.float32)}
    return {"error": f"unknown endpoint {request.get('endpoint')}"}


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="*")
    parser.add_argument("--port", type=int, default=5555)
    parser.add_argument("--model-path")
    parser.add_argument("--embodiment-tag")
    options = parser.parse_args()
    with zmq.Context() as context, context.socket(zmq.REP) as server:
        server.bind(f"tcp://{options.host}:{options.port}")
        while True:
            server.send(pack(answer(unpack(server.recv()))))


if __name__ == "__main__":
    main()
