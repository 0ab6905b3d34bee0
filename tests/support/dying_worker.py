"""Workers that fail when they come to a stage: the real one, with an end put into its own process.

A profile function sees every call of the worker, whatever the modules look like, and outlives a fork.
"""

import sys
from collections.abc import Sequence

STAGES = {
    "reading the archive": "archive.read",
    "unpacking it": "tree.plant",
    "looking at its files": "rules.files.contents_fit",
    "reading a checkpoint": "weights.checkpoint.check",
    "asking for a second opinion": "weights.second_opinion.check",
    "reading the manifest": "manifest.read",
    "parsing code": "source.parse",
    "judging code": "rules.unsafe.loaders_are_safe",
    "linking files": "program.link",
    "saying what came out": "worker._encode",
}
"""A function of the sandbox that each comes to."""

ENDS = {
    "takes all memory": "held = [bytearray(256 << 20) for _ in range(64)]",
    "is killed": "os.kill(os.getpid(), 9)",
    "crashes": "os.kill(os.getpid(), 11)",
    "aborts": "os.abort()",
    "hangs": "time.sleep(600)",
    "raises": "raise ValueError('boom')",
    "recurses": "recurse()",
    "leaves": "raise SystemExit(0)",
    "leaves at once": "os._exit(0)",
    "closes its output": "os.close(1)",
    "writes rubbish": "os.write(1, b'\\xff\\x00 {\"outcome\": ')",
}

_PROGRAM = """
# {mark}
import os, sys, time
from extractor_sandbox import worker

def recurse():
    recurse()

def look(frame, event, argument):
    if frame.f_code.co_name == {function!r} and frame.f_globals["__name__"] == {module!r} and event == "call":
        sys.setprofile(None)
        {end}

sys.setprofile(look)
worker.main()
"""


def command(stage: str, end: str, mark: str) -> Sequence[str]:
    """Give the command of a worker that ends so at a stage; ``mark`` is in its command line."""
    module, _, function = f"extractor_sandbox.{STAGES[stage]}".rpartition(".")
    program = _PROGRAM.format(mark=mark, module=module, function=function, end=ENDS[end])
    return (sys.executable, "-I", "-W", "ignore", "-c", program)
