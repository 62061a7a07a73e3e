"""
A platform's own certificate authority: it signs the certificates of its slots, and nobody else's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fournines.model.validity import Validity
from fournines.model.value import Value

AUTHORITY_DAYS = 3_650
CERTIFICATE_DAYS = 90
"""As public authorities do: long enough to miss many renewals, short enough that renewing is no rare event."""

_EARLIER = timedelta(minutes=5)
"""Clocks of instances may be behind."""


class Pair(Value):
    """
    A certificate and its private key, as PEM texts.
    """

    certificate: str
    private_key: str


def found_authority(platform: str, now: datetime) -> Pair:
    """
    A new authority.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named(f"Fournines authority of {platform}")
    certificate = (
        _begun(name, name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return _pair(certificate, key)


def issue(authority: Pair, name: str, also: Iterable[str], now: datetime) -> Pair:
    """
    A certificate for a slot, for servers and clients alike.

    Args:
        authority: Who signs.
        name: The slot's name.
        also: Further names and addresses it is reached by.
        now: From when on it holds.
    """
    signer = x509.load_pem_x509_certificate(authority.certificate.encode())
    signing = serialization.load_pem_private_key(
        authority.private_key.encode(), password=None
    )
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _begun(_named(name), signer.subject, key, now, CERTIFICATE_DAYS)
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    general
                    for one in dict.fromkeys((name, *also))
                    for general in _generals(one)
                ]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()),
            critical=False,
        )
        .sign(signing, hashes.SHA256())
    )
    return _pair(certificate, key)


def validity(certificate: str) -> Validity:
    """
    From when to when a certificate holds.
    """
    read = x509.load_pem_x509_certificate(certificate.encode())
    return Validity(
        begins_at=read.not_valid_before_utc, ends_at=read.not_valid_after_utc
    )


def names_of(certificate: str) -> frozenset[str]:
    """
    The names and addresses a certificate is good for.
    """
    read = x509.load_pem_x509_certificate(certificate.encode())
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return frozenset(str(one.value) for one in names)


def _named(name: str) -> x509.Name:
    # RFC 5280 allows 64 characters in a common name; what counts stands in the alternative names.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _generals(text: str) -> tuple[x509.GeneralName, ...]:
    """
    A name as certificates hold it. An address stands there as a name too: Erlang's nodes compare the address they called with names alone.
    """
    try:
        return (x509.IPAddress(ipaddress.ip_address(text)), x509.DNSName(text))
    except ValueError:
        return (x509.DNSName(text),)


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(
        certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        private_key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )
