"""How `container.llm` waits: tries again, gives up in time, and never asks too much at once."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator

import pytest

from extractor_runtime.sdk import concurrency
from extractor_runtime.sdk.container import ServiceContainer
from extractor_runtime.sdk.container.errors import LLMError
from extractor_runtime.usage import Meter
from support import llm_server, llms
from support.llm_server import Fault, LLMServer

pytestmark = pytest.mark.integration

PROVIDERS = list(llms.MODELS)
BUSY = b'{"error": {"message": "too many requests"}}'


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LLMServer]:
    monkeypatch.setenv(llms.KEY_VARIABLE, llms.KEY)
    with llm_server.serve() as server:
        yield server


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_server_that_fails_twice_is_asked_a_third_time(server: LLMServer, provider: str) -> None:
    server.faults = [Fault(500, b"boom"), Fault(503, b"")]
    container = ServiceContainer.of(llms.make_services(server))

    answer = asyncio.run(container.llm.generate("Say hello.", provider=provider))

    assert (answer.data, len(server.asked)) == ("Say hello.", 3)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_retry_after_is_waited_for(server: LLMServer, provider: str) -> None:
    server.faults = [Fault(429, BUSY, {"Retry-After": "1"})]
    container = ServiceContainer.of(llms.make_services(server))

    asyncio.run(container.llm.generate("Say hello.", provider=provider))

    assert server.asked[1].when - server.asked[0].when >= 1


def test_a_wait_longer_than_the_time_for_a_call_is_not_begun(server: LLMServer) -> None:
    server.faults = [Fault(429, BUSY, {"Retry-After": "3600"})]
    container = ServiceContainer.of(llms.make_services(server))
    begun = time.monotonic()

    with pytest.raises(LLMError, match="answered 429: too many requests; ask for fewer calls at a time"):
        asyncio.run(container.llm.generate("Say hello."))

    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_server_that_hangs_is_given_up_in_time(server: LLMServer, provider: str) -> None:
    server.faults = [Fault(seconds=60)]
    container = ServiceContainer.of(llms.make_services(server, llm_timeout=0.5))
    begun = time.monotonic()

    with pytest.raises(LLMError, match=rf"^{provider} \(.*\) did not answer within 0.5 s"):
        asyncio.run(container.llm.generate("Say hello.", provider=provider))

    # The provider's library may have to be imported first.
    assert time.monotonic() - begun < 10


def test_a_server_that_keeps_failing_is_given_up_before_the_time_is_over(server: LLMServer) -> None:
    server.faults = [Fault(500, b"boom")] * 9
    container = ServiceContainer.of(llms.make_services(server, llm_timeout=1.2))

    with pytest.raises(LLMError, match="answered 500: boom; try again later"):
        asyncio.run(container.llm.generate("Say hello."))


def test_a_server_that_fails_and_then_hangs_is_given_up_with_its_last_words(server: LLMServer) -> None:
    server.faults = [Fault(500, b"boom"), Fault(seconds=60)]
    container = ServiceContainer.of(llms.make_services(server, llm_timeout=1.5))

    with pytest.raises(LLMError, match=r"not answer within 1\.5 s; the last of 1 tries answered 500: boom"):
        asyncio.run(container.llm.generate("Say hello."))


def test_a_server_that_is_not_there_is_named(server: LLMServer) -> None:
    services = llms.make_services(server, llm_timeout=1.0)
    endpoint = services.llm["openai"].model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
    container = ServiceContainer.of(services.model_copy(update={"llm": {"local": endpoint}}))

    with pytest.raises(LLMError, match=r"local \(gpt-4o\) cannot be reached \(.+\); check the endpoint's"):
        asyncio.run(container.llm.generate("Say hello."))


def test_never_more_calls_at_once_than_allowed_whatever_loop_or_thread_asks(server: LLMServer) -> None:
    server.seconds = 0.02
    container = ServiceContainer.of(llms.make_services(server, llm_concurrency=3))

    async def ask() -> None:
        await asyncio.gather(*(container.llm.generate("Say hello.") for _ in range(6)))

    threads = [threading.Thread(target=asyncio.run, args=(ask(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (server.most_at_once, len(server.asked)) == (3, 24)


def test_a_container_is_used_from_one_event_loop_after_the_other(server: LLMServer) -> None:
    container = ServiceContainer.of(llms.make_services(server))

    answers = [asyncio.run(container.llm.generate(str(index))).data for index in range(3)]

    assert answers == ["0", "1", "2"]


def test_what_is_cancelled_frees_its_place(server: LLMServer) -> None:
    container = ServiceContainer.of(llms.make_services(server, llm_concurrency=1))
    asyncio.run(container.llm.generate("So that the client is there."))
    server.faults = [Fault(seconds=60)]

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await container.llm.generate("Say hello.")
        assert (await container.llm.generate("Say hello.")).data == "Say hello."

    asyncio.run(give_up())


# Python 3.12 and later warn of what this is about.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_asks_for_itself(server: LLMServer) -> None:
    container = ServiceContainer.of(llms.make_services(server))
    asyncio.run(container.llm.generate("Say hello."))

    child = os.fork()
    if child == 0:
        answer = asyncio.run(container.llm.generate("From the child."))
        os._exit(0 if answer.data == "From the child." else 1)

    assert os.waitpid(child, 0)[1] == 0


def test_every_row_pays_for_its_own_calls(server: LLMServer) -> None:
    server.faults = [Fault(400, b"")]
    container = ServiceContainer.of(llms.make_services(server, llm_concurrency=1))
    meter = Meter()

    async def ask(text: str) -> str:
        return str((await container.llm.generate("Repeat it.", text=text)).data)

    answers = meter.run(concurrency.concurrent_api_calls, ["a", "b", "c"], ask)

    assert sorted(map(str, answers)) == ["None", "b", "c"]
    assert [row and row.requests for row in meter.by_row(3)] == [None, 1, 1]
    assert meter.total.input_tokens == 2 * llm_server.INPUT_TOKENS
