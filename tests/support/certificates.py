"""A certificate for this machine, which nobody but who is given it trusts."""

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def server_and_client(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Give what a server at 127.0.0.1 shows, and what a client needs to believe it."""
    server, authority = server_and_authority(folder)
    return server, ssl.create_default_context(cadata=authority)


def authority() -> str:
    """Give an authority in PEM."""
    with tempfile.TemporaryDirectory() as folder:
        return server_and_authority(Path(folder))[1]


def server_and_authority(folder: Path) -> tuple[ssl.SSLContext, str]:
    """Give the same, and the authority in PEM; ``folder`` gets ``server.pem``, certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "this machine")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    file = folder / "server.pem"
    file.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, pem.decode()
