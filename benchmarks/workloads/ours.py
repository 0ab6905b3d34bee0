"""`python -m benchmarks.workloads.ours FILE …`: the operator, with every write kept in a file.

``-`` is no file, and keeps none. It takes versions as they are: what becomes of those is measured elsewhere.
"""

import json
import sys
from typing import Any

from extractor_operator import __main__ as operator
from extractor_operator import kube


class _Recording(kube.Client):
    async def _call(self, method: str, path: str, **options: Any) -> kube.Json:
        answer = await super()._call(method, path, **options)
        if method != "get":
            wrote = {"method": method.upper(), "path": path, "body": options["body"]}
            form, made = options.get("content_type"), answer.get("metadata", {}).get("uid")
            with open(sys.argv[1], "a", encoding="utf-8") as file:
                print(json.dumps(wrote | {"form": form, "uid": made}), file=file)
        return answer


if __name__ == "__main__":
    if sys.argv[1] != "-":
        # Nothing else stands between a write and what comes after it.
        kube.Client = _Recording  # type: ignore[misc]
    sys.exit(operator.main(sys.argv[2:], kinds=operator.KINDS[1:]))
