"""Shared access signatures for one blob, as Azure describes a service SAS.

The object store's library signs the escaped path, where Azure wants the key as it is: what it signs for a key
with a space in it is refused.
"""

import base64
import datetime
import hashlib
import hmac
import urllib.parse

_VERSION = "2021-08-06"


def shared_access(
    account: str, access_key: str, *, container: str, key: str, until: datetime.datetime
) -> str:
    """Give the query that reads a blob until then; raise ValueError if the access key is no base64."""
    expiry = until.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    resource = f"/blob/{account}/{container}/{key}"
    # Of its sixteen lines those are empty that restrict nothing: start, policy, addresses, protocol, …
    signed = ["r", "", expiry, resource, "", "", "", _VERSION, "b", "", "", "", "", "", "", ""]
    secret = base64.b64decode(access_key, validate=True)
    signature = hmac.digest(secret, "\n".join(signed).encode(), hashlib.sha256)
    return urllib.parse.urlencode(
        {"sp": "r", "se": expiry, "sv": _VERSION, "sr": "b", "sig": base64.b64encode(signature).decode()}
    )
