"""Fetch a version's code into a pod: `python -m extractor_runtime.install --config FILE --into DIR`.

The init container of every pod that runs an author's code: it alone holds the capability for the operator's
artifact endpoint. ``DIR/tree`` and ``DIR/environment`` each appear by a rename, so one that is there is
whole, and a container that is started again goes on where it was killed.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pydantic

from extractor_apis.delivery import Delivery, Parcel
from extractor_apis.errors import ExtractorError
from extractor_apis.workload import Installation
from extractor_artifacts import digest as digests
from extractor_artifacts import unpack
from extractor_artifacts.download import download
from extractor_artifacts.environments import archive
from extractor_artifacts.errors import ArchiveTooLarge, ArtifactError, AuthenticationFailed, NotFound
from extractor_artifacts.login import Fixed
from extractor_artifacts.patience import Patience
from extractor_artifacts.spool import TEMPORARY_PREFIX, Spool
from extractor_runtime import image

CAPABILITY = Path("/extractor/capability/token")
TERMINATION_LOG = Path("/dev/termination-log")
"""What Kubernetes shows as the cause of a container's end."""
PATIENCE = Patience(total=900.0, attempts=16, longest_pause=15.0)
"""An operator that is being replaced is away for a minute or two."""

_CONFIG_BYTES = 1024 * 1024
_TOKEN_BYTES = 4096


class InstallError(ExtractorError):
    """The version's code cannot be had."""


def main() -> None:
    """Install what the config file says; exit 1 with one line on stderr when it cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m extractor_runtime.install", description=install.__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a RunConfig or ApplicationConfig as JSON")
    parser.add_argument(
        "--into", type=Path, required=True, help="the folder that gets tree/ and environment/"
    )
    parser.add_argument("--capability", type=Path, default=CAPABILITY, help="the file that holds the token")
    given = parser.parse_args()
    try:
        wanted = read_config(given.config)
        image.check(wanted.platform)
        install(wanted, given.into, read_token(given.capability))
    except ExtractorError as error:
        line = f"extractor: {error}"
        if TERMINATION_LOG.exists():
            TERMINATION_LOG.write_text(line)
        sys.exit(line)


def install(wanted: Installation, into: Path, token: str, *, patience: Patience = PATIENCE) -> None:
    """Have ``tree`` and, if there is one, ``environment`` below a folder: fetched, verified, read-only.

    Raises ExtractorError, and leaves nothing that is half there.
    """
    delivery = wanted.delivery
    try:
        into.mkdir(parents=True, exist_ok=True)
        _sweep(into)
        if not (into / "tree").is_dir():
            with _fetched(delivery, "artifact", delivery.artifact, into, token, patience) as file:
                unpack.unpack(file, into / "tree")
        if delivery.environment is not None and not (into / "environment").is_dir():
            parcel = delivery.environment
            with _fetched(delivery, "environment", parcel, into, token, patience) as file:
                archive.unpack(file, into / "environment", max_bytes=parcel.size)
    except OSError as err:
        raise InstallError(f"cannot write to {into}: {err.strerror}; give the pod more storage") from err


def read_config(path: Path) -> Installation:
    """Read the part of a workload's config that an installation needs."""
    try:
        return Installation.model_validate_json(_read(path, _CONFIG_BYTES))
    except pydantic.ValidationError as err:
        first = err.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise InstallError(f"{path} is no config of a workload: {place}: {first['msg']}") from None


def read_token(path: Path) -> str:
    """Read the capability."""
    token = _read(path, _TOKEN_BYTES).decode("ascii", "replace").strip()
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        raise InstallError(f"{path} holds no capability: the Secret that is mounted there is damaged")
    return token


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as err:
        raise InstallError(f"cannot read {path}: {err.strerror}; it is mounted by the operator") from err
    if len(content) > limit:
        raise InstallError(f"{path} has more than {limit:,} bytes: it is not what the operator mounts")
    return content


@contextlib.contextmanager
def _fetched(
    delivery: Delivery, name: str, parcel: Parcel, into: Path, token: str, patience: Patience
) -> Iterator[Path]:
    """Have the bytes in a file for as long as they are being unpacked."""
    url, wanted = f"{delivery.url}/{name}", digests.parse(parcel.digest)
    with tempfile.TemporaryDirectory(dir=into, prefix=f"{TEMPORARY_PREFIX}fetched.") as folder:
        file = Path(folder) / "archive"
        with Spool(file, origin=url, max_bytes=parcel.size) as spool:
            try:
                # In the clear if the endpoint is: what comes is held against the digest.
                download(
                    url,
                    spool,
                    plain_http=True,
                    patience=patience,
                    login=Fixed(f"Bearer {token}"),
                    authority=delivery.authority,
                )
            except (AuthenticationFailed, NotFound) as err:
                raise InstallError(
                    f"{url} gives this pod nothing ({err}): the version was deleted or made anew; "
                    "delete the workload, and it is made with what holds now"
                ) from err
            except ArchiveTooLarge as err:
                raise ArtifactError(
                    f"digest mismatch for {url}: more than its {parcel.size:,} bytes came"
                ) from err
            if spool.digest != wanted:
                raise ArtifactError(f"digest mismatch for {url}: expected {wanted}, got {spool.digest}")
            spool.commit(lasting=False)
        yield file


def _sweep(into: Path) -> None:
    """Remove what a container left that was killed."""
    for leftover in into.glob(f"{TEMPORARY_PREFIX}*"):
        unpack.remove(leftover)


if __name__ == "__main__":
    main()
