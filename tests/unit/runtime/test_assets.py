import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor_runtime.sdk import assets
from extractor_runtime.sdk.assets import AssetError, admission, scratch

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    file.write_bytes(PNG)
    return file


@pytest.fixture
def unrestricted() -> Iterator[None]:
    yield
    admission._current = None


@pytest.mark.parametrize("spelling", ["{}", "file://{}", "FILE://localhost{}"])
def test_local_file_is_given_as_it_is_and_stays(file: Path, spelling: str) -> None:
    with assets.open_asset(spelling.format(file), suffix=".jpg") as path:
        assert path == str(file)

    assert file.exists()
    assert assets.download_asset(file) == (str(file), False)


@pytest.mark.parametrize(
    ("url", "want", "ending"),
    [
        pytest.param("data:image/png;base64," + base64.b64encode(PNG).decode(), PNG, ".png", id="base64"),
        pytest.param("data:image/jpeg;base64,AQI", b"\x01\x02", ".jpg", id="base64 without padding"),
        pytest.param("data:audio/wav;base64,AQ\n I%3D", b"\x01\x02", ".wav", id="base64 over lines, escaped"),
        pytest.param("DATA:text/plain;charset=utf-8,a%20b", b"a b", ".txt", id="text"),
        pytest.param("data:,a", b"a", "", id="no type"),
        pytest.param("data:application/octet-stream,a", b"a", "", id="type that says nothing"),
    ],
)
def test_data_url_is_a_temporary_file(url: str, want: bytes, ending: str) -> None:
    with assets.open_asset(url) as path:
        assert Path(path).read_bytes() == want
        assert Path(path).suffix == ending

    assert not Path(path).exists()


def test_suffix_of_the_author_wins() -> None:
    with assets.open_asset("data:image/png,x", suffix=".jpeg") as path:
        assert path.endswith(".jpeg")


def test_suffix_names_no_other_folder() -> None:
    with assets.open_asset("data:,x", suffix="/../../x") as path:
        assert Path(path).parent == scratch.folder()


def test_temporary_file_goes_when_the_author_fails() -> None:
    with pytest.raises(ZeroDivisionError), assets.open_asset("data:,x") as path:
        raise ZeroDivisionError

    assert not Path(path).exists()


def test_downloaded_file_is_the_authors_to_remove() -> None:
    path, is_temporary = assets.resolve_url_to_local_path("data:,x")

    assert is_temporary
    Path(path).write_bytes(b"changed")
    Path(path).unlink()


@pytest.mark.parametrize(
    ("url", "want"),
    [
        pytest.param("/nowhere/x.png", "there is no file '/nowhere/x.png'", id="missing file"),
        pytest.param("some text", "there is no file 'some text'", id="text"),
        pytest.param("a\0b", "there is no file", id="null character"),
        pytest.param("file://other/x", "file://other/x: .* names this machine", id="other machine"),
        pytest.param("", "named by a path or URL, not by ''", id="nothing"),
        pytest.param(None, "not by None: check the row's data", id="no value"),
        pytest.param("ftp://me:pw@host/x?sig=1", "cannot open ftp://host/x: ftp:// is not supp", id="scheme"),
        pytest.param("data:image/png;base64", "has no comma", id="cut data"),
        pytest.param("data:;base64,a*b=", "not valid base64", id="broken base64"),
        pytest.param("https:///x", "https:///x names no host", id="no host"),
    ],
)
def test_what_is_no_asset_says_why(url: str, want: str) -> None:
    with pytest.raises(AssetError, match=want):
        assets.download_asset(url)


def test_larger_asset_than_allowed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRACTOR_ASSET_MAX_BYTES", "3")
    before = list(scratch.folder().iterdir())

    with pytest.raises(AssetError, match="the data: URL is larger than 3 bytes"):
        assets.download_asset("data:,1234")

    assert list(scratch.folder().iterdir()) == before


@pytest.mark.usefixtures("unrestricted")
@pytest.mark.parametrize("url", ["{}", "file://{}", "s3://bucket/key.png", "gs://bucket/key", "az://c/key"])
def test_stranger_names_neither_files_nor_buckets(file: Path, url: str) -> None:
    assets.restrict([])

    with pytest.raises(AssetError, match=r"refused to open .*: at query time .* EXTRACTOR_ASSET_ALLOW"):
        assets.download_asset(url.format(file))


@pytest.mark.usefixtures("unrestricted")
def test_stranger_sends_bytes() -> None:
    assets.restrict([])

    with assets.open_asset("data:,x") as path:
        assert Path(path).read_bytes() == b"x"


@pytest.mark.usefixtures("unrestricted")
def test_stranger_names_files_of_an_allowed_folder_only(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = file.parent / "shared"
    shared.mkdir()
    (shared / "inside.png").touch()
    (shared / "link.png").symlink_to(file)
    monkeypatch.setenv("EXTRACTOR_ASSET_ALLOW", f"10.0.0.0/8, {shared}")
    assets.restrict()

    assert assets.download_asset(shared / "inside.png") == (str(shared / "inside.png"), False)
    for outside in (shared / "link.png", shared / ".." / "photo.png", f"{shared}-other"):
        with pytest.raises(AssetError, match="refused"):
            assets.download_asset(outside)


@pytest.mark.usefixtures("unrestricted")
def test_allowed_bucket_is_no_prefix_of_another() -> None:
    allowed = admission.Admission.parse(["s3://queries/in/"])

    allowed.check_prefix("s3://queries/in/a.png")
    for other in ("s3://queries/inner/a.png", "s3://queries-2/in/a.png"):
        with pytest.raises(AssetError, match="refused"):
            allowed.check_prefix(other)


@pytest.mark.parametrize(
    ("address", "want"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:7f00:1::", False),
        ("192.168.7.1", True),
    ],
)
def test_only_public_and_allowed_addresses_are_connected_to(address: str, want: bool) -> None:
    assert admission.Admission.parse(["192.168.7.0/24"]).may_connect(address) is want


def test_exception_that_means_nothing_is_told() -> None:
    with pytest.raises(AssetError, match="EXTRACTOR_ASSET_ALLOW: 'intranet' is no network"):
        admission.Admission.parse(["intranet"])
