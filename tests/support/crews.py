"""Workers with as many members in their crew as a test wants, and with what goes wrong in them."""

import sys

_START = """
import json, sys
from extractor_sandbox import crew, worker
options = json.loads(sys.argv[1])
options["crew"] = {members}
sys.argv[1] = json.dumps(options)
{trouble}
worker.main()
"""
MEMBERS_ONLY = """
import os, time
first, take, judge_file = os.getpid(), crew._take, crew.judge_file

def take_last(tickets):
    if os.getpid() == first:
        time.sleep(0.3)
    return take(tickets)

def go_wrong(path, content, imports):
    if path == "package/bad.py":
        {what}
    return judge_file(path, content, imports)

crew._take, crew.judge_file = take_last, go_wrong
"""


def worker(members: int, *, bad: str = "") -> tuple[str, ...]:
    """Give the command of a worker whose members do something bad when they read ``package/bad.py``."""
    trouble = MEMBERS_ONLY.replace("{what}", bad) if bad else ""
    start = _START.replace("{members}", str(members)).replace("{trouble}", trouble)
    return (sys.executable, "-I", "-W", "ignore", "-c", start)
