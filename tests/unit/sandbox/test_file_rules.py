"""Files are of known types, hold what their names say, and lie where an extractor has them."""

import pytest

from support import model_files
from support.archives import FILES, Entry, extractor, judge_bytes, make_files, make_zip, rejections

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def judged(files: dict[str, str | bytes]) -> set[str]:
    return rejections(judge_bytes(extractor(files)))


@pytest.mark.parametrize(
    "path",
    [
        *(
            "a.py",
            "a.pyi",
            "data/a.json",
            "a.jsonl",
            "a.yaml",
            "a.yml",
            "a.toml",
            "a.cfg",
            "a.ini",
            "a.txt",
            "a.md",
        ),
        *(
            "a.rst",
            "a.csv",
            "a.tsv",
            "w/model.safetensors",
            "w/m.onnx",
            "w/m.gguf",
            "w/m.npy",
            "w/m.pt",
            "w/m.bin",
        ),
        *("w/m.ckpt", "w/spiece.model", "LICENSE", "docs/NOTICE", "README", "AUTHORS", "processors/py.typed"),
        "w/model.safetensors.index.json",
    ],
)
def test_listed_types_are_accepted(path: str) -> None:
    assert judged({path: model_files.SMALL.get(path.rpartition(".")[2], b"")}) == set()


@pytest.mark.parametrize(
    "path",
    [
        *(
            "a.so",
            "a.pyd",
            "a.dll",
            "a.pyc",
            "a.pth",
            "a.pkl",
            "a.joblib",
            "a.keras",
            "a.h5",
            "a.whl",
            "a.zip",
            "a.sh",
        ),
        *("a.tar.gz", "a.PY", "a.Txt", "Makefile", "LICENSE.xyz", "a.py.bak", "processors/__pycache__/a.py"),
    ],
)
def test_other_types_are_rejected(path: str) -> None:
    assert judged({path: b""}) == {"F01"}


@pytest.mark.parametrize(
    ("path", "content", "want"),
    [
        pytest.param("a.png", PNG, set(), id="a PNG"),
        pytest.param("a.jpg", b"\xff\xd8\xff\xe0", set(), id="a JPEG"),
        pytest.param("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", set(), id="a WebP"),
        pytest.param("a.txt", "größe \U0001f600", set(), id="text in UTF-8"),
        pytest.param("w/m.npz", model_files.SMALL["npz"], set(), id="a zip that may be one"),
        pytest.param("w/m.bin", b"\x80\2}.", set(), id="weights that start like nothing"),
        pytest.param("a.jpeg", PNG, {"F02"}, id="a PNG as JPEG"),
        pytest.param("a.png", b"", {"F02"}, id="an empty image"),
        pytest.param("a.webp", b"RIFF\0\0\0\0WAVE", {"F02"}, id="a sound as image"),
        pytest.param("a.txt", b"gr\xf6\xdfe", {"F02"}, id="Latin-1"),
        pytest.param("a.txt", b"a" * (1 << 20) + b"\xff", {"F02"}, id="Latin-1 after a while"),
        pytest.param("a.csv", b"a,b\0c", {"F02"}, id="a NUL byte"),
        pytest.param("LICENSE", b"\xff", {"F02"}, id="a bare name with bytes"),
        pytest.param("a.txt", make_zip({"a": b"x"}), {"F02"}, id="a zip as text"),
        pytest.param("a.json", make_zip({}), {"F02"}, id="an empty zip as text"),
        pytest.param("w/m.safetensors", make_zip({"a": b"x"}), {"F02"}, id="a zip as safetensors"),
        pytest.param("w/m.onnx", b"\x7fELF\2\1\1", {"F02"}, id="ELF"),
        pytest.param("w/m.pt", b"MZ\x90\0", {"F02"}, id="a Windows executable"),
        pytest.param("w/m.bin", b"\xcf\xfa\xed\xfe", {"F02"}, id="Mach-O"),
        pytest.param("w/m.bin", b"\xca\xfe\xba\xbe", {"F02"}, id="a Java class"),
        pytest.param("w/m.bin", b"\0asm\1", {"F02"}, id="WebAssembly"),
        pytest.param("w/m.bin", b"!<arch>\n", {"F02"}, id="ar"),
        pytest.param("w/m.bin", b"!<thin>\n", {"F02"}, id="thin ar"),
        pytest.param("w/m.bin", b"\x1f\x8b\x08", {"F02"}, id="gzip"),
        pytest.param("w/m.bin", b"BZh91AY", {"F02"}, id="bzip2"),
        pytest.param("w/m.bin", b"\xfd7zXZ\0", {"F02"}, id="xz"),
        pytest.param("w/m.bin", b"\x28\xb5\x2f\xfd", {"F02"}, id="zstd"),
        pytest.param("w/m.bin", b"7z\xbc\xaf\x27\x1c", {"F02"}, id="7z"),
        pytest.param("w/m.bin", b"Rar!\x1a\x07\x01\0", {"F02"}, id="rar"),
    ],
)
def test_content_fits_the_name(path: str, content: str | bytes, want: set[str]) -> None:
    assert {rule for rule in judged({path: content}) if rule.startswith("F")} == want


@pytest.mark.parametrize(
    ("path", "want"),
    [
        pytest.param("sitecustomize.py", {"F03"}, id="a start hook"),
        pytest.param("deep/usercustomize.py", {"F03"}, id="a start hook below"),
        pytest.param("sitecustomize/__init__.py", {"F03"}, id="a start hook as package"),
        pytest.param("docs/sitecustomize.md", set(), id="a page about start hooks"),
        pytest.param(".hidden/a.txt", {"F04"}, id="a hidden folder"),
        pytest.param("notes/.a.txt", {"F04"}, id="a hidden file"),
        pytest.param("__MACOSX/a.txt", {"F04"}, id="macOS's folder"),
        pytest.param("json.py", {"F05"}, id="a module of the standard library"),
        pytest.param("email/text.py", {"F05"}, id="a package of the standard library"),
        pytest.param("numpy/a.py", {"F05"}, id="an allowed library"),
        pytest.param("shared.py", {"F05"}, id="the platform"),
        pytest.param("ray/serve.py", {"F05"}, id="ray"),
        pytest.param("torch.pyi", {"F05"}, id="a stub"),
        pytest.param("dill.py", {"F05"}, id="a forbidden library"),
        pytest.param("processors/types.py", set(), id="a deeper module"),
        pytest.param("calendar/days.csv", set(), id="a folder of data"),
        pytest.param("tests/test_it.py", set(), id="tests"),
    ],
)
def test_places_are_judged(path: str, want: set[str]) -> None:
    assert judged({path: b""}) == want


@pytest.mark.parametrize(
    ("folder", "want"),
    [
        pytest.param("weights/", set(), id="an empty folder"),
        pytest.param("notes/.git/", {"F04"}, id="a hidden folder"),
        pytest.param("__MACOSX/", {"F04"}, id="macOS's folder"),
        pytest.param("processors/__pycache__/", {"F01"}, id="a cache"),
    ],
)
def test_listed_folders_are_judged_though_nothing_is_in_them(folder: str, want: set[str]) -> None:
    entries = [Entry(path, data) for path, data in FILES.items()]

    assert rejections(judge_bytes(make_zip([*entries, Entry(folder, mode=0o040755)]))) == want


@pytest.mark.parametrize(
    ("folder", "want"),
    [
        pytest.param("text_embed/", set(), id="itself"),
        pytest.param("text_embed/weights/", set(), id="one in it"),
        pytest.param("text_embed/.git/", {"F04"}, id="a hidden one in it"),
        pytest.param("other/", {"F06"}, id="another"),
    ],
)
def test_listed_folders_count_where_the_root_is_sought(folder: str, want: set[str]) -> None:
    entries = [Entry(f"text_embed/{path}", data) for path, data in FILES.items()]

    assert rejections(judge_bytes(make_zip([*entries, Entry(folder, mode=0o040755)]))) == want


def test_a_zip_of_finders_is_refused_for_that_alone_with_the_way_out() -> None:
    inside = {f"text_embed/{path}": data for path, data in FILES.items()}
    shadows = {f"__MACOSX/text_embed/._{path}": b"\0\5\x16\7" for path in FILES}

    findings = judge_bytes(make_zip({**inside, **shadows, "text_embed/.DS_Store": b"\0"})).findings

    files = [finding for finding in findings if finding.rule.startswith("F")]
    assert [finding.rule for finding in files] == ["F04"] * 3
    assert all("zip -r -X" in (finding.problem.advice or "") for finding in files)


@pytest.mark.parametrize(
    ("files", "want", "want_folder"),
    [
        pytest.param(FILES, set(), None, id="at the root"),
        pytest.param(
            {f"text_embed/{path}": data for path, data in FILES.items()},
            set(),
            "text_embed",
            id="in a folder",
        ),
        pytest.param(
            {f"my-embed/{path}": data for path, data in FILES.items()}, set(), None, id="in no package"
        ),
        pytest.param(
            {f"email/{path}": data for path, data in FILES.items()}, set(), None, id="in a taken name"
        ),
        pytest.param(
            {f".git/{path}": data for path, data in FILES.items()}, {"F04"}, None, id="in a hidden folder"
        ),
        pytest.param(
            {f"__pycache__/{path}": data for path, data in FILES.items()},
            {"F01"},
            "__pycache__",
            id="in a cache",
        ),
        pytest.param(
            {f"a/b/{path}": data for path, data in FILES.items()}, {"F06"}, "a", id="two folders down"
        ),
        pytest.param({"manifest.py": FILES["manifest.py"]}, {"F06"}, None, id="without a pipeline"),
        pytest.param({"pipeline.py": b""}, {"F06"}, None, id="without a manifest"),
        pytest.param(
            {"README": b"", **{f"a/{path}": data for path, data in FILES.items()}}, {"F06"}, None, id="beside"
        ),
        pytest.param({}, {"F06"}, None, id="nothing at all"),
    ],
)
def test_the_root_is_found(files: dict[str, bytes], want: set[str], want_folder: str | None) -> None:
    outcome = judge_bytes(make_zip(files))

    assert (rejections(outcome), outcome.top_folder) == (want, want_folder)


def test_a_manifest_in_the_wrong_place_is_found() -> None:
    files = {"README": b"", **{f"a/{path}": data for path, data in FILES.items()}}

    (finding,) = judge_bytes(make_zip(files)).findings

    assert "there is no manifest.py and no pipeline.py" in finding.problem.message
    assert "there is one in a/" in finding.problem.message
    assert finding.problem.advice == "Pack the folder a itself, with nothing beside it."


def test_every_finding_says_where_and_what_to_do() -> None:
    files = make_files({"a.so": b"", "json.py": b"", ".x.txt": b"", "a.png": b"", "x/sitecustomize.py": b""})

    found = {(finding.rule, finding.problem.path) for finding in judge_bytes(make_zip(files)).findings}

    want = {
        ("F01", "a.so"),
        ("F02", "a.png"),
        ("F03", "x/sitecustomize.py"),
        ("F04", ".x.txt"),
        ("F05", "json.py"),
    }
    assert found == want
