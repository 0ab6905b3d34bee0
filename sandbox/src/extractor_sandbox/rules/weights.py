"""W: model files, by what they hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Problem, Refused, rule
from extractor_sandbox.weights import checkpoint, gguf, npy, onnx, safetensors
from extractor_sandbox.weights.unfit import Unfit

_CHECKPOINTS = (".pt", ".bin", ".ckpt")
ENDINGS = (*_CHECKPOINTS, ".safetensors", ".npy", ".npz", ".onnx", ".gguf")


@dataclass(frozen=True)
class ModelFile:
    """A file of the extractor, and what it holds."""

    path: str
    content: Extent


@rule("W02", "Keep the weights as safetensors: safetensors.torch.save_file(model.state_dict(), path).")
def checkpoints_hold_tensors(file: ModelFile) -> Iterator[Problem]:
    """A .pt, .bin or .ckpt file is a checkpoint as torch.save writes it, or one pickle. It rebuilds tensors
    and plain data, and names nothing but what torch itself accepts with weights_only=True. TorchScript and
    the format of torch before 1.6 are not accepted."""
    return _judge(file, _CHECKPOINTS, checkpoint.check)


@rule("W03", "Write the file again with the library: safetensors.torch.save_file(tensors, path).")
def safetensors_are_valid(file: ModelFile) -> Iterator[Problem]:
    """The header of a safetensors file is what the library accepts: every byte belongs to one tensor, and
    every tensor has as many bytes as its shape says."""
    return _judge(file, ".safetensors", safetensors.check)


@rule("W04", "Write numbers or text again: numpy.save(path, array, allow_pickle=False).")
def arrays_are_plain(file: ModelFile) -> Iterator[Problem]:
    """A .npy file is one array of numbers or text, a .npz file an archive of these. An array of Python
    objects would be a pickle."""
    yield from _judge(file, ".npy", npy.check)
    yield from _judge(file, ".npz", npy.check_zip)


@rule("W05", "Export the model again, in one file.")
def onnx_models_stay_inside(file: ModelFile) -> Iterator[Problem]:
    """An ONNX file is a complete model, and tensors that it keeps in other files lie beside or below it: no
    absolute paths, no `..`."""
    return _judge(file, ".onnx", onnx.check)


@rule("W06", "Convert the model again, or keep it as safetensors.")
def gguf_headers_are_plain(file: ModelFile) -> Iterator[Problem]:
    """The header of a GGUF file can be read to its end, and its chat template only formats text: a template
    is a program, which reaches Python through `__`, `import` or `|attr`."""
    return _judge(file, ".gguf", gguf.check)


def _judge(
    file: ModelFile, endings: str | tuple[str, ...], check: Callable[[Extent], None]
) -> Iterator[Problem]:
    if file.path.endswith(endings):
        try:
            check(file.content)
        except Unfit as unfit:
            yield Problem(str(unfit), file.path, advice=unfit.advice)
        except Refused as refused:
            yield Problem(f"the archive within cannot be read: {refused}", file.path)


RULES = (
    checkpoints_hold_tensors,
    safetensors_are_valid,
    arrays_are_plain,
    onnx_models_stay_inside,
    gguf_headers_are_plain,
)
