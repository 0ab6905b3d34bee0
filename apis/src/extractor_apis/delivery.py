"""How a version's code reaches the pods that run it: fetched by an init container, and checked by digest."""

from pydantic import Field

from extractor_apis.meta import Struct


class Parcel(Struct):
    """Bytes that are fetched, and what they have to be."""

    digest: str
    """``sha256:…``"""
    size: int = Field(ge=0)
    """In bytes; not one more is taken."""


class Delivery(Struct):
    """What a pod fetches from the operator's artifact endpoint."""

    url: str
    """Where the endpoint has the version: ``{endpoint}/v1/{namespace}/{uid}``. The capability is a file."""
    authority: str | None = None
    """Certificate in PEM of who vouches for the endpoint; None is whom the image trusts."""
    artifact: Parcel
    environment: Parcel | None = None
    """An archive of the distributions; None where the version has no dependencies."""
