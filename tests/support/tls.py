"""Certificates for tests, made by openssl."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Certificate(NamedTuple):
    """Paths of a certificate and its key."""

    certificate: str
    key: str


class CertificateAuthority:
    """Signs certificates; everything lies in one directory."""

    def __init__(self, directory: Path) -> None:
        """Makes the authority's own certificate."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.certificate = str(directory / "ca.pem")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", f"{directory}/ca-key.pem", "-out", self.certificate, "-days", "2",
                 "-subj", "/CN=test authority")  # fmt: skip

    def issue(self, purpose: str, name: str) -> Certificate:
        """A certificate for a `server` at an address or for a `client`."""
        base = self.directory / f"{purpose}-{name}"
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", f"{base}.key", "-out", f"{base}.csr", "-subj",
                 f"/CN={name}")  # fmt: skip
        kind = "IP" if name.replace(".", "").isdecimal() else "DNS"
        Path(f"{base}.ext").write_text(
            f"subjectAltName={kind}:{name}\nextendedKeyUsage={purpose}Auth\n"
        )
        _openssl("x509", "-req", "-in", f"{base}.csr", "-CA", self.certificate, "-CAkey",
                 f"{self.directory}/ca-key.pem", "-CAcreateserial", "-days", "2", "-extfile",
                 f"{base}.ext", "-out", f"{base}.pem")  # fmt: skip
        return Certificate(f"{base}.pem", f"{base}.key")


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)
