"""`extractor serve PATH`: the archive's realtime endpoint on this machine."""

import contextlib
import json
import shlex
import tempfile
import threading
from pathlib import Path
from typing import Annotated

import typer

from extractor_apis.manifest import Manifest
from extractor_cli import archive, dependencies, services, terminal

_LONGEST_EXAMPLE = 300


@terminal.verb
def serve(
    path: Annotated[str, typer.Argument(help="Folder, .zip or .tar.gz of an extractor, or an https URL.")],
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8000,
    settings: dependencies.SettingsFile = None,
    namespace: dependencies.Namespace = None,
    secret: services.Secrets = None,
    llm: services.LLMs = None,
    output: terminal.Output = terminal.Format.TEXT,
    verbose: terminal.Verbose = False,
) -> None:
    """Serve an extractor's realtime.py over HTTP until Ctrl-C."""
    given, known = services.parse(secret, llm), dependencies.read(settings, namespace)
    from extractor_runtime import loader
    from extractor_runtime.realtime import serve

    with tempfile.TemporaryDirectory(prefix="extractor-serve-") as folder:
        artifact = archive.admit(path, Path(folder), known, namespace)
        environment = dependencies.prepare(artifact.manifest, known, namespace)
        tree = loader.Tree(artifact.tree, artifact.digest, artifact.top_folder, environment)
        with serve.start(
            tree, artifact.manifest, services=given, host=host, port=port, on_progress=terminal.say
        ) as endpoint:
            if output is terminal.Format.JSON:
                terminal.print_json({"url": endpoint.url})
            else:
                print(f"{artifact.manifest.uri} answers at {endpoint.url}", flush=True)
                terminal.say(
                    f"try: curl -X POST {endpoint.url} -H 'content-type: application/json' "
                    f"-d {shlex.quote(example(artifact.manifest))}   (Ctrl-C ends it)"
                )
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()


def example(manifest: Manifest) -> str:
    """Write a request with the manifest's example, if that is short and has the names of inputs."""
    given = manifest.example_input
    body = json.dumps(given if isinstance(given, dict) and "inputs" in given else {"inputs": given})
    is_usable = isinstance(given, dict) and len(body) <= _LONGEST_EXAMPLE
    return body if is_usable else '{"inputs": {"text": "hello"}}'
