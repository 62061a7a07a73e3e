"""
A certificate authority of this cloud's own, for the one endpoint that instances reach with TLS.

Instances and clients that verify get the authority's certificate, as they would get a company's.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FOLDER = "tls"
AUTHORITY_FILE = "ca.pem"
_DAYS = 3650
"""An embedded cloud is thrown away long before."""


@dataclass(frozen=True, slots=True)
class Files:
    """
    Where the authority's certificate, the server's certificate and its key lie.
    """

    authority: Path
    certificate: Path
    key: Path


def ensure(directory: Path, address: str) -> Files:
    """
    The files, made at the first call.
    """
    files = Files(directory / AUTHORITY_FILE, directory / "server.pem", directory / "server.key")
    if not _complete(files, address):
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        _make(files, address)
    return files


def _complete(files: Files, address: str) -> bool:
    """
    Whether the certificate is there, with every name it should have: one of an older release lacks some.
    """
    if not files.certificate.exists():
        return False
    read = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return address in names.get_values_for_type(x509.DNSName)


def _make(files: Files, address: str) -> None:
    authority_key, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    authority_name = _name("Fournines embedded cloud")
    authority = (
        _dated(authority_name, authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    # The address as a name as well: pgBackRest compares names alone.
    names = [
        x509.IPAddress(ipaddress.ip_address(address)),
        x509.DNSName("localhost"),
        x509.DNSName(address),
    ]
    certificate = (
        _dated(_name(address), authority_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    _write(files.authority, authority.public_bytes(serialization.Encoding.PEM))
    _write(
        files.key,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    # The last one: it says that all are there.
    _write(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _dated(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
