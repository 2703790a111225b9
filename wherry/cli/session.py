"""One run of the command line: its configuration, its engine, its standard streams."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from wherry.cli.options import Options
    from wherry.client.config_file import ConfigFile
    from wherry.client.contexts import TlsOptions
    from wherry.client.engine import EngineClient
    from wherry.client.transport import Endpoint


class Session:
    """What a command works with; everything is made when it is first asked for."""

    def __init__(self, options: Options | None = None) -> None:
        self._options = options
        self._config: ConfigFile | None = None
        self._client: EngineClient | None = None
        self.environment: Mapping[str, str] = os.environ
        self.path = ""

    @property
    def config(self) -> ConfigFile:
        """The user's configuration file."""
        if self._config is None:
            from wherry.client.config_file import ConfigFile, config_directory

            given = self._options.text("config") if self._options else ""
            self._config = ConfigFile.load(given or config_directory(self.environment))
            if self._config.warning:
                self.warn(self._config.warning)
        return self._config

    @property
    def debug(self) -> bool:
        """Whether `--debug` was given."""
        return bool(self._options and self._options.flag("debug"))

    @property
    def context(self) -> str:
        """The name of the context in use."""
        from wherry.client.contexts import context_name

        return context_name(self.config, self.environment, *self._place())

    @property
    def host(self) -> str:
        """What `--host` says; empty where it was not given."""
        return self._place()[0]

    def _place(self) -> tuple[str, str]:
        if self._options is None:
            return "", ""
        hosts = self._options.items("host")
        return (hosts[-1] if hosts else ""), self._options.text("context")

    def endpoint(self) -> Endpoint:
        """The engine's address."""
        from wherry.client.contexts import resolve_endpoint

        host, context = self._place()
        return resolve_endpoint(self.config, self.environment, host, context, self._tls())

    def default_endpoint(self) -> Endpoint:
        """The engine's address where no context is in use."""
        from wherry.client.contexts import default_endpoint

        return default_endpoint(self.config, self.environment, self._place()[0], self._tls())

    def _tls(self) -> TlsOptions | None:
        from wherry.client.contexts import TlsOptions

        given = self._options
        if given is None:
            return None
        return TlsOptions(
            given.flag("tls"),
            given.flag("tlsverify"),
            given.text("tlscacert"),
            given.text("tlscert"),
            given.text("tlskey"),
        )

    @property
    def client(self) -> EngineClient:
        """The client of the engine in use."""
        if self._client is None:
            from wherry import __version__
            from wherry.client.engine import EngineClient

            self._client = EngineClient(
                self.endpoint(),
                version=self.environment.get("DOCKER_API_VERSION", ""),
                headers=self.config.http_headers,
                user_agent=f"Wherry-Client/{__version__} ({sys.platform})",
            )
        return self._client

    def out(self, text: str) -> None:
        """Writes to standard output."""
        sys.stdout.write(text)

    def line(self, text: str) -> None:
        """Writes a line to standard output at once, for those who read it as it comes."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def warn(self, text: str) -> None:
        """Writes a line to standard error."""
        sys.stdout.flush()
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def write_bytes(self, descriptor: int, data: bytes) -> None:
        """Writes bytes to standard output or standard error as they are."""
        if descriptor == 1:
            sys.stdout.flush()
        write_all(descriptor, data)

    def is_terminal(self, descriptor: int) -> bool:
        """Whether a standard stream is a terminal."""
        try:
            return os.isatty(descriptor)
        except OSError:
            return False

    def for_each(self, targets: Sequence[str], work: Any) -> int:
        """Does `work(target)` for each; failures are told at the end, and the code is then 1."""
        from wherry.client.errors import ClientError

        failures = []
        for target in targets:
            try:
                work(target)
            except ClientError as error:
                failures.append(error.message)
        return self.tell_failures(failures)

    def tell_failures(self, failures: Sequence[str]) -> int:
        """Prints the failures on standard error; the exit code."""
        if not failures:
            return 0
        self.warn("\n".join(failures))
        return 1


def write_all(descriptor: int, data: bytes) -> None:
    """Writes everything, however the descriptor takes it."""
    view = memoryview(data)
    while view:
        try:
            written = os.write(descriptor, view)
        except BlockingIOError:
            _await_writable(descriptor)
            continue
        view = view[written:]


def _await_writable(descriptor: int) -> None:
    import select

    select.select([], [descriptor], [])
