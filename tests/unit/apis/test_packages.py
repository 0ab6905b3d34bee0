import pytest
from pydantic import ValidationError

from extractor_apis import settings
from extractor_apis.packages import PackageIndex


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://me:s3cret@host/simple", id="credentials"),
        pytest.param("https://host/simple?key=s3cret", id="a query"),
        pytest.param("file:///wheels", id="a file"),
        pytest.param("https://host/a simple", id="a space"),
    ],
)
def test_index_is_a_plain_url(url: str) -> None:
    with pytest.raises(ValidationError):
        PackageIndex(url=url)


def test_settings_name_the_index() -> None:
    text = b"packages: {url: 'https://host:8443/simple', offline: false}"

    assert settings.parse(text, "settings").packages == PackageIndex(url="https://host:8443/simple")
