"""What is kept of the logs of a run."""

from pathlib import Path

from extractor_runtime import logs


def test_a_long_log_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "ray" / "session_2026" / "logs"
    folder.mkdir(parents=True)
    (folder / "worker-1.out").write_bytes(b"first" + b"." * (3 << 20) + b"last")
    (folder / "worker-2.out").write_bytes(b"short")
    (folder / "raylet.out").write_bytes(b"not kept")

    logs.copy(tmp_path / "ray", tmp_path / "kept")

    assert sorted(file.name for file in (tmp_path / "kept").iterdir()) == ["worker-1.out", "worker-2.out"]
    kept = (tmp_path / "kept" / "worker-1.out").read_bytes()
    assert kept.startswith(b"first") and kept.endswith(b"last")
    assert b"... 1048585 bytes are left out here ..." in kept
    assert len(kept) < (2 << 20) + 100
    assert (tmp_path / "kept" / "worker-2.out").read_bytes() == b"short"


def test_only_what_has_grown_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "worker-1.out").write_text("old")
    (tmp_path / "worker-2.err").write_text("new")
    (tmp_path / "worker-3.err").write_text("")

    read = list(logs.read(tmp_path, {"worker-1.out": 3, "worker-2.err": 1}))

    assert read == [("worker-2.err", 3, b"new")]
