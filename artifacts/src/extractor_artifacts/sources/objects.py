"""Objects in buckets, as URLs that our own client reads.

The object store's library only signs: it opens no connection, so that addresses, redirects, sizes and
deadlines are ours to check as for any other URL. It also reads the process's environment, hence every setting
that matters is given here, and what it writes is checked.
"""

import datetime
import re
import urllib.parse
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import GCSStore, S3Store

from extractor_artifacts import urls
from extractor_artifacts.errors import AuthenticationFailed, SourceRefused
from extractor_artifacts.sources import azure
from extractor_artifacts.sources.credentials import Credentials

if TYPE_CHECKING:
    from obstore.store import S3Credential

_PLACE = re.compile(r"(?P<scheme>s3|gs|az)://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{0,254})/(?P<key>.+)")
_HOST_PART = re.compile(r"[a-z0-9-]{1,63}")
_GOOGLE = "https://storage.googleapis.com"


def readable_url(location: str, credentials: Credentials, *, seconds: float) -> str:
    """Give a URL that reads an object for so many seconds; without a Secret, only if it is public.

    What it returns is a secret. Raises SourceRefused if the location names no object, AuthenticationFailed if
    the Secret does not do.
    """
    place = _PLACE.fullmatch(location)
    if place is None:
        raise SourceRefused(f"{urls.redact(location)} names no object: write s3://bucket/key")
    bucket, key = place["bucket"], place["key"]
    if not {"", ".", ".."}.isdisjoint(key.split("/")):
        raise SourceRefused(f"{urls.redact(location)} has a part that is empty or dots: rename the object")
    lifetime = datetime.timedelta(seconds=seconds)
    try:
        match place["scheme"]:
            case "s3":
                return _s3(bucket, key, credentials, lifetime)
            case "gs":
                return _google(bucket, key, credentials, lifetime)
            case _:
                return _azure(bucket, key, credentials, lifetime)
    except (BaseError, ValueError):
        # The library's message may repeat what is in the Secret.
        raise AuthenticationFailed(
            f"cannot sign a request for {urls.redact(location)}: check the key, and the Secret's fields"
        ) from None


def _s3(bucket: str, key: str, credentials: Credentials, lifetime: datetime.timedelta) -> str:
    region = credentials.value("aws_region", "aws_default_region") or "us-east-1"
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    endpoint = _endpoint(
        credentials.value("aws_endpoint_url_s3", "aws_endpoint_url", "aws_endpoint"), "s3", region, domain
    )
    key_id, secret = credentials.value("aws_access_key_id"), credentials.value("aws_secret_access_key")
    plain = _plain(endpoint, bucket, key)
    if key_id is None and secret is None:
        return plain
    if key_id is None or secret is None:
        raise _incomplete("aws_access_key_id and aws_secret_access_key")
    keys: S3Credential = {
        "access_key_id": key_id,
        "secret_access_key": secret,
        "token": credentials.value("aws_session_token"),
        "expires_at": None,
    }
    store = S3Store(
        bucket,
        # Instead of keys, because only this keeps the environment's session token out.
        credential_provider=lambda: keys,
        endpoint=endpoint,
        aws_endpoint_url_s3=endpoint,
        region=region,
        request_payer=False,
        s3_express=False,
        skip_signature=False,
        virtual_hosted_style_request=False,
    )
    return _at(plain, obstore.sign(store, "GET", key, lifetime))


def _google(bucket: str, key: str, credentials: Credentials, lifetime: datetime.timedelta) -> str:
    plain = _plain(_GOOGLE, bucket, key)
    account = credentials.value("google_service_account_key", "google_service_account")
    if account is None:
        return plain
    store = GCSStore(bucket, service_account_key=account, base_url=_GOOGLE, skip_signature=False)
    return _at(plain, obstore.sign(store, "GET", key, lifetime))


def _azure(container: str, key: str, credentials: Credentials, lifetime: datetime.timedelta) -> str:
    account = credentials.value("azure_storage_account_name", "account_name")
    if account is None:
        raise _incomplete("azure_storage_account_name")
    endpoint = _endpoint(
        credentials.value("azure_storage_endpoint", "azure_endpoint"), account, "blob", "core.windows.net"
    )
    plain = _plain(endpoint, container, key)
    if sas := credentials.value("azure_storage_sas_key", "azure_storage_sas_token"):
        return f"{plain}?{sas.removeprefix('?')}"
    access_key = credentials.value("azure_storage_account_key", "azure_storage_access_key")
    if access_key is None:
        return plain
    until = datetime.datetime.now(datetime.UTC) + lifetime
    return f"{plain}?{azure.shared_access(account, access_key, container=container, key=key, until=until)}"


def _endpoint(given: str | None, *default: str) -> str:
    if given is not None:
        return given.rstrip("/")
    if not all(_HOST_PART.fullmatch(part) for part in default[:2]):
        raise _incomplete("a region or account name that is one")
    return f"https://{'.'.join(default)}"


def _plain(endpoint: str, bucket: str, key: str) -> str:
    return f"{endpoint}/{bucket}/{urllib.parse.quote(key)}"


def _at(plain: str, signed: str) -> str:
    """Let a signed URL pass if it is for the object at the endpoint that was asked for."""
    if urllib.parse.unquote(signed.partition("?")[0]) != urllib.parse.unquote(plain):
        raise ValueError
    return signed


def _incomplete(fields: str) -> AuthenticationFailed:
    return AuthenticationFailed(f"the Secret of the source lacks {fields}: add it")
