"""The process that a `Child` starts: ``python -m extractor_runtime.batch.child_main SOCKET TRACE PARENT``.

It ends when its parent does. What the author's code prints goes where the parent's own output goes.
"""

import faulthandler
import os
import queue
import sys
import threading
from multiprocessing.connection import Connection

import orjson
import pyarrow as pa

from extractor_runtime import parent
from extractor_runtime.batch import child
from extractor_runtime.batch.author import Processor
from extractor_runtime.batch.stage import StageActor


def main(socket: int, trace: int, started_by: int) -> None:
    """Make the processors, then answer blocks until the parent is gone."""
    # Where this is not Linux, `_read` notices, unless native code hangs.
    parent.die_with(started_by)
    for fd in (socket, trace):
        os.set_inheritable(fd, False)
    faulthandler.enable(trace)
    connection = Connection(socket)
    blocks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    config = connection.recv()
    threading.Thread(target=_read, args=(connection, blocks), daemon=True, name="blocks").start()
    # Several threads of an actor call the author at the same time.
    sending = threading.Lock()

    def send(kind: bytes, content: bytes) -> None:
        with sending:
            connection.send_bytes(kind + content)

    def calling(processor: Processor) -> None:
        send(child.CALLING, orjson.dumps([processor.step.name, processor.location]))

    actor = StageActor(config, on_call=calling)
    send(child.READY, b"")
    while True:
        result = actor(pa.ipc.open_stream(blocks.get()).read_all())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, result.schema) as writer:
            writer.write_table(result)
        send(child.DONE, sink.getvalue().to_pybytes())


def _read(connection: Connection, blocks: queue.SimpleQueue[bytes]) -> None:
    while True:
        try:
            blocks.put(connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
