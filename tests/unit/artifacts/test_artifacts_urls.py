import pytest

from extractor_artifacts import urls


@pytest.mark.parametrize(
    ("url", "want"),
    [
        pytest.param("https://host/a.zip", "https://host/a.zip", id="nothing to hide"),
        pytest.param("https://host/a.zip?sig=s3cret&x=1#frag", "https://host/a.zip", id="query and fragment"),
        pytest.param("https://host?sig=a/b@c", "https://host", id="query right after the host"),
        pytest.param("https://me:p@ss@host:8443/@scope/a", "https://host:8443/@scope/a", id="credentials"),
        pytest.param("https://host/a b?sig=x y", "https://host/a b", id="spaces"),
        pytest.param("dir/what?.zip", "dir/what?.zip", id="a path is left alone"),
    ],
)
def test_redacted_url_shows_no_secret(url: str, want: str) -> None:
    assert urls.redact(url) == want


@pytest.mark.parametrize(
    ("host", "want"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, want: bool) -> None:
    assert urls.is_loopback(host) is want
