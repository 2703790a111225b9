"""Names of images, as Docker normalises and refuses them."""

import pytest

from wherry.base.errors import InvalidParameter
from wherry.model.reference import Reference

HEX = "ab" * 32


@pytest.mark.parametrize(
    ("text", "full", "familiar"),
    [
        ("busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("busybox:1", "docker.io/library/busybox:1", "busybox:1"),
        ("a/b", "docker.io/a/b:latest", "a/b:latest"),
        ("docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("docker.io/library/busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("index.docker.io/a/b", "docker.io/a/b:latest", "a/b:latest"),
        ("localhost/a", "localhost/a:latest", "localhost/a:latest"),
        ("localhost:5000/a:1", "localhost:5000/a:1", "localhost:5000/a:1"),
        ("host.example/a/b:1", "host.example/a/b:1", "host.example/a/b:1"),
        ("Host/a", "Host/a:latest", "Host/a:latest"),
        ("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"),
        ("a__b-c.d", "docker.io/library/a__b-c.d:latest", "a__b-c.d:latest"),
        (f"a@sha256:{HEX}", f"docker.io/library/a@sha256:{HEX}", f"a@sha256:{HEX}"),
        (f"a:1@sha256:{HEX}", f"docker.io/library/a:1@sha256:{HEX}", f"a:1@sha256:{HEX}"),
    ],
)
def test_a_name_is_completed(text: str, full: str, familiar: str) -> None:
    reference = Reference.parse(text)
    assert str(reference) == full
    assert reference.familiar() == familiar
    assert Reference.parse(full) == reference


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Busybox",
            "invalid reference format: repository name (library/Busybox) must be lowercase",
        ),
        ("host.example/A", "invalid reference format: repository name (A) must be lowercase"),
        (HEX, f"invalid repository name ({HEX}), cannot specify 64-byte hexadecimal strings"),
        ("a" * 256, "repository name must not be more than 255 characters"),
        ("", "invalid reference format"),
        ("a:", "invalid reference format"),
        ("a:b:c", "invalid reference format"),
        ("a@sha256:12", "invalid reference format"),
        ("a@", "invalid reference format"),
        ("/a", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("a/", "invalid reference format"),
        ("-a", "invalid reference format"),
        ("a..b", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("a:-b", "invalid reference format"),
        ("a:" + "b" * 129, "invalid reference format"),
        ("../a", "invalid reference format"),
    ],
)
def test_a_bad_name_is_refused_in_docker_s_words(text: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as raised:
        Reference.parse(text)
    assert raised.value.message == message
