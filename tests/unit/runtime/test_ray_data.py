"""Ray Data pipelines, as far as they need no Ray."""

from pathlib import Path

from extractor_runtime.batch import ray_data, rows
from support import runs


def test_a_death_after_the_last_row_leaves_nothing_to_do_again(tmp_path: Path) -> None:
    tree = runs.make_tree(tmp_path / "tree", {})
    config = runs.make_config(tree, tmp_path)
    rest = rows.contract_table(runs.make_objects({"a": "text"}), config).slice(0, 0)

    tables = ray_data.run_carefully(tree, config, [], rest, None, lambda: None)

    assert list(tables) == []
