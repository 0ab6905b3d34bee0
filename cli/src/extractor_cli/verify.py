"""`extractor verify LOCATION`: is it signed by whom it must be?"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pydantic
import typer

from extractor_cli import terminal
from extractor_cli.findings import RejectedError
from extractor_cli.terminal import ExitCode, Format

if TYPE_CHECKING:
    from extractor_artifacts import signatures

_FILE_BYTES = 1024 * 1024


@terminal.verb
def verify(
    location: Annotated[
        str, typer.Argument(help="Archive: a path, an https URL, or oci://host/repository:tag.")
    ],
    identity: Annotated[
        list[str] | None,
        typer.Option(metavar="ISSUER=SUBJECT", help="Who may have signed; patterns of the whole value."),
    ] = None,
    key: Annotated[
        list[Path] | None, typer.Option(help="Public key that may have signed: cosign.pub.")
    ] = None,
    bundle: Annotated[
        str,
        typer.Option(help="Signature of an archive, path or URL; by default beside it, as ….sigstore.json."),
    ] = "",
    trusted_root: Annotated[
        Path | None,
        typer.Option(help="trusted_root.json of the Sigstore instance; the public one by default."),
    ] = None,
    output: terminal.Output = Format.TEXT,
    verbose: terminal.Verbose = False,
) -> ExitCode:
    """Say who signed an extractor's archive, if it is one of those that are named; nothing of it is run."""
    from extractor_artifacts import signatures, urls

    trust = _trust(identity or [], key or [], trusted_root)
    digest, found = _published(location, bundle)
    try:
        signer = signatures.verify(digest, found, trust)
    except signatures.SignatureError as err:
        if output is Format.TEXT:
            raise RejectedError(f"{urls.redact(location)}: {err}") from err
        terminal.print_json({"verified": False, "digest": digest, "reason": err.reason, "message": str(err)})
        return ExitCode.FINDINGS
    if output is Format.JSON:
        terminal.print_json({"verified": True, **signer.model_dump(mode="json", exclude_none=True)})
    else:
        who = f"{signer.subject} of {signer.issuer}" if signer.subject else f"the key {signer.key}"
        when = f" at {signer.at:%Y-%m-%d %H:%M:%S} UTC" if signer.at else ""
        print(f"{digest}: signed by {who}{when}")
    return ExitCode.FINE


def _trust(
    identities: list[str], keys: list[Path], trusted_root: Path | None
) -> "signatures.Keyless | signatures.Keyed":
    from extractor_apis.verify import Identity
    from extractor_artifacts import signatures

    if bool(identities) == bool(keys):
        raise typer.BadParameter(
            "name who may have signed: either --identity ISSUER=SUBJECT or --key cosign.pub"
        )
    if keys:
        return signatures.Keyed(tuple(map(_content, keys)))
    named = []
    for text in identities:
        issuer, equals, subject = text.partition("=")
        try:
            named.append(Identity(issuer=issuer, subject=subject))
        except pydantic.ValidationError as err:
            said = err.errors()[0]["msg"].removeprefix("Value error, ")
            problem = said if equals else "write ISSUER=SUBJECT"
            raise typer.BadParameter(f"--identity {text}: {problem}") from None
    root = _content(trusted_root) if trusted_root else signatures.public_instance()
    return signatures.Keyless(tuple(named), root)


def _published(location: str, bundle: str) -> "tuple[str, tuple[bytes | signatures.SimpleSigning, ...]]":
    """Find the digest of an artifact, and its signatures."""
    from extractor_artifacts import ArtifactError, fetch, signatures, urls

    if location.startswith("oci://"):
        if bundle:
            raise typer.BadParameter("--bundle is for archives: a registry keeps the signatures itself")
        attached = signatures.attached(location)
        return attached.digest, attached.signatures
    with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
        digest = fetch(location, Path(folder, "archive")).digest
    found = signatures.read(bundle) if bundle else signatures.beside(location)
    if bundle and found is None:
        raise ArtifactError(f"there is no bundle at {urls.redact(bundle)}: check --bundle")
    return digest, (found,) if found is not None else ()


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_FILE_BYTES)
