"""The service on a port: it starts, listens, and when it is told to stop, finishes what it has accepted."""

import socket
import sys
import time
from types import FrameType

import uvicorn

from toile.errors import ToileError
from toile.service.application import application
from toile.service.desk import Desk

LAST_WORDS = 5
"""Seconds that answers may take to be sent at the very end."""
MOST_CONNECTIONS = 1000
KEEP_ALIVE = 15
"""Seconds that an idle connection is kept."""
LARGEST_PORT = 65535
INTERRUPTED = 130


class Server(uvicorn.Server):
    """Serves until SIGTERM or Ctrl-C, then finishes; a second one ends it at once.

    While it finishes, it still listens: it refuses new work, and jobs can be asked after and fetched.

    Args:
        desk: of the service.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            uvicorn.Config(
                application(desk),
                log_level="warning",
                access_log=False,
                server_header=False,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=LAST_WORDS,
            )
        )
        self.desk = desk
        self._until = float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop taking in work; the second time, stop."""
        if self.desk.draining:
            self.should_exit = self.force_exit = True
            return
        self.desk.draining = True
        self._until = time.monotonic() + self.desk.settings.grace

    async def on_tick(self, counter: int) -> bool:
        """See, ten times a second, whether it is time to go."""
        if self.desk.draining and time.monotonic() > self._until:
            self.desk.give_up()
            self.should_exit = True
        if self.desk.error is not None or (self.desk.draining and self.desk.finished):
            self.should_exit = True
        return await super().on_tick(counter)

    def serve_on(self, listener: socket.socket) -> int:
        """Serve until told to stop.

        Returns:
            The exit code: 0, or 130 when it was interrupted twice.

        Raises:
            ToileError: when the models cannot be loaded.
        """
        self.run(sockets=[listener])
        if self.desk.error is not None:
            raise self.desk.error
        return INTERRUPTED if self.force_exit else 0


def listen(host: str, port: int) -> socket.socket:
    """Take a port.

    Args:
        host: an address of this machine, or a name of it.
        port: 0 takes any that is free.

    Raises:
        ToileError: when it cannot be had.
    """
    if not 0 <= port <= LARGEST_PORT:  # some systems would take it modulo 65536
        raise ToileError(f"port is {port}; it must lie between 0 and {LARGEST_PORT}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if sys.platform != "win32":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        raise ToileError(
            f"{host}:{port} cannot be listened on ({error}); choose another --port or --host"
        ) from error
    listener.set_inheritable(True)
    return listener


def url_of(listener: socket.socket) -> str:
    """The address of a service that listens."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
