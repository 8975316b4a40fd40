"""A PostgreSQL server for the tests: Debian's package, a cluster of its own that is thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD = "searcher", "geheim{7}%"
_QUOTED = "geheim%7B7%7D%25"


@dataclass(frozen=True)
class Server:
    """A server on 127.0.0.1, whose files lie in `folder`."""

    binaries: Path
    folder: Path
    port: int

    def url(self, database: str) -> str:
        """Return the URL of a database, with the password."""
        return f"postgresql://{USER}:{_QUOTED}@127.0.0.1:{self.port}/{database}"

    def make_database(self, name: str) -> str:
        """Make an empty database; return its URL."""
        self._call("createdb", *self._where, name)
        return self.url(name)

    def ask(self, database: str, query: str) -> list[str]:
        """Return the lines that a query gives."""
        flags = ("--tuples-only", "--no-align", "--dbname", database, "--command", query)
        return self._call("psql", *self._where, *flags).splitlines()

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -F"
        log = self.folder / "log"
        self._call("pg_ctl", "start", "-w", "-D", self._data, "-l", str(log), "-o", options)

    def stop(self) -> None:
        """Stop the server, whoever is connected."""
        self._call("pg_ctl", "stop", "-w", "-m", "fast", "-D", self._data)

    def make_cluster(self) -> None:
        """Make the files; who comes by TCP needs the password."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._call(
            *("initdb", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "-D", self._data),
            *("--username", USER, "--pwfile", str(secret)),
            *("--auth-local=trust", "--auth-host=scram-sha-256"),
        )

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    @property
    def _where(self) -> tuple[str, ...]:
        return "--host", str(self.folder), "--port", str(self.port), "--username", USER

    def _call(self, program: str, *arguments: str) -> str:
        # The server refuses to run as root; the package brings a user for it.
        become = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*become, str(self.binaries / program), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def find_binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL that the machine has."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    program = shutil.which("initdb")
    return None if program is None else Path(program).resolve().parent


@contextmanager
def running_server(binaries: Path) -> Iterator[Server]:
    """Run a server in a new folder, which its user can enter; both are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="dltrain-postgresql-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = Server(binaries, folder, port)
        server.make_cluster()
        server.start()
        try:
            yield server
        finally:
            server.stop()
