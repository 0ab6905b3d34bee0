import base64
import json

import pytest

from extractor_artifacts.sources import AuthenticationFailed, Credentials


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def pull_secret(**auths: dict[str, str]) -> bytes:
    return json.dumps({"auths": auths, "credsStore": "desktop", "credHelpers": {"a.b": "x"}}).encode()


def login(user: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:s3cret".encode()).decode()}


@pytest.mark.parametrize(
    ("secret", "want"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"token": b"abc\n"}, "Bearer abc", id="a token, of a file with a line break"),
        pytest.param({"username": b"me", "password": b"pw"}, basic("me:pw"), id="a user"),
        pytest.param({"password": b"pw"}, basic(":pw"), id="a password alone"),
        pytest.param({"TOKEN": b"abc", "username": b"me"}, "Bearer abc", id="a token before a user"),
    ],
)
def test_secret_of_a_web_source_is_a_header(secret: dict[str, bytes], want: str | None) -> None:
    assert Credentials(secret).authorization() == want


@pytest.mark.parametrize(
    ("entries", "want"),
    [
        pytest.param({"r.example.com": login("a")}, "a", id="the host"),
        pytest.param({"https://r.example.com/v2/": login("a")}, "a", id="a URL"),
        pytest.param({"*.example.com": login("a")}, "a", id="a glob"),
        pytest.param({"*.com": login("a")}, None, id="a glob of fewer labels"),
        pytest.param({"example.com": login("a")}, None, id="another host"),
        pytest.param({"r.example.com:443": login("a")}, None, id="another port"),
        pytest.param({"r.example.com": login("a"), "r.example.com/team": login("b")}, "b", id="a path"),
        pytest.param({"r.example.com/tea": login("a")}, None, id="half of a path's part"),
        pytest.param({"r.example.com": {"username": "a", "password": "s3cret"}}, "a", id="in two fields"),
        pytest.param({"r.example.com": {"identitytoken": "s3cret"}}, None, id="an identity token"),
        pytest.param({"r.example.com": {}, "*.example.com": login("a")}, "a", id="not in a helper"),
    ],
)
def test_entry_of_a_pull_secret_that_fits_best_counts(
    entries: dict[str, dict[str, str]], want: str | None
) -> None:
    credentials = Credentials(pull_secrets=(pull_secret(**entries), pull_secret(other=login("x"))))

    assert credentials.registry_login("r.example.com", "team/one") == (want and basic(f"{want}:s3cret"))


def test_entry_for_docker_hub_is_found_by_its_old_name() -> None:
    credentials = Credentials(pull_secrets=(pull_secret(**{"https://index.docker.io/v1/": login("a")}),))

    assert credentials.registry_login("docker.io", "library/x") == basic("a:s3cret")


def test_token_of_a_registry_is_used_as_it_is() -> None:
    credentials = Credentials(pull_secrets=(pull_secret(r={"registrytoken": "abc"}),))

    assert credentials.registry_login("r", "x") == "Bearer abc"


@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param(Credentials(pull_secrets=(b"s3cret",)), id="no JSON"),
        pytest.param(Credentials(pull_secrets=(b'{"auths": "s3cret"}',)), id="no Docker config"),
        pytest.param(Credentials(pull_secrets=(b"\xff",)), id="no text"),
        pytest.param(Credentials(pull_secrets=(b'{"auths": {"r": {"auth": "s3cret!"}}}',)), id="no base64"),
        pytest.param(
            Credentials(pull_secrets=(pull_secret(r={"registrytoken": "s3cret\n"}),)), id="no header"
        ),
    ],
)
def test_broken_pull_secret_is_a_sentence_without_it(credentials: Credentials) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        credentials.registry_login("r", "x")

    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_credentials_are_not_shown() -> None:
    assert "s3cret" not in repr(Credentials({"token": b"s3cret"}, (b"s3cret",)))


def test_token_that_no_header_can_hold_is_refused_without_it() -> None:
    with pytest.raises(AuthenticationFailed, match="the token in the Secret") as caught:
        Credentials({"token": b"s3cret\r\nX: y"}).authorization()

    assert "s3cret" not in str(caught.value)
