"""An environment that is made in another image, by a Job there: what it is asked for, and what it answers."""

from typing import Self

from pydantic import Field, model_validator

from extractor_apis.meta import Count, Struct
from extractor_apis.packages import PackageIndex


class Order(Struct):
    """What a Job is asked to make; it holds no secret."""

    url: str
    """Where the endpoint has the version that asks: ``{endpoint}/v1/{namespace}/{uid}``."""
    authority: str | None = None
    """Certificate in PEM of who vouches for the endpoint; None is whom the image trusts."""
    requirements: tuple[str, ...]
    """As `requirement.allowed` spells them."""
    image: str
    """The image that the Job runs in, by which the environment is named."""
    packages: PackageIndex = PackageIndex()
    """Where distributions come from; its files are paths in the Job's pod."""


class Made(Struct):
    """What came of it: an environment, or the sentence that says why there is none."""

    conflict: str | None = Field(default=None, max_length=4096)
    """Why nobody can make it; the rest is 0 then."""
    digest: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")
    """Of the archive that was handed in."""
    archive_size: Count = 0
    """Bytes of that."""
    packages: Count = 0
    """Distributions in it."""
    size: Count = 0
    """Bytes, installed."""

    @model_validator(mode="after")
    def _it_is_one_or_the_other(self) -> Self:
        if (self.conflict is None) == (self.digest is None):
            raise ValueError("say what was made, or why it was not")
        return self
