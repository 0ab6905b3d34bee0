from pathlib import Path

import pytest

from extractor_apis.packages import PackageIndex
from extractor_artifacts.environments import Cache, EnvironmentFailed, Python, uv

PYTHON = Python(Path("/python"), "cpython-311-x86_64-linux-gnu")


def test_nothing_is_built_from_source() -> None:
    command = uv.command(uv.install_command(Path("pins"), Path("into")), PYTHON, Cache(Path("/cache")))

    assert command[command.index("--only-binary") + 1] == ":all:"
    assert "--require-hashes" in command


def test_older_platform_is_resolved_for() -> None:
    older = Python(PYTHON.executable, PYTHON.abi, platform="x86_64-manylinux_2_28")

    command = uv.command(uv.compile_command(Path("c"), Path("r"), Path("o")), older, Cache(Path("/cache")))

    assert command[command.index("--python-platform") + 1] == "x86_64-manylinux_2_28"


def test_credentials_are_in_no_command_line(tmp_path: Path) -> None:
    secret = tmp_path / "credentials"
    secret.write_text("me@corp:p@ss/word\n")
    index = PackageIndex(url="https://host/simple", credentials=secret)

    command = uv.command(["pip"], PYTHON, Cache(tmp_path, index))

    assert "p@ss" not in " ".join(command)
    assert uv.environment(index, {})["UV_DEFAULT_INDEX"] == "https://me%40corp:p%40ss%2Fword@host/simple"


def test_only_the_way_to_the_network_is_passed_on() -> None:
    ours = {
        "HTTPS_PROXY": "http://proxy",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "UV_INDEX": "x",
        "HOME": "/root",
    }

    assert uv.environment(PackageIndex(), ours) == {
        "HTTPS_PROXY": "http://proxy",
        "UV_COMPILE_BYTECODE_TIMEOUT": "60",
        "PYC_INVALIDATION_MODE": "UNCHECKED_HASH",
    }


@pytest.mark.parametrize(
    ("content", "want"),
    [pytest.param(None, "cannot read", id="none"), pytest.param("s3cret", "holds no", id="no colon")],
)
def test_credentials_that_are_none_are_told_without_them(
    tmp_path: Path, content: str | None, want: str
) -> None:
    file = tmp_path / "credentials"
    if content is not None:
        file.write_text(content)

    with pytest.raises(EnvironmentFailed, match=want) as caught:
        uv.environment(PackageIndex(url="https://host/simple", credentials=file), {})

    assert "s3cret" not in str(caught.value)
