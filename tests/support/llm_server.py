"""A server that speaks the protocols of OpenAI, Anthropic and Google, misbehaves as told, and remembers.

Written from the providers' API references, not from our client: what it answers is what the real ones answer.
"""

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

INPUT_TOKENS = 11
OUTPUT_TOKENS = 7


@dataclass(frozen=True)
class Fault:
    """What one answer is instead of the right one."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """To wait before answering."""
    content: str | None = None
    """What the model says, in an answer that is right otherwise."""
    is_cut: bool = False
    """Whether the model stopped at its limit of tokens."""


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    """With lower-case names."""
    body: dict[str, Any]
    when: float
    """On the monotonic clock."""


class LLMServer:
    """What a running server was asked, and what it is to answer."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        """Taken from the front, one for each request; the right answer when there is none left."""
        self.answer: Any = {"tags": ["red"]}
        """What the model says to a question with a schema; otherwise it repeats the last text of the user."""
        self.seconds = 0.0
        """To think about each answer."""
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def respond(self, request: Asked) -> tuple[int, bytes, dict[str, str]]:
        with self._lock:
            self.asked.append(request)
            fault = self.faults.pop(0) if self.faults else Fault()
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        self._closed.wait(self.seconds + fault.seconds)
        with self._lock:
            self._at_once -= 1
        if fault.status != 200 or fault.body:
            return fault.status, fault.body, fault.headers
        return 200, json.dumps(_speak(request, fault, self.answer)).encode(), fault.headers

    def close(self) -> None:
        self._closed.set()


@contextlib.contextmanager
def serve() -> Iterator[LLMServer]:
    """Run a server on a port of its own."""
    told = LLMServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content, extra = told.respond(Asked(self.path, headers, body, time.monotonic()))
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                values = {"Content-Type": "application/json", "Content-Length": str(len(content)), **extra}
                for name, value in values.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield told
        finally:
            told.close()
            server.shutdown()
            thread.join()


def _speak(request: Asked, fault: Fault, answer: Any) -> dict[str, Any]:
    path, body = request.path, request.body
    if path.endswith("/chat/completions"):
        return _openai(body, fault, answer)
    if path.endswith("/embeddings"):
        return _embeddings(body)
    if path.endswith("/v1/messages"):
        return _anthropic(body, fault, answer)
    assert path.endswith(":generateContent"), path
    return _google(body, fault, answer)


def _openai(body: dict[str, Any], fault: Fault, answer: Any) -> dict[str, Any]:
    said = body["messages"][-1]["content"]
    text = said if isinstance(said, str) else next((p["text"] for p in said if p["type"] == "text"), "")
    content = json.dumps(answer) if "response_format" in body else text
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": fault.content or content, "refusal": None},
                "finish_reason": "length" if fault.is_cut else "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


def _embeddings(body: dict[str, Any]) -> dict[str, Any]:
    data = [
        {"object": "embedding", "index": index, "embedding": [float(len(text)), 1.0]}
        for index, text in enumerate(body["input"])
    ]
    usage = {"prompt_tokens": INPUT_TOKENS, "total_tokens": INPUT_TOKENS}
    # The order is the index's, not the list's.
    return {"object": "list", "data": data[::-1], "model": body["model"], "usage": usage}


def _anthropic(body: dict[str, Any], fault: Fault, answer: Any) -> dict[str, Any]:
    text = next((part["text"] for part in body["messages"][-1]["content"] if part["type"] == "text"), "")
    content = fault.content or (json.dumps(answer) if "format" in body.get("output_config", {}) else text)
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": content}],
        "stop_reason": "max_tokens" if fault.is_cut else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
    }


def _google(body: dict[str, Any], fault: Fault, answer: Any) -> dict[str, Any]:
    text = next((part["text"] for part in body["contents"][-1]["parts"] if "text" in part), "")
    wants_json = body.get("generationConfig", {}).get("responseMimeType") == "application/json"
    content = fault.content or (json.dumps(answer) if wants_json else text)
    return {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": content}]},
                "finishReason": "MAX_TOKENS" if fault.is_cut else "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": INPUT_TOKENS,
            "candidatesTokenCount": OUTPUT_TOKENS,
            "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
        },
        "modelVersion": "gemini",
    }
