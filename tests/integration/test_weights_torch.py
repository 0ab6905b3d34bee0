"""What torch and numpy really write is judged as the policy says; the list of globals is torch's own."""

from pathlib import Path

import pytest

from extractor_sandbox.weights import torch_globals
from support import peers
from support.archives import extractor, judge_bytes

pytestmark = pytest.mark.integration

WRITE = """
import collections, io, warnings
import numpy, torch
import torch._weights_only_unpickler as unpickler

def run(folder):
    warnings.simplefilter("ignore")
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.LSTM(3, 2))
    optimizer = torch.optim.Adam(model[0].parameters())
    model[0](torch.ones(2, 4)).sum().backward()
    optimizer.step()
    rich = {
        "model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "rate": 1e-3,
        "none": None, "big": 2**70, "set": {1, 2}, "bytes": b"xy", "array": bytearray(b"q"),
        "complex": 1 + 2j, "text": "größe", "list": [1, [2], (3,)],
        "size": torch.Size([1, 2]), "type": torch.float16, "device": torch.device("cpu"),
        "parameter": torch.nn.Parameter(torch.ones(2)), "count": collections.Counter("aab"),
        "types": [torch.ones(2).to(each) for each in (
            torch.bool, torch.int8, torch.uint16, torch.bfloat16, torch.complex64, torch.float8_e4m3fn)],
        "sparse": torch.eye(3).to_sparse(), "rows": torch.eye(3).to_sparse_csr(), "no": torch.empty(0),
        "quantized": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
    }
    torch.save(model.state_dict(), f"{folder}/state.pt")
    torch.save(rich, f"{folder}/rich model-1.5.ckpt")
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(100, 100)}, buffer)
    open(f"{folder}/buffer.bin", "wb").write(buffer.getvalue())
    torch.save(model.state_dict(), f"{folder}/legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), f"{folder}/script.pt")
    torch.save(model, f"{folder}/module.pt")
    record = numpy.zeros(3, dtype=[("a", "<i4"), ("b", "f8", (2,)), ("c", "S5")])
    numpy.save(f"{folder}/record.npy", record)
    numpy.save(f"{folder}/names.npy", numpy.zeros(1, dtype=[("größe", "f4")]))
    numpy.save(f"{folder}/dates.npy", numpy.array(["2020-01-01"], dtype="M8[ns]"))
    numpy.save(f"{folder}/objects.npy", numpy.array([{}], dtype=object))
    text = numpy.array(["x", "yy"])
    numpy.savez(f"{folder}/arrays.npz", record=record, text=text, none=numpy.zeros((0, 3)))
    numpy.savez_compressed(f"{folder}/compressed.npz", zeros=numpy.zeros((1000, 1000)))
    numpy.savez(f"{folder}/objects.npz", a=numpy.array([{}], dtype=object))
    return sorted(unpickler._get_allowed_globals())
"""
WANT = {
    "state.pt": None,
    "rich model-1.5.ckpt": None,
    "buffer.bin": None,
    "record.npy": None,
    "names.npy": None,
    "dates.npy": None,
    "arrays.npz": None,
    "compressed.npz": None,
    "legacy.pt": "the file has the format of torch before 1.6",
    "script.pt": "the file is TorchScript",
    "module.pt": "the pickle names torch.nn.modules.container.Sequential",
    "objects.npy": "the values are of the type |O",
    "objects.npz": "a.npy: the values are of the type |O",
}


@pytest.fixture(scope="module")
def torch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder that one process wrote, and what its torch accepts."""
    folder = tmp_path_factory.mktemp("weights")
    return folder, peers.run(WRITE, str(folder))


@pytest.mark.parametrize(("name", "want"), WANT.items(), ids=WANT)
def test_what_is_really_written_is_judged(torch: tuple[Path, list[str]], name: str, want: str | None) -> None:
    folder, _ = torch

    outcome = judge_bytes(extractor({f"weights/{name}": (folder / name).read_bytes()}))

    said = [finding.problem.message for finding in outcome.findings]
    assert len(said) == (want is not None) and all(message.startswith(str(want)) for message in said)


def test_the_allowed_globals_are_torchs(torch: tuple[Path, list[str]]) -> None:
    _, accepted = torch

    assert sorted(torch_globals.ALLOWED) == accepted
