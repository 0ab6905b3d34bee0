"""The operator's settings: the first name that fits, field by field over the defaults; errors have lines."""

import json
from pathlib import Path

import pytest

from extractor_apis import settings
from extractor_apis.scan import ScanPolicy, Strictness
from extractor_apis.settings import Policy, Settings, SettingsError

TEXT = b"""
runtimePython: 3.10
defaults:
  scan:
    requireLandlock: true
    allowedDependencies: [numba]
namespaces:
  - name: search
    scan: {strictness: advisory}
  - name: search-*
    scan: {requireLandlock: false, allowedDependencies: [spacy, python-dateutil]}
    requireSignature: true
  - name: "*"
    requireSignature: true
"""
CLUSTER = "cluster:\n  runtimeImage: r\n  endpoint: https://e\n  results: file:///results\n"
DEFAULT = ScanPolicy(require_landlock=True, allowed_dependencies=frozenset({"numba"}))


@pytest.mark.parametrize(
    ("namespace", "want"),
    [
        pytest.param(None, Policy(scan=DEFAULT), id="no namespace has the defaults"),
        pytest.param(
            "search",
            Policy(scan=DEFAULT.model_copy(update={"strictness": Strictness.ADVISORY})),
            id="a name keeps what the defaults require",
        ),
        pytest.param(
            "search-eu",
            Policy(
                scan=ScanPolicy(allowed_dependencies=frozenset({"spacy", "python-dateutil"})),
                require_signature=True,
            ),
            id="a pattern overrides the defaults",
        ),
        pytest.param("other", Policy(scan=DEFAULT, require_signature=True), id="the last entry fits all"),
        pytest.param("Search", Policy(scan=DEFAULT, require_signature=True), id="case counts"),
    ],
)
def test_the_first_entry_that_fits_counts_field_by_field(namespace: str | None, want: Policy) -> None:
    assert settings.parse(TEXT, "settings.yaml").policy(namespace) == want


def test_a_python_needs_no_quotes() -> None:
    assert settings.parse(TEXT, "settings.yaml").runtime_python == "3.10"


@pytest.mark.parametrize("text", [b"", b"# nothing\n", b"{}"])
def test_no_settings_are_the_strict_defaults(text: bytes) -> None:
    read = settings.parse(text, "settings.yaml")

    assert read == Settings()
    assert read.policy("any").scan == ScanPolicy(strictness=Strictness.STRICT)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param(
            "defaults:\n  scan:\n    strictness: lax\n",
            "s.yaml:3: defaults.scan.strictness: Input should be 'strict' or 'advisory'",
            id="an unknown word",
        ),
        pytest.param(
            "defaults:\n  scan: {requirelandlock: true}\n",
            "s.yaml:2: defaults.scan.requirelandlock: there is no such field here: check its name",
            id="a misspelt field",
        ),
        pytest.param(
            "runtimePython: 3.11\ndefaults: {}\ndefaults: {}\n",
            "s.yaml:3: `defaults` is there twice",
            id="twice",
        ),
        pytest.param(
            "namespaces:\n- name: a\n  scan: {}\n  scan: {}\n",
            "s.yaml:4: `scan` is there twice",
            id="twice, deeper",
        ),
        pytest.param(
            "namespaces:\n- {name: team-*}\n- {name: team-a}\n",
            "s.yaml:1: the entry `team-a` is never used: `team-*` above it fits first; "
            "put the narrower name first",
            id="an entry that is never used",
        ),
        pytest.param(
            "a: 1\nb: 2\n",
            "s.yaml:1: a: there is no such field here: check its name and its place (and 1 more)",
            id="two that are wrong",
        ),
        pytest.param("a: [}\n", "s.yaml:1: expected the node content, but found '}'", id="no YAML"),
        pytest.param("- a\n", "s.yaml:1: here are fields, `name: value`", id="a list"),
        pytest.param(
            "namespaces: search\n", "s.yaml:1: namespaces: this is a list; ", id="a word for a list"
        ),
        pytest.param(
            "defaults:\n  scan: {allowedDependencies: spacy}\n",
            "s.yaml:2: defaults.scan.allowedDependencies: this is a list; ",
            id="a word for a set",
        ),
        pytest.param(
            "namespaces:\n- scan: {}\n", "s.yaml:2: namespaces.0.name: this field is missing", id="no name"
        ),
        pytest.param(
            "defaults:\n  requireSignature: maybe\n",
            "s.yaml:2: defaults.requireSignature: this is true or false",
            id="neither true nor false",
        ),
        pytest.param(
            f"{CLUSTER}  endpointAuthority: server.crt\n",
            "s.yaml:5: cluster.endpointAuthority: it is no certificate in PEM",
            id="the name of a certificate's file",
        ),
        pytest.param(
            f"{CLUSTER}  endpointAuthority: -----BEGIN PRIVATE KEY-----\n",
            "s.yaml:5: cluster.endpointAuthority: it has a private key, which every pod would be told",
            id="a key beside the certificate",
        ),
        pytest.param("[" * 2_000, "s.yaml: it is no YAML: ", id="lists without end"),
        pytest.param("\0", "s.yaml: it is no YAML: ", id="a NUL byte"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, want: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings.parse(text.encode(), "s.yaml")

    assert str(caught.value).startswith(want)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(b"#" * ((1 << 20) + 1))

    with pytest.raises(SettingsError, match="more than 1048576 bytes"):
        settings.read(path)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(
        "advisories: osv.zip\nstore: /var/store\npackages: {wheels: wheels, credentials: index}\n"
    )

    read = settings.read(tmp_path / "settings.yaml")

    assert (read.advisories, read.store, read.trusted_root) == (
        tmp_path / "osv.zip",
        Path("/var/store"),
        None,
    )
    assert (read.packages.wheels, read.packages.credentials) == (tmp_path / "wheels", tmp_path / "index")


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read the settings .*absent\.yaml: No such file"):
        settings.read(tmp_path / "absent.yaml")


def test_a_policy_is_the_same_text_in_every_process() -> None:
    names = [f"distribution-{number}" for number in range(30)]

    said = ScanPolicy(allowed_dependencies=frozenset(names)).model_dump_json()

    assert json.loads(said)["allowedDependencies"] == sorted(names)
