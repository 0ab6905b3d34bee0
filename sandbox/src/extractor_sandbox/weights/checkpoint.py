"""Judge a torch checkpoint: a zip as ``torch.save`` writes it, or one pickle."""

import collections
import re

from extractor_sandbox import names, zip_reader
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import shown
from extractor_sandbox.weights import pickles
from extractor_sandbox.weights.unfit import Unfit

_PICKLE = "data.pkl"
_MEMBER = re.compile(
    r"data\.pkl|data/[0-9]+|version|byteorder|\.data/serialization_id|\.format_version|\.storage_alignment"
)
_TORCHSCRIPT = ("constants.pkl", "code/")
_STATE_ONLY = "Save the state dict only: torch.save(model.state_dict(), path)."


def check(content: Extent) -> None:
    """Raise Unfit or Refused unless the checkpoint holds tensors and plain data only."""
    if content.at(0, 4) in zip_reader.MAGIC:
        pickles.check(_read_zip(content))
    elif content.size <= pickles.MAX_BYTES:
        pickles.check(content.content())
    else:
        raise Unfit(
            f"the file is no torch zip, and too large for a pickle: {content.size} bytes", pickles.RE_SAVE
        )


def _read_zip(content: Extent) -> bytes:
    """Read a torch zip to its end, so that every checksum is compared; give its pickle."""
    pickled = None
    roots, seen = set(), set()
    for member in zip_reader.read(content, nested=True):
        root, _, name = member.path.partition("/")
        _check_name(root, name)
        roots.add(root)
        if len(roots) > 1 or name in seen:
            raise Unfit(f"the zip holds {name} twice, or has two roots", pickles.RE_SAVE)
        seen.add(name)
        if name == _PICKLE and member.size > pickles.MAX_BYTES:
            raise Unfit(f"the pickle has {member.size} bytes; the limit is {pickles.MAX_BYTES}", _STATE_ONLY)
        pieces = member.pieces()
        if name == _PICKLE:
            pickled = b"".join(pieces)
        else:
            collections.deque(pieces, maxlen=0)
    if pickled is None:
        raise Unfit(f"the zip holds no {_PICKLE}", pickles.RE_SAVE)
    return pickled


def _check_name(root: str, name: str) -> None:
    if name.startswith(_TORCHSCRIPT):
        raise Unfit("the file is TorchScript, which holds code", _STATE_ONLY)
    if not _MEMBER.fullmatch(name) or names.find_fault(root):
        path = shown(f"{root}/{name}")
        raise Unfit(f"the zip holds {path}, which torch.save does not write", pickles.RE_SAVE)
