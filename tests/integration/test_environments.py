import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from extractor_apis.packages import PackageIndex
from extractor_artifacts import environments, unpack
from extractor_artifacts.environments import (
    Cache,
    DependencyConflict,
    Environment,
    EnvironmentFailed,
    Installed,
    Limits,
    Locked,
    Python,
)
from support import package_index
from support.package_index import PackageServer

pytestmark = pytest.mark.integration

RUNTIME = (
    Installed("ray", "2.60.0"),
    Installed("torch", "2.9.0+cpu"),
    Installed("fancy", "1.0", extras=("more",), requires=('beta<2 ; extra == "more"',)),
)
PASSWORD = "s3cret-word"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    package_index.wheel(folder, "alpha", requires=["beta>=1", "ray>=2", "torch>=2"])
    package_index.wheel(folder, "beta", "1.0")
    package_index.wheel(folder, "beta", "2.0")
    package_index.wheel(folder, "old-fashioned", requires=["beta<2"])
    package_index.wheel(folder, "modern", requires=["beta>=2"])
    return folder


@pytest.fixture
def server(wheels: Path) -> Iterator[PackageServer]:
    with package_index.serve(wheels) as served:
        yield served


@pytest.fixture
def cache(tmp_path: Path, server: PackageServer) -> Iterator[Cache]:
    root = tmp_path / "cache"
    root.mkdir()
    yield Cache(root, PackageIndex(url=server.url))
    unpack.remove(root)


def resolve(cache: Cache, *requirements: str, image: str = "sha256:1") -> Locked:
    return environments.resolve(
        requirements, image_digest=image, python=Python.running(), constraints=RUNTIME, cache=cache
    )


def build(cache: Cache, *requirements: str) -> Environment:
    return environments.build(resolve(cache, *requirements), cache)


def modules(environment: Environment) -> set[str]:
    return {each.name for each in environment.path.iterdir() if (each / "__init__.py").is_file()}


def hidden(cache: Cache) -> list[Path]:
    return [each for each in cache.root.glob("*/.*") if each.parent != cache.uv]


def test_environment_has_what_the_runtime_lacks(cache: Cache) -> None:
    environment = build(cache, "alpha")

    assert modules(environment) == {"alpha", "beta"}
    assert (environment.packages, environment.size > 0) == (2, True)


def test_modules_are_imported_from_the_environment_where_the_runtime_has_none(cache: Cache) -> None:
    code = "import sys; sys.path.append(sys.argv[1]); import alpha, beta; print(alpha.VERSION, beta.VERSION)"

    said = subprocess.run(
        [sys.executable, "-c", code, str(build(cache, "alpha").path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert said.stdout == "1.0 2.0\n"


def test_what_the_runtime_has_is_neither_asked_for_nor_installed(cache: Cache, server: PackageServer) -> None:
    locked = resolve(cache, "ray", "torch>=2.9")

    assert locked.pins == ()
    assert not [path for path in server.requests if path.startswith("/files")]


def test_extra_of_what_the_runtime_has_brings_what_it_asks_for(cache: Cache) -> None:
    assert [(pin.name, pin.version) for pin in resolve(cache, "fancy[more]").pins] == [("beta", "1.0")]


def test_environment_is_read_only_and_compiled(cache: Cache) -> None:
    path = build(cache, "beta").path

    entries = [path, *path.rglob("*")]
    assert not [each for each in entries if stat.S_IMODE(each.stat().st_mode) & 0o222]
    assert list((path / "beta").rglob(f"*.{sys.implementation.cache_tag}.pyc"))


def test_files_are_shared_with_the_cache_of_uv(cache: Cache) -> None:
    installed = build(cache, "beta").path / "beta" / "__init__.py"

    assert installed.stat().st_nlink > 1


def test_second_call_asks_nobody(cache: Cache, server: PackageServer) -> None:
    first = build(cache, "alpha")
    server.requests.clear()
    server.status = 500

    assert build(cache, "alpha") == first
    assert server.requests == []


def test_requirements_keep_their_versions_when_newer_ones_are_published(cache: Cache, wheels: Path) -> None:
    before = resolve(cache, "beta")
    package_index.wheel(wheels, "beta", "3.0")

    assert resolve(cache, "beta") == before


def test_requirements_that_come_to_the_same_share_an_environment(cache: Cache) -> None:
    assert build(cache, "beta>=2").path == build(cache, "beta>1.5", "beta<3").path


def test_another_image_has_an_environment_of_its_own(cache: Cache) -> None:
    assert resolve(cache, "beta").key != resolve(cache, "beta", image="sha256:2").key


def test_requirement_for_another_python_comes_to_nothing(cache: Cache) -> None:
    assert resolve(cache, "beta; python_version < '3'").pins == ()


def test_nothing_is_made_for_no_requirements(cache: Cache, server: PackageServer) -> None:
    environment = build(cache)

    assert list(environment.path.iterdir()) == []
    assert server.requests == []


@pytest.mark.parametrize(
    ("requirements", "want"),
    [
        pytest.param(["modern", "old-fashioned"], "old-fashioned depend on beta<2", id="two dependencies"),
        pytest.param(["ray>=3"], "ray==2.60.0 (the runtime's)", id="the runtime's version"),
        pytest.param(["torch>=3"], "torch==2.9.0+cpu (the runtime's)", id="the runtime's own build"),
        pytest.param(["beta>=9"], "manifest.py requires beta>=9", id="no such version"),
        pytest.param(["unheard-of"], "unheard-of was not found", id="no such package"),
        pytest.param(["source-only"], "`source-only` has no wheel that fits", id="only a source"),
        pytest.param(
            ["needs-source"], "`source-only` has no wheel that fits", id="only a source, indirectly"
        ),
        pytest.param(["foreign"], "`foreign` (v1.0)", id="only wheels of another Python"),
        pytest.param(["by-url"], "asks for `beta` by URL", id="a dependency of it is a URL"),
        pytest.param(["-r /etc/passwd"], "is no name with a version range", id="an option"),
        pytest.param(["beta @ file:///tmp/x.whl"], "points to a URL", id="a URL"),
    ],
)
def test_what_cannot_be_resolved_is_a_conflict(
    cache: Cache, wheels: Path, requirements: list[str], want: str
) -> None:
    package_index.source(wheels, "source-only")
    package_index.wheel(wheels, "needs-source", requires=["source-only"])
    package_index.wheel(wheels, "foreign", tag="cp39-cp39-win_amd64")
    package_index.wheel(wheels, "by-url", requires=["beta @ http://127.0.0.1:9/beta-2.0-py3-none-any.whl"])

    with pytest.raises(DependencyConflict) as caught:
        resolve(cache, *requirements)

    assert want in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (wheels / "BUILT").exists()
    assert hidden(cache) == []


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param(500, "500 Internal Server Error", id="broken"),
        pytest.param(401, "asks for some", id="credentials wanted"),
        pytest.param(403, "refuses the operator's credentials", id="credentials refused"),
    ],
)
def test_index_that_does_not_answer_may_do_so_later(
    cache: Cache, server: PackageServer, status: int, want: str
) -> None:
    server.status = status
    with pytest.raises(EnvironmentFailed, match=want):
        build(cache, "beta")

    server.status = 200
    assert modules(build(cache, "beta")) == {"beta"}


def test_index_that_is_not_there_may_be_later(cache: Cache) -> None:
    gone = replace(cache, index=PackageIndex(url="http://127.0.0.1:9/simple"))

    with pytest.raises(EnvironmentFailed, match="Connection refused"):
        build(gone, "beta")


def test_credentials_reach_the_index_and_nobody_else(
    cache: Cache, server: PackageServer, tmp_path: Path
) -> None:
    secret = tmp_path / "credentials"
    secret.write_text(f"me:{PASSWORD}\n")
    private = replace(cache, index=PackageIndex(url=server.url, credentials=secret))
    server.status = 401

    with pytest.raises(EnvironmentFailed) as caught:
        build(private, "beta")

    assert PASSWORD not in str(caught.value)
    assert any(each.startswith("Basic ") for each in server.authorizations)


def test_file_that_the_index_replaced_is_not_installed(cache: Cache, wheels: Path) -> None:
    locked = resolve(cache, "beta==2.0")
    package_index.wheel(wheels, "beta", "2.0", files={"beta/__init__.py": "import os\n"})

    with pytest.raises(DependencyConflict, match=r"another file for beta==2\.0"):
        environments.build(locked, cache)

    assert not cache.environment(locked.key).exists()
    assert hidden(cache) == []


@pytest.mark.parametrize(
    ("files", "links"),
    [
        pytest.param({"../../escaped.py": ""}, {}, id="above the folder"),
        pytest.param({"/tmp/extractor-escaped.py": ""}, {}, id="an absolute path"),
        pytest.param({"evil-1.0.data/data/../../../escaped.py": ""}, {}, id="data above the folder"),
        pytest.param({}, {"evil/passwd": "/etc/passwd"}, id="a symbolic link"),
        pytest.param({"evil.pth": "import os; os._exit(9)\n"}, {}, id="code for Python's start"),
        pytest.param({"evil/__init__.py": "import os; os._exit(9)\n"}, {}, id="code for an import"),
    ],
)
def test_hostile_wheel_reaches_nothing_but_its_own_environment(
    cache: Cache, wheels: Path, tmp_path: Path, files: dict[str, str], links: dict[str, str]
) -> None:
    package_index.wheel(wheels, "evil", files=files, links=links)

    path = build(cache, "evil").path

    assert not [*tmp_path.rglob("escaped.py"), *Path("/tmp").glob("extractor-escaped.py")]
    assert not [each for each in path.rglob("*") if each.is_symlink()]


def test_wheel_with_the_files_of_another_changes_only_its_own_environment(cache: Cache, wheels: Path) -> None:
    package_index.wheel(wheels, "evil", files={"beta/__init__.py": "VERSION = 'evil'\n"})
    build(cache, "evil")

    innocent = build(cache, "beta==2.0").path / "beta" / "__init__.py"

    assert innocent.read_text() == "VERSION = '2.0'\n"


def test_builders_at_once_install_once(cache: Cache, server: PackageServer) -> None:
    locked = resolve(cache, "beta")
    server.requests.clear()

    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(lambda _: environments.build(locked, cache), range(4)))

    assert len(set(built)) == 1
    assert len([path for path in server.requests if path.startswith("/files")]) == 1


@pytest.mark.parametrize(
    ("limits", "error", "want"),
    [
        pytest.param(Limits(packages=1), DependencyConflict, "2 distributions, and 1 are", id="packages"),
        pytest.param(Limits(bytes=1000), DependencyConflict, "1,000", id="bytes"),
    ],
)
def test_limits_hold(cache: Cache, limits: Limits, error: type[Exception], want: str) -> None:
    with pytest.raises(error, match=want):
        build(replace(cache, limits=limits), "alpha")

    assert hidden(cache) == []


@pytest.mark.parametrize(
    ("limits", "want"),
    [
        pytest.param(Limits(seconds=0.5), r"longer than 0\.5 s", id="seconds"),
        pytest.param(Limits(free_bytes=1 << 60), "bytes left", id="disk"),
    ],
)
def test_index_that_holds_back_a_file_is_given_up(
    cache: Cache, server: PackageServer, limits: Limits, want: str
) -> None:
    server.may_answer.clear()

    with pytest.raises(EnvironmentFailed, match=want):
        build(replace(cache, limits=limits), "beta")

    server.may_answer.set()
    assert modules(build(cache, "beta")) == {"beta"}


def test_variables_of_this_process_do_not_reach_uv(
    cache: Cache, server: PackageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")

    assert modules(build(cache, "beta")) == {"beta"}
    assert "/simple/beta/" in server.requests
    assert os.environ["UV_INDEX_URL"].endswith(":9/simple")


def test_folder_of_wheels_does_without_an_index(cache: Cache, wheels: Path, server: PackageServer) -> None:
    offline = replace(cache, index=PackageIndex(wheels=wheels, offline=True))

    assert modules(build(offline, "modern")) == {"modern", "beta"}
    assert server.requests == []
