"""The fields of each kind as tables in its page: ``python -m extractor_apis.reference FOLDER``.

A page is written by hand but for what stands between a marker such as ``<!-- fields of spec -->`` and
``<!-- end -->``; that is made of the definition that the API server gets.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from extractor_apis import crd
from extractor_apis.resource import Resource

_TABLE = re.compile(r"(<!-- fields of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HEAD = "| field | is | |\n|---|---|---|\n"

Schema = dict[str, Any]


def main() -> None:
    """Fill the tables of every kind's page in the folder that the command line names."""
    for kind in crd.KINDS:
        page = Path(sys.argv[1]) / f"{kind.__name__.lower()}.md"
        page.write_text(fill(page.read_text("utf-8"), kind), "utf-8")


def fill(page: str, kind: type[Resource]) -> str:
    """Write a page's tables anew."""
    root = crd.define(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]

    def table(match: re.Match[str]) -> str:
        rows = "".join(_rows(match[2], root[match[2]]))
        return f"{match[1]}{_HEAD}{rows}{match[3]}"

    return _TABLE.sub(table, page)


def _rows(path: str, schema: Schema) -> Iterator[str]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}"
        if here == "status.conditions":
            continue  # Every kind has them, and a section of its own about them.
        inner = field.get("items", field)
        notes = [field.get("description", "")]
        if "default" in field and field["default"] not in ({}, []):
            notes.append(f"By default `{_plain(field['default'])}`.")
        is_needed = " (required)" if name in required else ""
        yield f"| `{here}` | {_type(field)}{is_needed} | {_cell(' '.join(filter(None, notes)))} |\n"
        yield from _rows(here + ("[]" if "items" in field else ""), inner)


def _type(field: Schema) -> str:
    if "items" in field:
        return f"list of {_type(field['items'])}s"
    if "enum" in field:
        return " or ".join(f"`{each}`" for each in field["enum"])
    return str(field.get("type", "anything"))


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
