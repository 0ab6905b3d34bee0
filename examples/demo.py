"""The main job, start to end, through the command that users have: what `make demo` runs.

Prepares the text_passages example with its model, scans it, runs it over the topics that every Python
carries, serves it, and asks five questions. Standard library only: what is real happens in `extractor`.
"""

import argparse
import json
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import prepare_text_passages

EXTRACTOR = Path(sys.executable).with_name("extractor")
URI = "mixpeek://text_passages@1.0.0/passage_embedding"
START_SECONDS = 120


def main() -> None:
    """Run the demo in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=Path(".demo"))
    folder: Path = parser.parse_args().into
    step("An extractor with a real sentence model inside, and real prose")
    archive, source = prepare_text_passages.prepare(folder)
    store = folder / "store"
    print(f"{archive}  {source}")
    step("Scan it as the platform would")
    extractor("lint", archive)
    step("Run it over every topic: passages, vectors, documents (Ray Data)")
    extractor("run", archive, "--source", source, "--store", store, "--collection", "topics")
    step("Serve the same archive (Ray Serve) and ask it")
    port = free_port()
    command = [EXTRACTOR, "serve", archive, "--port", port, "--output", "json"]
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True) as server:
        try:
            endpoint = read_url(server)
            for question in prepare_text_passages.QUESTIONS:
                print(f"\nQ: {question}", flush=True)
                extractor("query", URI, question, "--store", store, "--endpoint", endpoint, quiet=True)
        finally:
            server.terminate()
            server.wait(START_SECONDS)
    step("What to try next")
    for line in (
        f"query {URI} 'your own question' --store {store}",
        f"run {archive} --source {source} --store {store} --collection topics   # nothing new: quick",
        f"serve {archive}",
        "init my_extractor   # write your own",
    ):
        print(f"  {shown(EXTRACTOR)} {line}")


def shown(path: Path) -> Path:
    """Name a path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def step(title: str) -> None:
    """Announce a step."""
    print(f"\n── {title}", flush=True)


def extractor(*arguments: object, quiet: bool = False) -> None:
    """Run the command, showing it first; stop the demo where it fails."""
    command = [str(EXTRACTOR), *(str(argument) for argument in arguments)]
    if not quiet:
        print(f"$ extractor {shlex.join(command[1:])}", flush=True)
    completed = subprocess.run(command, check=False)
    if completed.returncode:
        sys.exit(completed.returncode)


def read_url(server: subprocess.Popen[str]) -> str:
    """Wait for the URL that `extractor serve` prints once it answers; it has a deadline of its own."""
    assert server.stdout is not None
    text = ""
    for line in server.stdout:
        text += line
        if line.startswith("}"):
            return str(json.loads(text)["url"])
    sys.exit("demo: the endpoint did not start")


def free_port() -> int:
    """Find a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
