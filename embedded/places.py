"""Where the embedded servers keep things, as a function of one folder. Starting them and finding them are different processes
(`manage.py up` starts, `manage.py shell` beside it finds), so every place is computed and none is remembered."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

# A Unix socket's address holds 103 characters on macOS and 107 on Linux, the name of the socket included.
LONGEST_SOCKET = 103
POSTGRES_SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Places:
    """The places below one data folder; `Places(Path("var"))` is the usual one. Where a link leads is what counts: the system knows a server by
    its real folder, whichever name it was started by."""

    folder: Path

    @property
    def postgres_data(self) -> Path:
        return self.folder.resolve() / "postgres"

    @property
    def postgres_log(self) -> Path:
        return self.folder.resolve() / "log" / "postgres.log"

    @property
    def valkey_data(self) -> Path:
        return self.folder.resolve() / "valkey"

    @property
    def valkey_log(self) -> Path:
        return self.folder.resolve() / "log" / "valkey.log"

    @property
    def sockets(self) -> Path:
        """The folder of the sockets: below the data, or in the temporary folder when that path is too long for a socket."""
        here = self.folder.resolve() / "run"
        if len(str(here / "postgres" / POSTGRES_SOCKET)) <= LONGEST_SOCKET:
            return here
        mark = hashlib.sha256(str(here).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"kring-{mark}"

    def make_sockets(self) -> None:
        """Afterwards the folder of the sockets exists, is ours, and nobody else lists it. In the temporary folder somebody else might
        have made it first, to listen in: that is refused."""
        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.sockets.is_symlink() or self.sockets.stat().st_uid != os.geteuid():
            raise PermissionError(f"{self.sockets} belongs to somebody else.")
        self.sockets.chmod(self.sockets.stat().st_mode & 0o711)

    @property
    def postgres_sockets(self) -> Path:
        return self.sockets / "postgres"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def database_url(self, name: str = "kring") -> str:
        return f"postgresql://kring@{quote(str(self.postgres_sockets), safe='')}/{name}"

    def redis_url(self, number: int = 0) -> str:
        return f"unix://{quote(str(self.valkey_socket))}?db={number}"
