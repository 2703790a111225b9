"""What `docker login` leaves behind."""

import base64
import json

from tests.support.engine import Engine
from tests.support.registry import PASSWORD, USER


def log_in_by_file(
    engine: Engine, address: str, password: str = PASSWORD, user: str = USER
) -> None:
    """Writes the configuration file of the docker command line of an engine."""
    directory = engine.root / "docker-config"
    directory.mkdir(exist_ok=True)
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    (directory / "config.json").write_text(json.dumps({"auths": {address: {"auth": pair}}}))
