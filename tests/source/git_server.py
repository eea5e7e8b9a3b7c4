"""A git server for tests: what it is, how to run git for it, and a line to it that can be cut."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    """A git server on loopback with one repository."""

    port: int
    repository: Path

    @property
    def url(self) -> str:
        return f"git://127.0.0.1:{self.port}/{self.repository.name}"


def git(*arguments: str, cwd: Path) -> str:
    settings = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *settings, *arguments], cwd=cwd, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("git daemon does not listen")


@contextmanager
def between(port: int, limit: int, *, stall: bool) -> Iterator[int]:
    """A port that passes connections on to `port`, and after `limit` bytes of answers breaks them, or falls silent."""
    listener = socket.create_server(("127.0.0.1", 0))
    left = [limit]
    open_sockets: list[socket.socket] = []

    def pass_on(source: socket.socket, target: socket.socket, counted: bool) -> None:
        try:
            while data := source.recv(4096):
                if counted:
                    left[0] -= len(data)
                    if left[0] < 0:
                        if stall:
                            return
                        break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", port))
            open_sockets.extend((client, there))
            for source, target, counted in ((client, there, False), (there, client, True)):
                threading.Thread(target=pass_on, args=(source, target, counted), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        for one in open_sockets:
            one.close()
