import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from extractor_runtime.sdk import assets
from extractor_runtime.sdk.assets import AssetError, admission, scratch
from support import s3
from support.scripted_http import Answer, serve

pytestmark = pytest.mark.integration

BODY = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def unrestricted() -> Iterator[None]:
    yield
    admission._current = None


@pytest.mark.parametrize(
    ("path", "content_type", "want"),
    [
        pytest.param("/photo.JPG?sig=1", "image/png", ".JPG", id="the URL's extension"),
        pytest.param("/photo", "image/png; q=1", ".png", id="the content type"),
        pytest.param("/photo.php", "image/png", ".png", id="not an extension that says nothing"),
        pytest.param("/photo.r3d", "application/octet-stream", ".r3d", id="an unknown one before none"),
        pytest.param("/v1.2/photo", "", "", id="no extension"),
    ],
)
def test_file_from_the_web_is_called_as_it_is(path: str, content_type: str, want: str) -> None:
    with (
        serve(Answer(BODY, headers={"Content-Type": content_type})) as server,
        assets.open_asset(f"{server.url}{path}") as local,
    ):
        assert Path(local).read_bytes() == BODY
        assert Path(local).suffix == want


def test_broken_download_goes_on_where_it_broke() -> None:
    rest = {"Content-Range": f"bytes 100-{len(BODY) - 1}/{len(BODY)}", "ETag": '"1"'}
    with (
        serve(Answer(BODY, headers={"ETag": '"1"'}, cut=100), Answer(BODY[100:], 206, rest)) as server,
        assets.open_asset(f"{server.url}/a.bin") as local,
    ):
        assert Path(local).read_bytes() == BODY


def test_error_names_the_url_without_its_signature() -> None:
    with serve(Answer(status=403)) as server, pytest.raises(AssetError) as raised:
        assets.download_asset(f"{server.url}/a.png?X-Signature=s3cret")

    assert str(raised.value).startswith(f"cannot read {server.url}/a.png: HTTP 403")
    assert "s3cret" not in str(raised.value)


def test_larger_answer_than_allowed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRACTOR_ASSET_MAX_BYTES", "1000")
    before = list(scratch.folder().iterdir())

    with serve(Answer(BODY)) as server, pytest.raises(AssetError, match=r"a.png is larger than 1,000 bytes"):
        assets.download_asset(f"{server.url}/a.png")

    assert list(scratch.folder().iterdir()) == before


def test_async_code_opens_an_asset_like_any_other() -> None:
    async def author(url: str) -> bytes:
        with assets.open_asset(url) as local:
            return Path(local).read_bytes()

    with serve(Answer(BODY)) as server:
        assert asyncio.run(author(f"{server.url}/a.png")) == BODY


def test_many_threads_download_at_once() -> None:
    with serve(Answer(BODY)) as server, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(assets.download_asset, [f"{server.url}/{number}.png" for number in range(32)]))

    assert len({path for path, _ in found}) == 32
    for path, _ in found:
        assert Path(path).read_bytes() == BODY
        Path(path).unlink()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "2130706433", "[::ffff:127.0.0.1]"])
def test_stranger_reaches_no_inner_address(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(Answer(BODY)) as server:
        port = server.url.rpartition(":")[2]
        # A proxy would connect in our place.
        monkeypatch.setenv("http_proxy", server.url)
        assets.restrict([])

        with pytest.raises(AssetError, match=r"refused to read .*: it is not at a public address"):
            assets.download_asset(f"http://{host}:{port}/a.png?key=s3cret")

    assert server.requests == []


def test_redirect_leads_a_stranger_to_no_inner_address() -> None:
    with serve(Answer(BODY)) as inner:
        port = inner.url.rpartition(":")[2]
        away = Answer(status=302, headers={"Location": f"http://127.0.0.2:{port}/latest/meta-data"})
        with serve(away) as server:
            assets.restrict(["127.0.0.1/32"])

            with pytest.raises(AssetError, match=f"refused to read {server.url}/a.png"):
                assets.download_asset(f"{server.url}/a.png")

    assert len(server.requests) == 1
    assert inner.requests == []


def test_allowed_address_is_read_at_query_time() -> None:
    with serve(Answer(BODY)) as server:
        assets.restrict(["127.0.0.0/8"])

        with assets.open_asset(f"{server.url}/a.png") as local:
            assert Path(local).read_bytes() == BODY


def test_objects_of_a_bucket_are_read_whole() -> None:
    large = os.urandom(9 * 1024 * 1024)
    with s3.serve():
        s3.put({"photos/a #1.jpg": BODY, "video": large})

        with assets.open_asset(f"s3://{s3.BUCKET}/photos/a #1.jpg") as local:
            assert (Path(local).read_bytes(), Path(local).suffix) == (BODY, ".jpg")
        with assets.open_asset(f"s3://{s3.BUCKET}/video", suffix=".mp4") as local:
            assert Path(local).read_bytes() == large
        with pytest.raises(AssetError, match=f"there is nothing at s3://{s3.BUCKET}/gone.jpg"):
            assets.download_asset(f"s3://{s3.BUCKET}/gone.jpg")


PROCESS = """
import sys
from extractor_runtime.sdk import assets
print(assets.download_asset("data:,x")[0], flush=True)
sys.stdin.read()
"""


def test_temporary_files_go_with_their_process_however_it_ends() -> None:
    command = [sys.executable, "-c", PROCESS]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    paths = []
    for process in processes:
        assert process.stdout is not None
        paths.append(Path(process.stdout.readline().strip()))
    ended, killed, alive = processes

    ended.communicate()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    scratch.sweep()

    assert [path.exists() for path in paths] == [False, False, True]
    alive.communicate()
