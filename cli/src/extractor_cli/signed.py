"""Whether an archive is signed by whom the operator's settings want, on this machine too."""

from pathlib import Path
from typing import TYPE_CHECKING

from extractor_cli import findings

if TYPE_CHECKING:
    from extractor_apis.settings import Policy


def require(location: str, digest: str, policy: "Policy", trusted_root: Path | None) -> None:
    """Raise findings.RejectedError unless the archive is signed as it must be, if it must."""
    if not (policy.require_signature or policy.verify):
        return
    from extractor_artifacts import signatures, urls

    shown = urls.redact(location)
    if Path(location).is_dir():
        raise findings.RejectedError(
            f"{shown} is a folder, and the settings want a signature: pack it, sign the archive with cosign, "
            "and give that"
        )
    if policy.verify is None or policy.verify.secret_ref:
        raise findings.RejectedError(
            f"{shown} must be signed, and the settings do not say by whom: a cluster asks each version, and "
            "its Secrets; name identities under `verify` in the settings"
        )
    content = trusted_root.read_bytes() if trusted_root else signatures.public_instance()
    bundle = signatures.beside(location)
    try:
        signatures.verify(
            digest,
            () if bundle is None else (bundle,),
            signatures.trust(policy.verify, trusted_root=content, secret={}),
        )
    except signatures.SignatureError as err:
        raise findings.RejectedError(f"{shown} is not signed as the settings want: {err}") from err
