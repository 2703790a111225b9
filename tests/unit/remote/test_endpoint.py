"""Where a registry is asked, and how far it is trusted."""

from pathlib import Path

import pytest

from wherry.base.errors import InvalidParameter
from wherry.remote.endpoint import PULL, PUSH, RegistrySettings, is_insecure
from wherry.remote.hosts import endpoints


@pytest.mark.parametrize(
    ("domain", "listed", "insecure"),
    [
        ("localhost:5000", (), True),
        ("127.0.0.1:5000", (), True),
        ("127.8.8.8", (), True),
        ("[::1]:5000", (), True),
        ("registry.example", (), False),
        ("registry.example:5000", ("registry.example:5000",), True),
        ("registry.example:5000", ("registry.example",), True),
        ("10.1.2.3:5000", ("10.0.0.0/8",), True),
        ("11.1.2.3:5000", ("10.0.0.0/8",), False),
        ("localhost.example", (), False),
    ],
)
def test_only_loopback_and_what_is_listed_goes_without_verified_tls(
    domain: str, listed: tuple[str, ...], insecure: bool
) -> None:
    assert is_insecure(domain, listed) is insecure
    bases = [item.base for item in endpoints(domain, RegistrySettings(insecure=listed), PULL)]
    wanted = [f"https://{domain}", f"http://{domain}"] if insecure else [f"https://{domain}"]
    assert bases == wanted


def test_mirrors_serve_pulls_and_get_no_credentials() -> None:
    settings = RegistrySettings(mirrors=("https://mirror.example/",))
    mirror, own = endpoints("docker.io", settings, PULL)
    assert (mirror.base, mirror.mirror) == ("https://mirror.example", True)
    assert (own.base, own.mirror) == ("https://registry-1.docker.io", False)
    assert [item.base for item in endpoints("docker.io", settings, PUSH)] == [own.base]


def test_a_directory_tells_more_of_any_registry(tmp_path: Path) -> None:
    directory = tmp_path / "registry.example"
    directory.mkdir()
    (directory / "hosts.toml").write_text(
        'server = "https://own.example"\n[host."http://mirror.example"]\n'
        'capabilities = ["pull"]\n[host."http://mirror.example".header]\nx = "y"\n'
    )
    settings = RegistrySettings(directories=(str(tmp_path),))
    mirror, own = endpoints("registry.example", settings, PULL)
    assert mirror.headers == (("x", "y"),)
    assert mirror.namespace == "registry.example"
    assert own.base == "https://own.example"
    assert [item.base for item in endpoints("registry.example", settings, PUSH)] == [own.base]


@pytest.mark.parametrize(
    ("text", "seconds"), [("5s", 5), ("1m30s", 90), ("250ms", 0.25), ("soon", None), ("5", None)]
)
def test_a_directory_says_how_long_a_connection_may_take(
    tmp_path: Path, text: str, seconds: float | None
) -> None:
    (tmp_path / "registry.example").mkdir()
    path = tmp_path / "registry.example/hosts.toml"
    path.write_text(f'[host."https://mirror.example"]\ndial_timeout = "{text}"\n')
    settings = RegistrySettings(directories=(str(tmp_path),))
    if seconds is None:
        with pytest.raises(InvalidParameter, match="is no duration"):
            endpoints("registry.example", settings, PULL)
    else:
        assert endpoints("registry.example", settings, PULL)[0].dial_seconds == seconds
