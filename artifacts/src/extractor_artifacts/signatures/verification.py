"""Is an artifact signed by whom it must be? Pure, over bytes that somebody else fetched; no network."""

from collections.abc import Callable, Sequence

from extractor_apis.verify import Signer
from extractor_artifacts import digest as digests
from extractor_artifacts.signatures import form
from extractor_artifacts.signatures.errors import Reason, SignatureError
from extractor_artifacts.signatures.form import Bundle, SimpleSigning
from extractor_artifacts.signatures.trusted import Keyed, Keyless


def verify(
    subject_digest: str, signatures: Sequence[bytes | SimpleSigning], trust: Keyless | Keyed
) -> Signer:
    """Give who signed the artifact, or raise SignatureError; one good signature among others is enough.

    Signatures are Sigstore bundles, or what cosign 1 and 2 put beside an image. Raises ArtifactError if the
    trusted root or a key cannot be used.
    """
    digest = digests.parse(subject_digest)
    # First, so that a key that is none is not mistaken for a missing signature.
    check = _checker(digest, trust)
    if not signatures:
        raise SignatureError(
            Reason.NOT_SIGNED,
            f"{digest} is not signed: sign it with cosign, and publish the signature with it",
        )
    if len(signatures) > form.MAX_SIGNATURES:
        raise SignatureError(
            Reason.TOO_MANY,
            f"{digest} has more than {form.MAX_SIGNATURES} signatures: remove those of others",
        )
    failures = []
    for signature in signatures:
        try:
            return check(form.read_bundle(signature) if isinstance(signature, bytes) else signature)
        except SignatureError as err:
            failures.append(err)
    raise _nearest(digest, failures)


def _checker(digest: digests.Digest, trust: Keyless | Keyed) -> Callable[[Bundle | SimpleSigning], Signer]:
    # Either library takes longer to import than all of this room: only who needs it pays for it.
    match trust:
        case Keyed():
            from extractor_artifacts.signatures import keyed

            keys = tuple(map(keyed.load, trust.keys))
            return lambda signature: keyed.check(signature, digest, keys)
        case Keyless():
            from extractor_artifacts.signatures import keyless

            verifier = keyless.load(trust.trusted_root)
            return lambda signature: keyless.check(signature, digest, verifier, trust.identities)


def _nearest(digest: digests.Digest, failures: list[SignatureError]) -> SignatureError:
    order = list(Reason)
    nearest = max(failures, key=lambda failure: order.index(failure.reason))
    others = f" (nor does any of {len(failures) - 1} others)" if len(failures) > 1 else ""
    error = SignatureError(nearest.reason, f"the signature of {digest} does not do{others}: {nearest}")
    error.__cause__ = nearest
    return error
