"""A server of the image: started as the image starts it, and asked on its port."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import subprocess
import time
from typing import Any

from .results import PASS
from .steps import Answer, State, StepFailedError

_HOST = "127.0.0.1"
_PATIENCE = 15.0
"""Seconds for an answer of a server that listens."""


def port(step: dict[str, Any], _: State) -> Answer:
    """Start the server, wait for its port, ask it; then end it."""
    number: int = step["port"]
    if _listens(number):
        raise StepFailedError(f"something listens on port {number} before the server is started")
    until = time.monotonic() + float(step["deadline"])
    server = subprocess.Popen(step["argv"], stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        while not _listens(number):
            if server.poll() is not None:
                said = f"it ended with {server.returncode}"
                raise StepFailedError(f"the server does not listen on port {number}: {said}")
            if time.monotonic() >= until:
                raise StepFailedError(f"the server does not listen on port {number} in time")
            time.sleep(0.05)
        return PASS, f"port {number}: {_asked(step['transport'], number)}"
    finally:
        _end(server)


def _listens(number: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((_HOST, number), timeout=1.0):
        return True
    return False


def _asked(transport: str, number: int) -> str:
    """What the server answers, in words; for a transport that cannot be spoken, that it listens."""
    if transport == "http":
        return _http(number)
    if transport != "zmq":
        return "it listens"
    try:
        zmq = importlib.import_module("zmq")
        msgpack = importlib.import_module("msgpack")
    except ModuleNotFoundError as error:
        return f"it listens (not asked: {error})"
    return _ping(zmq, msgpack, number)


def _http(number: int) -> str:
    with socket.create_connection((_HOST, number), timeout=_PATIENCE) as connection:
        connection.sendall(b"HEAD / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        line = connection.recv(200).split(b"\r\n")[0].decode("latin-1")
    if not line.startswith("HTTP/"):
        raise StepFailedError(f"what listens on port {number} speaks no HTTP: {line[:80]!r}")
    return line


def _ping(zmq: Any, msgpack: Any, number: int) -> str:
    """GR00T's ``ping`` (gr00t/policy/server_client.py): any answer that msgpack reads will do."""
    context = zmq.Context()
    client = context.socket(zmq.REQ)
    try:
        client.setsockopt(zmq.LINGER, 0)
        client.setsockopt(zmq.RCVTIMEO, int(_PATIENCE * 1000))
        client.connect(f"tcp://{_HOST}:{number}")
        client.send(msgpack.packb({"endpoint": "ping"}))
        try:
            answer = client.recv()
        except zmq.Again:
            raise StepFailedError(
                f"the server listens on port {number} and does not answer a ping in "
                f"{_PATIENCE:.0f} s"
            ) from None
        return f"ping, {msgpack.unpackb(answer)!r}"[:200]
    finally:
        client.close()
        context.term()


def _end(server: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(5.0)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)  # what the server has left in its group
