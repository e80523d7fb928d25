"""A certificate that this machine signs for itself, for ``--https`` without one from elsewhere.

Browsers warn of it once; after that the page counts as secure, which a microphone needs. It is kept in the data
directory and used again until it is about to expire or the machine has got another name or address.
"""

import ipaddress
import os
import socket
import ssl
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["CertificateError", "check", "own_names", "self_signed"]

LIFE = timedelta(days=365)
"""Browsers refuse more than 398 days."""
RENEW_BEFORE = timedelta(days=14)


class CertificateError(Exception):
    """A certificate that cannot be used. The message is for the user."""


def self_signed(directory: Path, names: frozenset[str], now: datetime) -> tuple[Path, Path]:
    """Certificate and private key (PEM files in ``directory``) for ``names``, host names and addresses."""
    certificate, key = directory / "https-certificate.pem", directory / "https-key.pem"
    if not _still_good(certificate, key, names, now):
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(certificate, key, names, now)
        except OSError as error:
            raise CertificateError(f"{directory} cannot keep a certificate: {error.strerror}.") from None
    check(certificate, key)
    return certificate, key


def own_names() -> frozenset[str]:
    """What this machine is called, and its addresses as far as its host name tells them."""
    host = socket.gethostname()
    found = {"localhost", "127.0.0.1", "::1", host}
    with suppress(OSError):
        found |= {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(host, None)}
    return frozenset(found)


def check(certificate: Path, key: Path) -> None:
    """Whether the two can serve https. Raises :class:`CertificateError`."""

    def no_password() -> NoReturn:
        raise CertificateError(f"{key} is protected by a password; Vivavoce needs one that is not.")

    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, no_password)
    except (ssl.SSLError, OSError) as error:
        reason = error.reason if isinstance(error, ssl.SSLError) and error.reason else error.strerror
        raise CertificateError(f"{certificate} and {key} cannot serve https: {reason or error}.") from None


def _still_good(path: Path, key: Path, names: frozenset[str], now: datetime) -> bool:
    try:
        check(path, key)
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (CertificateError, x509.ExtensionNotFound):
        return False
    covered = {str(each.value) for each in alternatives}
    return names <= covered and certificate.not_valid_after_utc - now > RENEW_BEFORE


def _make(certificate_path: Path, key_path: Path, names: frozenset[str], now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vivavoce on this machine")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # for a clock that runs behind
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in sorted(names)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key_path, private)
    _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, content: bytes) -> None:
    """For this user's eyes only, from the first byte on."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
