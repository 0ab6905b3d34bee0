"""For each rule something that it refuses, and the same thing as it is accepted; a test judges every one.

`extractor rules` and docs/rules.md show them. Rules of code and manifest have text; the others say in words
what the test builds.
"""

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Example:
    """The same thing twice: as the rule refuses it, and as it should be."""

    refused: str
    accepted: str
    path: str | None = None
    """File that it is the text of; None if it is said in words."""


def _code(refused: str, accepted: str, path: str = "processors/step.py") -> Example:
    return Example(dedent(refused).strip(), dedent(accepted).strip(), path)


def _manifest(refused: str, accepted: str) -> Example:
    return _code(refused, accepted, "manifest.py")


_FEATURES = """
features = [
    {
        "feature_type": "embedding",
        "feature_name": "text_embed_v1_embedding",
        "embedding_dim": %s,
        "distance_metric": "cosine",
    }
]"""

EXAMPLES = {
    "Z01": Example(
        "a zip with a program in front of its first member", "a zip that starts with its first member"
    ),
    "Z02": Example(
        "a member that is called pipeline.py in the directory and harmless.py in its own header",
        "a member with one name in both places",
    ),
    "Z03": Example("notes.txt and Notes.txt in one archive", "notes.txt and more_notes.txt in one archive"),
    "Z04": Example("a member compressed with bzip2", "the same member, deflated"),
    "Z05": Example("an encrypted member", "the same member, not encrypted"),
    "Z06": Example(
        "a member whose sizes are in a Zip64 field", "the same member with its sizes where they belong"
    ),
    "Z07": Example("a symbolic link weights.txt to /etc/passwd", "a regular file weights.txt"),
    "Z08": Example(
        "a member whose bytes have another checksum than the archive says",
        "the same member with its checksum",
    ),
    "Z09": Example("a member called ../../.bashrc", "a member called notes/bashrc.txt"),
    "Z10": Example(
        "a file called notes, and a file notes/a.txt", "a file notes/a.txt, and a file notes/b.txt"
    ),
    "Z11": Example("a file of 11 MiB of zeros, deflated to 11 KiB", "the same file, stored"),
    "F01": Example("classifier.pkl", "classifier.safetensors"),
    "F02": Example("an ELF executable that is called cover.png", "a PNG image that is called cover.png"),
    "F03": Example("sitecustomize.py", "startup.py"),
    "F04": Example(".env", "settings.yaml"),
    "F05": Example("json.py beside pipeline.py", "processors/json.py"),
    "F06": Example(
        "an archive without pipeline.py", "an archive with manifest.py and pipeline.py at its root"
    ),
    "M01": _manifest('description = open("README").read()', 'description = "Hashes text into vectors."'),
    "M02": _manifest('version = "1.0.0"\nversion = "1.1.0"', 'version = "1.1.0"'),
    "M03": _manifest('feature_extractor_name = "Text Embed"', 'feature_extractor_name = "text_embed"'),
    "M04": _manifest(_FEATURES % '"128"', _FEATURES % 128),
    "M05": _manifest('dependencies = ["git+https://example.com/fork.git"]', 'dependencies = ["numpy>=2,<3"]'),
    "M06": Example("a list nested 33 deep", "a list nested 32 deep"),
    "M07": _manifest(
        'compute_profile = {"resource_type": "cpu", "batch_size": "many"}',
        'compute_profile = {"resource_type": "cpu", "batch_size": 64}',
    ),
    "M08": _manifest(
        'feature_uri = "mixpeek://text_embed@1.0.0/text_embed_v1_embedding"  # and no realtime.py',
        'description = "For batches only."',
    ),
    "M09": _manifest('features = [{"feature_type": "keyword", "feature_name": "topic"}]', _FEATURES % 128),
    "M10": _manifest('category = "prose"', 'category = "text"'),
    "C01": _code(
        """
        # -*- coding: utf-7 -*-
        greeting = "hello"
        """,
        'greeting = "hello"',
    ),
    "C02": _code("LIMIT = 10**100_000", "LIMIT = 10**9"),
    "C03": _code("import spacy", "import tokenizers"),
    "C04": _code(
        """
        import subprocess

        subprocess.run(["ffprobe", "clip.mp4"])
        """,
        """
        from shared.plugins.sdk import run_tool

        run_tool("ffprobe", ["clip.mp4"])
        """,
    ),
    "C05": _code("settings = eval(text)", "import json\n\nsettings = json.loads(text)"),
    "C06": _code(
        """
        import os

        os.system("ls")
        secret = text.__class__.__base__
        """,
        """
        import os

        names = os.listdir("weights")
        kind = text.__class__.__name__
        """,
    ),
    "C08": _code('def embed(rows: "list[load()]"): ...', 'def embed(rows: "list[str]"): ...'),
    "C09": _code('rows = rows.query("@build().size > 3")', 'rows = rows.query("size > 3")'),
    "C10": _code(
        """
        import torch

        weights = torch.load("model.pt", weights_only=False)
        """,
        """
        from safetensors.torch import load_file

        weights = load_file("model.safetensors")
        """,
    ),
    "C11": _code(
        """
        from transformers import AutoModel

        model = AutoModel.from_pretrained("some/model", trust_remote_code=True)
        """,
        """
        from transformers import AutoModel

        model = AutoModel.from_pretrained("some/model")
        """,
    ),
    "C12": _code("total = eval(text)  # nosec", "total = int(text)"),
    "S01": _code(
        'KEY = "AKIAIOSFODNN7EXAMPLE"',
        """
        async def find_key(container):
            return await container.secrets.get("storage")
        """,
    ),
    "W02": Example(
        "model.pt that calls os.system when it is unpickled", "model.pt as torch.save writes a state_dict"
    ),
    "W03": Example(
        "model.safetensors whose header names bytes behind its end",
        "model.safetensors as the library writes it",
    ),
    "W04": Example("table.npy with an array of Python objects", "table.npy with an array of numbers"),
    "W05": Example("model.onnx with a tensor in ../weights.bin", "model.onnx with its tensors inside"),
    "W06": Example(
        "model.gguf with the chat template {{ messages.__class__ }}",
        "model.gguf with the chat template {{ messages[0] }}",
    ),
    "SEQ001": _code(
        """
        class Embed:
            def __call__(self, batch):
                batch["vector"] = [self.model.encode(text) for text in batch["data"]]
                return batch
        """,
        """
        class Embed:
            def __call__(self, batch):
                batch["vector"] = list(self.model.encode(batch["data"].tolist()))
                return batch
        """,
    ),
    "SEQ002": _code(
        """
        class Tag:
            def __call__(self, batch):
                for index, row in batch.iterrows():
                    batch.at[index, "tag"] = self.model.predict(row["data"])
                return batch
        """,
        """
        class Tag:
            def __call__(self, batch):
                batch["tag"] = list(self.model.predict(batch["data"].tolist()))
                return batch
        """,
    ),
    "SEQ003": _code(
        """
        class Tokens:
            def __call__(self, batch):
                batch["ids"] = [self.tokenizer.encode(text) for text in batch["data"]]
                return batch
        """,
        """
        class Tokens:
            def __call__(self, batch):
                batch["ids"] = self.tokenizer(batch["data"].tolist())["input_ids"]
                return batch
        """,
    ),
}
"""By rule. X rules are about the scan itself, and O rules about what other tools say: they have none."""

WARNINGS = frozenset({"M08", "M09", "M10", "SEQ001", "SEQ002", "SEQ003"})
"""Rules that only warn: what they refuse here is accepted all the same."""
