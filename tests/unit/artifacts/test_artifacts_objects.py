import datetime
import hashlib
import json
import urllib.parse

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from extractor_artifacts.sources import (
    AuthenticationFailed,
    Credentials,
    SourceError,
    SourceRefused,
    azure,
    objects,
)

S3 = {"aws_access_key_id": b"TENANT", "AWS_SECRET_ACCESS_KEY": b"s3cret\n"}
AZURE = {"azure_storage_account_name": b"acct", "azure_storage_account_key": b"a2V5"}
ODD_KEY = "a/b#1 +%20ü.zip"
MACHINE = {
    "AWS_ACCESS_KEY_ID": "MACHINE",
    "AWS_ALLOW_HTTP": "true",
    "AWS_ENDPOINT_URL": "http://machine:1",
    "AWS_ENDPOINT_URL_S3": "http://machine:2",
    "AWS_REGION": "machine-1",
    "AWS_REQUEST_PAYER": "true",
    "AWS_ROLE_ARN": "arn:aws:iam::1:role/machine",
    "AWS_S3_EXPRESS": "true",
    "AWS_SECRET_ACCESS_KEY": "machine",
    "AWS_SESSION_TOKEN": "machine",
    "AWS_SKIP_SIGNATURE": "true",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/machine",
    "AZURE_CLIENT_ID": "machine",
    "AZURE_SKIP_SIGNATURE": "true",
    "AZURE_STORAGE_ACCOUNT_KEY": "bWFjaGluZQ==",
    "AZURE_STORAGE_ACCOUNT_NAME": "machine",
    "AZURE_STORAGE_ENDPOINT": "http://machine:3",
    "AZURE_STORAGE_SAS_KEY": "sig=machine",
    "AZURE_STORAGE_TOKEN": "machine",
    "AZURE_STORAGE_USE_EMULATOR": "true",
    "AZURE_USE_FABRIC_ENDPOINT": "true",
    "GOOGLE_APPLICATION_CREDENTIALS": "/machine",
    "GOOGLE_BASE_URL": "http://machine:4",
    "GOOGLE_BEARER_TOKEN": "machine",
    "GOOGLE_SKIP_SIGNATURE": "true",
}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the process an identity of its own, which must not be used."""
    for name, value in MACHINE.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def service_account() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {"private_key": key.decode(), "private_key_id": "1", "client_email": "tenant@example.com"}
    ).encode()


def sign(location: str, secret: dict[str, bytes]) -> tuple[str, dict[str, str]]:
    """Give the URL that reads an object, and apart from it the parameters of its query."""
    url, _, query = objects.readable_url(location, Credentials(secret), seconds=60).partition("?")
    return url, dict(urllib.parse.parse_qsl(query))


def test_s3_is_read_with_the_secret_and_nothing_of_the_machine() -> None:
    url, signed = sign(f"s3://bucket/{ODD_KEY}", S3)

    assert url == "https://s3.us-east-1.amazonaws.com/bucket/a/b%231%20%2B%2520%C3%BC.zip"
    assert signed["X-Amz-Credential"].startswith("TENANT/")
    assert signed["X-Amz-Expires"] == "60"
    assert not {"X-Amz-Security-Token", "x-amz-request-payer"} & set(signed)


def test_gs_is_read_with_the_secret_and_nothing_of_the_machine(service_account: bytes) -> None:
    url, signed = sign("gs://bucket/a.zip", {"google_service_account_key": service_account})

    assert url == "https://storage.googleapis.com/bucket/a.zip"
    assert signed["X-Goog-Credential"].startswith("tenant@example.com/")


def test_az_is_read_with_the_secret_and_nothing_of_the_machine() -> None:
    url, signed = sign("az://container/a.zip", AZURE)

    assert url == "https://acct.blob.core.windows.net/container/a.zip"
    assert (signed["sp"], signed["sr"]) == ("r", "b")


def test_az_signature_is_one_that_a_server_accepted() -> None:
    until = datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC)
    query = azure.shared_access("acct", "a2V5", container="container", key=ODD_KEY, until=until)

    # Azurite 3.37 gave the blob for it.
    assert dict(urllib.parse.parse_qsl(query))["sig"] == "z8hRDT4Wfxxkz9xNp7eDFzQ4l1WzAUu4J8fDFidWXtc="


def test_gs_signature_is_of_what_google_compares_it_with(service_account: bytes) -> None:
    location = "gs://bucket/a/b ü.zip"
    signed = objects.readable_url(
        location, Credentials({"google_service_account": service_account}), seconds=60
    )

    parts = urllib.parse.urlsplit(signed)
    query, _, signature = parts.query.rpartition("&X-Goog-Signature=")
    fields = dict(urllib.parse.parse_qsl(query))
    asked = f"GET\n{parts.path}\n{query}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    scope = fields["X-Goog-Credential"].partition("/")[2]
    hashed = hashlib.sha256(asked.encode()).hexdigest()
    want = f"GOOG4-RSA-SHA256\n{fields['X-Goog-Date']}\n{scope}\n{hashed}"
    key = serialization.load_pem_private_key(json.loads(service_account)["private_key"].encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    key.public_key().verify(bytes.fromhex(signature), want.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_shared_access_signature_is_used_as_it_is() -> None:
    secret = {"azure_storage_account_name": b"acct", "azure_storage_sas_token": b"?sv=1&sig=x"}

    assert sign("az://c/a.zip", secret) == (
        "https://acct.blob.core.windows.net/c/a.zip",
        {"sv": "1", "sig": "x"},
    )


@pytest.mark.parametrize(
    ("location", "want"),
    [
        ("s3://bucket/a.zip", "https://s3.us-east-1.amazonaws.com/bucket/a.zip"),
        ("gs://bucket/a.zip", "https://storage.googleapis.com/bucket/a.zip"),
    ],
)
def test_without_a_secret_only_a_public_object_is_read(location: str, want: str) -> None:
    assert sign(location, {}) == (want, {})


@pytest.mark.parametrize(
    ("fields", "want"),
    [
        pytest.param({"aws_region": b"eu-west-1"}, "https://s3.eu-west-1.amazonaws.com", id="a region"),
        pytest.param({"aws_region": b"cn-north-1"}, "https://s3.cn-north-1.amazonaws.com.cn", id="China"),
        pytest.param({"aws_endpoint_url": b"https://minio:9000/"}, "https://minio:9000", id="an endpoint"),
    ],
)
def test_s3_is_where_the_secret_says(fields: dict[str, bytes], want: str) -> None:
    assert sign("s3://bucket/a.zip", S3 | fields)[0] == f"{want}/bucket/a.zip"


def test_session_token_of_the_secret_is_sent() -> None:
    assert sign("s3://b/a.zip", S3 | {"aws_session_token": b"t"})[1]["X-Amz-Security-Token"] == "t"


@pytest.mark.parametrize(
    ("location", "secret", "want", "message"),
    [
        pytest.param("s3://b/k", {"aws_access_key_id": b"K"}, AuthenticationFailed, "lacks", id="half a key"),
        pytest.param("az://c/k", {}, AuthenticationFailed, "lacks azure_storage_account_name", id="account"),
        pytest.param("az://c/k", AZURE | {"azure_storage_account_key": b"s3cret!"}, AuthenticationFailed,
                     "cannot sign a request for az://c/k", id="a key that is none"),
        pytest.param("gs://b/k", {"google_service_account_key": b'{"s3cret"'}, AuthenticationFailed,
                     "cannot sign a request for gs://b/k", id="an account that is none"),
        pytest.param("s3://b/k", S3 | {"aws_region": b"a.evil.net/"}, AuthenticationFailed, "lacks a region",
                     id="a region that is a host"),
        pytest.param("s3://b", {}, SourceRefused, "names no object", id="no key"),
        pytest.param("s3://me:s3cret@b/k", {}, SourceRefused, "s3://b/k names no object", id="a password"),
        pytest.param("s3://b/../k", {}, SourceRefused, "is empty or dots", id="a way out of the bucket"),
        pytest.param("s3://b//k", {}, SourceRefused, "is empty or dots", id="an empty part"),
    ],
)  # fmt: skip
def test_object_that_cannot_be_read_is_a_sentence_without_secrets(
    location: str, secret: dict[str, bytes], want: type[SourceError], message: str
) -> None:
    with pytest.raises(want, match=message) as caught:
        objects.readable_url(location, Credentials(secret), seconds=60)

    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
