"""Starting the API on granian. Belongs here: the server's settings. Does not belong here: routes."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.errors import AddressInUseError

if TYPE_CHECKING:
    from serving.collector import Collecting


def serve(published: Path, host: str, port: int, collecting: Collecting | None = None) -> None:
    """Serve publications, and collect logs if told where to, until interrupted.

    Raises AddressInUseError if the port is taken.
    """
    from granian import Granian
    from granian.constants import Interfaces

    _require_free(host, port)
    server = Granian("serving.api:create", address=host, port=port, interface=Interfaces.ASGI, workers=1)
    # The loader carries the folders to the worker: nothing here reads the environment.
    server.serve(target_loader=partial(_application, published, collecting), wrap_loader=False)


def _application(published: Path, collecting: Collecting | None, *_: object) -> Any:
    from serving.api import create

    return create(published, collecting)


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise AddressInUseError(f"{host}:{port} cannot be listened on ({error.strerror}); give --port") from error
