"""What is kept of the logs of a run."""

from pathlib import Path

from extractor_runtime import session


def test_a_long_log_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    logs = tmp_path / "ray" / "session_2026" / "logs"
    logs.mkdir(parents=True)
    (logs / "worker-1.out").write_bytes(b"first" + b"." * (3 << 20) + b"last")
    (logs / "worker-2.out").write_bytes(b"short")
    (logs / "raylet.out").write_bytes(b"not kept")

    session.copy_logs(tmp_path / "ray", tmp_path / "kept")

    assert sorted(file.name for file in (tmp_path / "kept").iterdir()) == ["worker-1.out", "worker-2.out"]
    kept = (tmp_path / "kept" / "worker-1.out").read_bytes()
    assert kept.startswith(b"first") and kept.endswith(b"last")
    assert b"... 1048585 bytes are left out here ..." in kept
    assert len(kept) < (2 << 20) + 100
    assert (tmp_path / "kept" / "worker-2.out").read_bytes() == b"short"
