"""The certificate that a machine signs for itself."""

import asyncio
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vivavoce.cli.certificate import LIFE, CertificateError, check, own_names, self_signed

NOW = datetime.now(UTC)
NAMES = frozenset({"localhost", "127.0.0.1", "::1", "voice.local"})


async def connects(certificate: Path, key: Path, name: str) -> bool:
    """Whether a client that trusts this certificate finds ``name`` in it."""
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))

    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0, ssl=serving) as server:
        port = server.sockets[0].getsockname()[1]
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname=name)
        except ssl.SSLCertVerificationError:
            return False
        writer.close()
        return True


@pytest.mark.parametrize(("name", "covered"), [*((name, True) for name in sorted(NAMES)), ("evil.example", False)])
async def test_it_is_for_this_machine_alone(tmp_path: Path, name: str, covered: bool):
    certificate, key = self_signed(tmp_path, NAMES, NOW)
    assert await connects(certificate, key, name) is covered


def test_only_this_user_can_read_it(tmp_path: Path):
    _, key = self_signed(tmp_path / "data", NAMES, NOW)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("later", "names", "reused"),
    [
        (timedelta(days=1), NAMES, True),
        (timedelta(days=1), NAMES - {"voice.local"}, True),
        (timedelta(days=1), NAMES | {"192.168.1.7"}, False),
        (LIFE - timedelta(days=3), NAMES, False),
    ],
    ids=["same", "fewer names", "new address", "expiring"],
)
def test_it_is_used_again_while_it_is_good(tmp_path: Path, later: timedelta, names: frozenset[str], reused: bool):
    certificate, _ = self_signed(tmp_path, NAMES, NOW)
    first = certificate.read_bytes()
    self_signed(tmp_path, names, NOW + later)
    assert (certificate.read_bytes() == first) is reused


@pytest.mark.parametrize("broken", ["https-certificate.pem", "https-key.pem"])
def test_a_broken_one_is_replaced(tmp_path: Path, broken: str):
    certificate, key = self_signed(tmp_path, NAMES, NOW)
    (tmp_path / broken).write_text("broken")
    self_signed(tmp_path, NAMES, NOW)
    check(certificate, key)


def test_halves_of_two_are_replaced(tmp_path: Path):
    """As a crash between writing the two would leave them."""
    certificate, key = self_signed(tmp_path, NAMES, NOW)
    key.write_bytes(self_signed(tmp_path / "other", NAMES, NOW)[1].read_bytes())
    self_signed(tmp_path, NAMES, NOW)
    check(certificate, key)


def test_this_machine_is_called_localhost():
    assert {"localhost", "127.0.0.1", "::1"} <= own_names()


def test_a_directory_that_cannot_be(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CertificateError, match="cannot keep a certificate"):
        self_signed(tmp_path / "file", NAMES, NOW)


def test_files_that_are_no_certificate(tmp_path: Path):
    (tmp_path / "cert.pem").write_text("x")
    with pytest.raises(CertificateError, match="cannot serve https"):
        check(tmp_path / "cert.pem", tmp_path / "cert.pem")


def test_a_key_with_a_password(tmp_path: Path):
    certificate, _ = self_signed(tmp_path, NAMES, NOW)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(CertificateError, match="protected by a password"):
        check(certificate, locked)
