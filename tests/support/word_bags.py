"""Archives of a small extractor that works, each with what a test wants of it: `extractor init`'s, edited."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_TEMPLATE = Path(__file__).parents[2] / "cli/src/extractor_cli/template"
_NO_EDITS: Mapping[str, str] = MappingProxyType({})

CONSTRUCTOR_RAISES = {
    "    async def run_inference": (
        "    def __init__(self):\n"
        "        raise RuntimeError('the weights are not here')\n\n"
        "    async def run_inference"
    )
}
"""An endpoint that cannot start."""
REALTIME_DISAGREES = {'embed([inputs["text"]])': 'embed([inputs["text"] + " and more"])'}
"""Queries land elsewhere than what they ask for."""
POISON = "poison"
"""A word that no worker survives reading."""
SLOW = "slow"
"""A word that takes a second to read."""
STEP_MINDS_WORDS = {
    "        batch[": (
        f"        if any('{POISON}' in text for text in texts):\n"
        f"            raise ValueError('{POISON} in the batch')\n"
        f"        time.sleep(sum('{SLOW}' in text for text in texts))\n"
        "        batch["
    ),
    "import hashlib": "import hashlib\nimport time",
    '"batch_size": 64': '"batch_size": 1',
}
"""A step that fails and dawdles as the words tell it."""


def depends_on(requirement: str) -> dict[str, str]:
    """Have it import a distribution, in the batch half as in the other."""
    return {
        "dependencies = []": f"dependencies = [{requirement!r}]",
        "import hashlib": f"import hashlib\nimport {requirement.partition('>')[0]}",
    }


def archive(extractor: str, version: str = "1.0.0", edits: Mapping[str, str] = _NO_EDITS) -> bytes:
    """Build an archive by the extractor's object name, with text of its files replaced, once in each."""
    made = io.BytesIO()
    left = set(edits)
    with zipfile.ZipFile(made, "w") as zipped:
        for path in sorted(_TEMPLATE.rglob("*.py")):
            text = path.read_text().replace("my_extractor", extractor.replace("-", "_"))
            text = text.replace("1.0.0", version)
            for old in edits:
                left -= {old} if old in text else set()
                text = text.replace(old, edits[old], 1)
            zipped.writestr(zipfile.ZipInfo(path.relative_to(_TEMPLATE).as_posix()), text)
    assert not left, f"the template has none of {left}"
    return made.getvalue()
