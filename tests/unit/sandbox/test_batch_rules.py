"""Slow calls that are made once a row are warned of, with their line; nothing else is."""

import ast
import textwrap
from pathlib import Path

import pytest

from extractor_sandbox.finding import Finding
from extractor_sandbox.imports import Imports
from extractor_sandbox.rules import batch
from extractor_sandbox.source import Source, collect
from support.archives import extractor, judge_bytes, rejections, warnings

EXAMPLES = Path(__file__).parents[3] / "examples"
TEMPLATE = Path(__file__).parents[3] / "cli" / "src" / "extractor_cli" / "template"


def warned(code: str, path: str = "processors/core.py") -> list[Finding]:
    text = textwrap.dedent(code)
    tree = ast.parse(text)
    file = Source(path, text.encode(), Imports(frozenset()), text, tree, collect(tree))
    return [finding for rule in batch.RULES for finding in rule.judge(file)]


def processor(body: str) -> str:
    """Write a processor around the body of its ``__call__``, which begins in line 4."""
    return "class P:\n\n    def __call__(self, batch):\n" + textwrap.indent(
        textwrap.dedent(body).strip("\n") + "\nreturn batch\n", " " * 8
    )


@pytest.mark.parametrize(
    ("body", "want", "want_line"),
    [
        pytest.param(
            """
            for idx, row in batch.iterrows():
                batch.at[idx, "e"] = self._model.encode(row["text"])
            """,
            "SEQ002",
            5,
            id="the guide's first example of what is wrong",
        ),
        pytest.param(
            """
            for row in batch.itertuples():
                text = row.data.strip()
                self.rows.append(requests.post(self.url, json={"text": text}))
            """,
            "SEQ002",
            6,
            id="a request a tuple, with what was made of it",
        ),
        pytest.param(
            """
            for _, row in batch.iterrows():
                answer = asyncio.run(self._llm.generate(row["data"]))
            """,
            "SEQ002",
            5,
            id="a language model, one event loop a row",
        ),
        pytest.param(
            """
            texts = batch["data"].fillna("").tolist()
            batch["e"] = [self._model.encode([text])[0] for text in texts]
            """,
            "SEQ001",
            5,
            id="a comprehension over a column",
        ),
        pytest.param(
            """
            for i in range(len(batch)):
                text = batch["data"].iloc[i]
                self.out.append(self.encoder(text))
            """,
            "SEQ001",
            6,
            id="an index a row",
        ),
        pytest.param(
            """
            n = len(batch)
            for i in range(0, n):
                self.out.append(self._session.run(None, {"x": batch["data"][i]}))
            """,
            "SEQ001",
            6,
            id="an ONNX session, counted by a name",
        ),
        pytest.param(
            """
            for url in batch["data"]:
                with open_asset(url) as path:
                    self.out.append(path)
            """,
            "SEQ001",
            5,
            id="a download a row",
        ),
        pytest.param(
            """
            batch["e"] = batch["data"].apply(lambda text: self._model.encode(text))
            """,
            "SEQ001",
            4,
            id="apply with a lambda",
        ),
        pytest.param('batch["e"] = batch["data"].map(self._model.encode)', "SEQ001", 4, id="map of a method"),
        pytest.param(
            """
            for text in batch.column("data").to_pylist():
                ids = self._tokenizer(text)
            """,
            "SEQ003",
            5,
            id="a tokenizer a row, of an Arrow column",
        ),
        pytest.param(
            """
            ids = [tokenizer.encode(text) for text in batch["data"]]
            """,
            "SEQ003",
            4,
            id="a tokenizer's method",
        ),
        pytest.param(
            """
            async def all_rows():
                for text in batch["data"]:
                    self.out.append(await self._llm.generate(text))
            asyncio.run(all_rows())
            """,
            "SEQ001",
            6,
            id="await in a loop",
        ),
    ],
)
def test_a_slow_call_a_row_is_a_warning_at_its_line(body: str, want: str, want_line: int) -> None:
    found = warned(processor(body))

    assert [(finding.rule, finding.problem.line) for finding in found] == [(want, want_line)]
    assert found[0].problem.severity == "warn" and found[0].problem.advice


def test_a_slow_call_is_found_through_the_authors_own_functions() -> None:
    code = """
    class P:
        def __call__(self, batch):
            batch["e"] = [self._embed(text) for text in batch["data"]]
            return batch

        def _embed(self, text):
            return self._one(text)

        def _one(self, text):
            return self._model.encode(text)
    """

    (found,) = warned(code)

    assert (found.rule, found.problem.line) == ("SEQ001", 4)
    assert found.problem.message == "self._embed waits for a model, once for each row"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('batch["e"] = list(self._model.encode(batch["data"].tolist()))', id="all rows at once"),
        pytest.param(
            """
            texts = batch["data"].tolist()
            for start in range(0, len(texts), 32):
                self.out.extend(self._model.encode(texts[start : start + 32]))
            """,
            id="chunks of rows",
        ),
        pytest.param(
            """
            texts = batch["data"].tolist()
            chunks = [texts[i : i + 32] for i in range(0, len(texts), 32)]
            for chunk in chunks:
                self.out.extend(self._model.encode(chunk))
            """,
            id="a list of chunks",
        ),
        pytest.param(
            """
            chunk = []
            for text in batch["data"]:
                chunk.append(text)
                if len(chunk) == 32:
                    self.out.extend(self._model.encode(chunk))
            """,
            id="a buffer that is emptied now and then",
        ),
        pytest.param(
            """
            tensors = []
            for _, row in batch.iterrows():
                tensors.append(self._preprocess(load_image(row["data"])))
            outputs = self._model(torch.stack(tensors))
            """,
            id="the guide's images, prepared one by one and embedded together",
        ),
        pytest.param(
            """
            async def enrich(text):
                return await self._llm.generate(instruction="x", text=text)
            batch["e"] = concurrent_api_calls(batch["data"].tolist(), enrich, 10)
            """,
            id="concurrent calls",
        ),
        pytest.param(
            """
            async def one(text):
                return await self._llm.generate(text)
            async def every():
                return await asyncio.gather(*[one(text) for text in batch["data"]])
            batch["e"] = asyncio.run(every())
            """,
            id="coroutines that are gathered",
        ),
        pytest.param(
            """
            def fetch(url):
                path, is_temp = download_asset(url, suffix=".mp4")
                return path
            paths = parallel_io(items=batch["data"].tolist(), process_fn=fetch, max_workers=8)
            """,
            id="parallel downloads",
        ),
        pytest.param(
            """
            for text in batch["data"]:
                self.out.append(hashlib.sha256(text.encode()).hexdigest())
            """,
            id="bytes of a text",
        ),
        pytest.param(
            'batch["words"] = [len(text.split()) for text in batch["data"]]', id="plain Python for each row"
        ),
        pytest.param(
            """
            vectors = self._model.encode(batch["data"].tolist())
            for i, vector in enumerate(vectors):
                batch.at[i, "e"] = vector.tolist()
            """,
            id="a loop over what the model gave",
        ),
        pytest.param(
            """
            for layer in self._layers:
                self.x = layer.model(self.x)
            """,
            id="layers",
        ),
    ],
)
def test_code_that_takes_rows_together_or_calls_nothing_slow_is_left_alone(body: str) -> None:
    assert warned(processor(body)) == []


def test_a_local_function_is_what_it_does_and_not_what_it_is_called() -> None:
    code = """
    def text_to_embedding(text, dim):
        return [len(text)] * dim

    def model(text):
        return text_to_embedding(text, 3)

    class P:
        def __call__(self, batch):
            batch["e"] = [model(text) for text in batch["data"]]
            return batch
    """

    assert warned(code) == []


@pytest.mark.parametrize("path", ["realtime.py", "tests/test_it.py"])
def test_requests_and_tests_may_take_one_at_a_time(path: str) -> None:
    body = 'batch["e"] = [self._model.encode(text) for text in batch["data"]]'

    assert warned(processor(body), path) == []


def test_a_warning_does_not_refuse_the_archive() -> None:
    code = processor("for _, row in batch.iterrows():\n    self._model.encode(row['data'])")

    outcome = judge_bytes(extractor({"processors/core.py": code}))

    assert (warnings(outcome), rejections(outcome)) == ({"SEQ002"}, set())


@pytest.mark.parametrize(
    "path",
    [path for folder in (EXAMPLES, TEMPLATE) for path in sorted(folder.rglob("*.py"))],
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_our_own_extractors_are_silent(path: Path) -> None:
    found = warned(path.read_text(), path.name)

    assert found == []
