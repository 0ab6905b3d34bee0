"""Judge an archive: list its members, write the canonical tree, apply the rules; all in the worker."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from extractor_sandbox import archive, dependencies, excerpt, imports, limits, manifest, memory
from extractor_sandbox.crew import Crew
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Finding, Problem, Refused
from extractor_sandbox.memory import Memory
from extractor_sandbox.models import JsonValue
from extractor_sandbox.program import Program
from extractor_sandbox.rules import archive as archive_rules
from extractor_sandbox.rules import code as code_rules
from extractor_sandbox.rules import files as file_rules
from extractor_sandbox.rules import manifest as manifest_rules
from extractor_sandbox.rules import secrets as secret_rules
from extractor_sandbox.rules import weights as weight_rules
from extractor_sandbox.source import parse
from extractor_sandbox.tree import Tree, plant
from extractor_sandbox.verdict import FileVerdict

_DISTRIBUTION = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Case:
    """What is judged, and with what: files are open already, nothing is looked up by name."""

    archive: Extent
    canonical: BinaryIO
    """Where the tree goes."""
    scratch: BinaryIO
    allowed_dependencies: frozenset[str]
    reading: Callable[[str], None]
    """Told which file comes next: if the interpreter dies of it, the launcher knows of which."""
    crew: Crew = field(default_factory=Crew)
    """Who judges code with us."""
    memory: Memory | None = None
    """What is known of files from an earlier scan."""
    reader: int | None = None
    """Another descriptor of the canonical file, for reading only; the one for writing is closed as soon as
    the tree is there, so that the launcher can hash what nobody changes any more."""


@dataclass
class Outcome:
    """What came out of it."""

    findings: list[Finding] = field(default_factory=list)
    names: dict[str, JsonValue] | None = None
    """The manifest's fields; None if a rule holds something against it."""
    lines: dict[str, int] = field(default_factory=dict)
    """Where they get their values."""
    top_folder: str | None = None
    files: int = 0
    size: int = 0
    tree: Tree | None = None
    """The files; they stay with the worker."""


def judge(case: Case) -> Outcome:
    """Apply all rules, the cheapest first; what cannot be read past ends it."""
    outcome = Outcome()
    try:
        for finding in _judge(case, outcome):
            outcome.findings.append(finding)
            if len(outcome.findings) == limits.FINDINGS:
                outcome.findings.append(
                    Finding("X02", Problem(f"there are more than {limits.FINDINGS} findings"))
                )
                break
    except Refused as refused:
        outcome.findings.append(refused.finding)
    outcome.findings = excerpt.quote(outcome.findings, outcome.tree.files if outcome.tree else {})
    return outcome


def _judge(case: Case, outcome: Outcome) -> Iterator[Finding]:
    members = archive.read(case.archive, case.scratch)
    outcome.files = sum(not member.is_directory for member in members)
    outcome.size = sum(member.size for member in members)
    found = [finding for rule in archive_rules.MEMBERS for finding in rule.judge(members)]
    yield from found
    if found:
        return
    tree = plant(members, case.canonical, case.reader)
    if case.reader is not None:
        case.canonical.close()
    outcome.tree, outcome.top_folder = tree, tree.top_folder
    for rule in (*file_rules.RULES, *secret_rules.RULES):
        yield from rule.judge(tree)
    yield from _judge_weights(case, tree)
    yield from _judge_manifest(case, tree, outcome)
    yield from _judge_code(case, tree, outcome)


def _judge_weights(case: Case, tree: Tree) -> Iterator[Finding]:
    """Judge model files; those that are archives only if all of them together unpack to little enough."""
    found = list(archive_rules.nested_sizes_are_bounded.judge(tree))
    yield from found
    if found:
        return
    for path, content in tree.files.items():
        if path.endswith(weight_rules.ENDINGS):
            case.reading(path)
            for rule in weight_rules.RULES:
                yield from rule.judge(weight_rules.ModelFile(path, content))


def _judge_manifest(case: Case, tree: Tree, outcome: Outcome) -> Iterator[Finding]:
    content = tree.files.get(manifest.PATH)
    if content is None:
        return  # Said by F06.
    case.reading(manifest.PATH)
    source = parse(manifest.PATH, content, imports.Imports(tree.modules))
    if source.tree is None:
        return  # Said by C02.
    reading = manifest.read(source.tree, len(source.raw), tree.files)
    names, unfit = manifest.export(reading)
    found = [finding for rule in manifest_rules.RULES for finding in rule.judge(reading)]
    found += [Finding(manifest_rules.FIELDS_FIT.id, problem) for problem in unfit]
    yield from found
    if not any(finding.rejects for finding in found):
        outcome.names = names
        outcome.lines = {name: line for name in names if (line := reading.line(name))}


def _judge_code(case: Case, tree: Tree, outcome: Outcome) -> Iterator[Finding]:
    requirements = (outcome.names or {}).get("dependencies")
    roots = dependencies.find_roots(_distributions(requirements), case.allowed_dependencies)
    allowed = imports.Imports(tree.modules, tree.top_folder, roots)
    program = Program(allowed)
    code = [(path, content) for path, content in tree.files.items() if path.endswith((".py", ".pyi"))]
    for verdict in _judge_files(case, code, allowed):
        yield from verdict.findings
        if verdict.facts:
            program.add(verdict.facts)
    program.link()
    for each in code_rules.ARCHIVE_RULES:
        yield from each.judge(program)


def _judge_files(
    case: Case, code: list[tuple[str, Extent]], allowed: imports.Imports
) -> Iterable[FileVerdict]:
    """Judge every file by itself, but for those that are known."""
    if case.memory is None:
        return case.crew.judge(code, allowed, case.reading)
    keys = list(memory.keys(code, allowed))
    verdicts = [case.memory.recall(key) for key in keys]
    new = [number for number, verdict in enumerate(verdicts) if verdict is None]
    judged = case.crew.judge([code[number] for number in new], allowed, case.reading)
    for number, verdict in zip(new, judged, strict=True):
        verdicts[number] = verdict
        case.memory.learn(keys[number], verdict)
    case.memory.write()
    return filter(None, verdicts)


def _distributions(requirements: JsonValue) -> Iterator[str]:
    """Take the names out of requirements that M05 found well-formed."""
    for requirement in requirements if isinstance(requirements, list) else ():
        match = _DISTRIBUTION.match(str(requirement).strip())
        if match:
            yield match[0]
