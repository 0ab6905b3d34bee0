"""F: the files of an extractor."""

import codecs
from collections.abc import Iterator

from extractor_sandbox import imports
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.tree import Tree

_CODE = {"py", "pyi"}
_TEXT = {"json", "jsonl", "yaml", "yml", "toml", "cfg", "ini", "txt", "md", "rst", "csv", "tsv"}
_IMAGES = {"png", "jpg", "jpeg", "webp"}
_WEIGHTS = {"safetensors", "onnx", "gguf", "npy", "npz", "pt", "bin", "ckpt", "model"}
_ZIPPED = {"npz", "pt", "bin", "ckpt"}
_BARE = {"LICENSE", "NOTICE", "README", "AUTHORS", "py.typed"}

_EXECUTABLES = {
    b"\x7fELF": "an ELF executable",
    b"MZ": "a Windows executable",
    b"\xfe\xed\xfa\xce": "a Mach-O executable",
    b"\xfe\xed\xfa\xcf": "a Mach-O executable",
    b"\xce\xfa\xed\xfe": "a Mach-O executable",
    b"\xcf\xfa\xed\xfe": "a Mach-O executable",
    b"\xca\xfe\xba\xbe": "a Java class or universal executable",
    b"\xca\xfe\xba\xbf": "a universal executable",
    b"\xbe\xba\xfe\xca": "a universal executable",
    b"\0asm": "a WebAssembly module",
    b"!<arch>\n": "an ar archive of objects",
    b"!<thin>\n": "an ar archive of objects",
}
_ZIPS = {b"PK\3\4": "a zip", b"PK\5\6": "a zip", b"PK\7\x08": "a zip"}
_ARCHIVES = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x1f\x8b": "gzip data",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ\0": "xz data",
    b"\x28\xb5\x2f\xfd": "zstd data",
    b"Rar!\x1a\x07": "a rar archive",
}
_SUSPECTS = {**_EXECUTABLES, **_ZIPS, **_ARCHIVES}
_HEAD_BYTES = 12
_HOOKS = {"sitecustomize", "usercustomize"}
_SOURCE = (".py", ".pyi")
_RESOURCES = "__MACOSX"
_PACK_ON_MACOS = (
    "Give `extractor` the folder itself, or pack it without Finder: `zip -r -X NAME.zip NAME -x '*/.*'` or "
    "`COPYFILE_DISABLE=1 tar -czf NAME.tar.gz --format=ustar NAME`."
)


@rule(
    "F01", "Leave the file out, or keep its content in a type from the list: JSON, text, images, safetensors."
)
def types_are_known(tree: Tree) -> Iterator[Problem]:
    """Only types of files that the scan can judge are accepted: Python source, text, PNG, JPEG and WebP
    images, model weights, and LICENSE, NOTICE, README, AUTHORS, py.typed. No compiled code, no pickles, no
    nested archives."""
    for path in _all_paths(tree):
        if "__pycache__" in path.split("/"):
            yield Problem("this is a cache of compiled code", path, advice="Delete the folder `__pycache__`.")
    for path in tree.files:
        name = path.rpartition("/")[2]
        if not (_kind(path) or name in _BARE or _is_set_aside(path)):
            kind = _extension(name)
            yield Problem(
                f"files of the type .{kind} are not accepted" if kind else "the file has no type", path
            )


@rule("F02", "Give the file the extension of what it is, or leave it out.")
def contents_fit(tree: Tree) -> Iterator[Problem]:
    """A file is what its name says: nothing executable, no hidden archives, text in UTF-8, images that are
    images."""
    for path, content in tree.files.items():
        if _is_set_aside(path):
            continue
        head = content.at(0, _HEAD_BYTES)
        kind = _kind(path)
        suspects = (what for magic, what in _SUSPECTS.items() if head.startswith(magic))
        found = next(suspects, None)
        if found and not (found == "a zip" and kind in _ZIPPED):
            yield Problem(f"the file is {found}", path)
        elif kind in _IMAGES and not _is_image(kind, head):
            yield Problem(f"the file is no {kind.upper()} image", path)
        elif kind in _TEXT or path.rpartition("/")[2] in _BARE:
            fault = _find_text_fault(content)
            if fault:
                yield Problem(fault, path, advice="Save the file as UTF-8.")


@rule("F03", "Move the code to where it is used, for example to the top of pipeline.py.")
def no_start_hooks(tree: Tree) -> Iterator[Problem]:
    """Python imports modules named sitecustomize and usercustomize when it starts, before anyone asked for
    them."""
    for path in tree.files:
        modules = {segment.partition(".")[0] for segment in path.split("/")}
        if path.endswith(_SOURCE) and modules & _HOOKS:
            yield Problem("Python would run the file by itself when it starts", path)


@rule("F04", "Leave the file out; a folder that is given to `extractor` is packed without such files.")
def nothing_is_hidden(tree: Tree) -> Iterator[Problem]:
    """Hidden files and folders, and macOS's `__MACOSX`, hold what an author did not mean to publish."""
    for path in _all_paths(tree):
        if _is_of_macos(path):
            yield Problem("macOS put this beside the author's files", path, advice=_PACK_ON_MACOS)
        elif _is_hidden(path):
            yield Problem("the name starts with a dot, or that of a folder around it does", path)


@rule("F05", "Rename the module, or move it into a package: processors/types.py is fine.")
def modules_shadow_nothing(tree: Tree) -> Iterator[Problem]:
    """A top-level module is not named like one of the standard library, an allowed library or the platform:
    which of the two an import means would depend on where it runs."""
    for path in tree.files:
        root, _, rest = path.partition("/")
        name = root if rest else root.partition(".")[0]
        if name in imports.RESERVED and path.endswith(_SOURCE):
            yield Problem(f"the top-level name `{name}` hides the module of that name", path)


@rule(
    "F06", "Put manifest.py and pipeline.py at the root of the archive, or into one folder around everything."
)
def entry_points_exist(tree: Tree) -> Iterator[Problem]:
    """An extractor has manifest.py and pipeline.py at its root, which is the archive's root or its single
    folder."""
    if any(path.startswith(f"{_RESOURCES}/") for path in tree.files):
        return  # Said by F04: Finder's folder lies beside the author's, which is the root without it.
    missing = [name for name in ("manifest.py", "pipeline.py") if name not in tree.files]
    message = f"there is no {' and no '.join(missing)} at the root of the extractor"
    deeper = [path.rpartition("/")[0] for path in tree.files if path.endswith("/manifest.py")]
    if "manifest.py" in missing and deeper:
        advice = f"Pack the folder {deeper[0]} itself, with nothing beside it."
        yield Problem(f"{message}; there is one in {deeper[0]}/", advice=advice)
    elif missing:
        yield Problem(message)


def is_text(path: str) -> bool:
    """Tell whether a file is for people to read: code, text, or a bare name such as README."""
    return _kind(path) in _CODE | _TEXT or path.rpartition("/")[2] in _BARE


def _extension(name: str) -> str:
    stem, _, extension = name.rpartition(".")
    return extension if stem else ""


def _kind(path: str) -> str:
    """Give a file's extension if it is on the list, else nothing."""
    extension = _extension(path.rpartition("/")[2])
    return extension if extension in _CODE | _TEXT | _IMAGES | _WEIGHTS else ""


def _all_paths(tree: Tree) -> list[str]:
    """List everything that has a name: files, listed folders, and the folder around them."""
    return [*tree.files, *tree.folders, *([tree.folder] if tree.folder else [])]


def _is_hidden(path: str) -> bool:
    return path.startswith(".") or "/." in path


def _is_of_macos(path: str) -> bool:
    """Tell what Finder, and tar on macOS, put into archives on their own."""
    *_, name = segments = path.split("/")
    return _RESOURCES in segments or name.startswith("._") or name == ".DS_Store"


def _is_set_aside(path: str) -> bool:
    """Tell whether a file is refused for where it lies, so that what it holds does not matter."""
    return "__pycache__" in path.split("/") or _is_hidden(path) or _is_of_macos(path)


def _is_image(kind: str, head: bytes) -> bool:
    if kind == "png":
        return head.startswith(b"\x89PNG\r\n\x1a\n")
    if kind == "webp":
        return head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    return head.startswith(b"\xff\xd8\xff")


def _find_text_fault(content: Extent) -> str | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in content.pieces():
            if b"\0" in piece:
                return "the text holds a NUL byte"
            # Told ten times as fast as it is decoded; a character may have begun in the piece before.
            if not piece.isascii() or decoder.getstate()[0]:
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "the text is not UTF-8"
    return None


RULES = (
    types_are_known,
    contents_fit,
    no_start_hooks,
    nothing_is_hidden,
    modules_shadow_nothing,
    entry_points_exist,
)
