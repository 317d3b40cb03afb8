"""Memory that processes of one machine share by a name, and that is gone with the last of them."""

from __future__ import annotations

import _thread
import contextlib
import errno
import hashlib
import logging
import os
import socket
import struct
import time
import weakref
from typing import NoReturn

from dali_voc.errors import LoaderError

__all__ = ["SharedMemory"]

_log = logging.getLogger("dali_voc")
_PATIENCE = 5.0  # seconds to wait for another process to answer
_PAUSE = 0.05  # seconds, after a failure to answer
_PLACES = 64  # holders of the same memory that answer; further ones only ask
_servers: weakref.WeakSet[socket.socket] = weakref.WeakSet()
_PEER = struct.Struct("3i")  # SO_PEERCRED: process, user, group


class SharedMemory:
    """Memory, all zeros at first, of everybody who asks for the same name and size.

    The first to ask makes it, as a file without a name (`memfd`). All who have it hand its
    descriptor to whoever asks later, each through a socket whose address no file stands for. So
    nothing is left behind however the processes end, and the size of /dev/shm does not matter.
    Pages take memory once they are written to.

    Args:
        name: any text; None: nobody else gets it.
        size: bytes.

    Raises:
        LoaderError: the system gives no memory of this size.
    """

    def __init__(self, name: str | None, *, size: int) -> None:
        if name is None or not _has_sockets():
            self.handle = _make(size)
            self._finish = weakref.finalize(self, _close, None, self.handle, os.getpid())
            return
        secret = hashlib.sha256(f"{os.getuid()} {size} {name}".encode()).hexdigest()[:32]
        addresses = [f"\0dali_voc-{secret}-{place}" for place in range(_PLACES)]
        deadline = time.monotonic() + _PATIENCE
        self.handle = -1
        server = None
        while self.handle < 0:
            self.handle = _ask(addresses, deadline=deadline)
            if self.handle >= 0:
                server = next(filter(None, map(_listen, addresses)), None)
            else:  # whoever has the first address makes it: of several at once, one
                server = _listen(addresses[0])
                if not server and time.monotonic() <= deadline:
                    time.sleep(0.05)  # somebody is there and does not answer yet
                    continue
                if not server:
                    _log.warning("the cache is not shared: its holder does not answer")
                self.handle = _make(size)
        if server and not _starts(server, self.handle):
            server.close()
            server = None  # others get memory of their own
        self._finish = weakref.finalize(self, _close, server, self.handle, os.getpid())

    def __reduce__(self) -> NoReturn:
        raise TypeError("shared memory cannot be copied: whoever wants it asks for it by name")

    def close(self) -> None:
        """Give it back; others keep it."""
        self.handle = -1
        self._finish()


def _make(size: int) -> int:
    try:
        handle = os.memfd_create("dali_voc cache")
    except OSError as e:  # a sandbox may forbid it
        raise LoaderError(
            f"the cache cannot have memory of its own ({e.strerror}, memfd_create): set cache.keep "
            "to none, or allow that call"
        ) from None
    try:
        os.ftruncate(handle, size)
    except (OSError, OverflowError) as e:
        os.close(handle)
        raise LoaderError(f"the cache cannot have {size / 2**30:.1f} GiB: {e}") from None
    return handle


def _has_sockets() -> bool:
    try:
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).close()
    except OSError as e:  # a sandbox may forbid them
        _log.warning("the cache is not shared: %s", e)
        return False
    return True


def _listen(address: str) -> socket.socket | None:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        server.bind(address)
    except OSError:  # another process has it
        server.close()
        return None
    server.listen(64)
    return server


def _is_ours(connection: socket.socket) -> bool:
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return bool(_PEER.unpack(peer)[1] == os.getuid())


def _ask(addresses: list[str], *, deadline: float) -> int:
    """Return a descriptor from a process that has the memory; -1 if none answers in time."""
    for address in addresses:
        handle = _ask_one(address)
        if handle >= 0:
            return handle
        if time.monotonic() > deadline:  # several are there and do not answer
            break
    return -1


def _ask_one(address: str) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(address)
            if not _is_ours(connection):
                return -1
            _, handles, _, _ = socket.recv_fds(connection, 1, 1)
        except OSError:
            return -1
    for handle in handles:
        os.set_inheritable(handle, False)  # as Python makes its own
    return handles[0] if handles else -1


def _serve(server: socket.socket, handle: int) -> None:
    """Hand the descriptor to whoever asks, until the socket is shut down."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError as e:
            if e.errno in (errno.EINVAL, errno.EBADF):
                break
            # no descriptor, or no memory, for whoever asks now
            time.sleep(_PAUSE)
            continue
        with connection, contextlib.suppress(OSError):
            if _is_ours(connection):
                socket.send_fds(connection, [b"x"], [handle])
    server.close()
    os.close(handle)


def _starts(server: socket.socket, handle: int) -> bool:
    """Begin to answer others, unless the system gives no thread for it."""
    try:
        _thread.start_new_thread(_serve, (server, handle))  # one call, whatever interrupts it
    except RuntimeError as e:
        _log.warning("the cache is not shared: %s", e)
        return False
    _servers.add(server)
    return True


def _close(server: socket.socket | None, handle: int, process: int) -> None:
    if server is None or os.getpid() != process:  # a forked child has no thread to do it
        os.close(handle)
        return
    # wakes the thread, which closes both
    with contextlib.suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)


def _leave_to_parent() -> None:
    """Let go of what answers others: a forked child has no thread for it, and may not end it."""
    for server in list(_servers):
        server.close()


os.register_at_fork(after_in_child=_leave_to_parent)
