"""How a tenant's URL is asked: as it stands, with a header that says who asks, or signed."""

from dataclasses import dataclass, field

from extractor_artifacts import urls
from extractor_artifacts.errors import AuthenticationFailed
from extractor_artifacts.login import Fixed
from extractor_artifacts.sources import objects
from extractor_artifacts.sources.access import Access


@dataclass(frozen=True)
class Request:
    """What is asked for, and in whose name. Never shown, not even by ``repr``."""

    url: str = field(repr=False)
    login: Fixed = field(repr=False)


def request(location: str, access: Access) -> Request:
    """Say how to ask for what is at a URL of the web or of an object store.

    Raises SourceError where the credentials do not do.
    """
    scheme = location.partition("://")[0]
    if scheme not in ("http", "https"):
        # Signed for a little longer than the fetch may take.
        signed = objects.readable_url(location, access.credentials, seconds=access.patience.total + 60)
        return Request(signed, Fixed())
    authorization = access.credentials.authorization()
    if scheme == "http" and authorization is not None:
        raise AuthenticationFailed(
            f"no credentials are sent to {urls.redact(location)} without TLS: use https://"
        )
    return Request(location, Fixed(authorization))
