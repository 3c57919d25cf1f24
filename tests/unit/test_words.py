"""Documentation, comments and messages avoid words that readers have stumbled over, and say the field's own word instead."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WORDS = {
    r"\bto be sure of\b": "to check",
    r"\bwhoever\b": "anybody who",
    r"\bthereof\b|\btherein\b|\bthereby\b|\bhereby\b|\bherewith\b": "name the thing",
    r"\bas it were\b|\bso to speak\b": "leave it out",
    r"\bbetake\b|\bbespeak\b|\bbehold\b|\bwont to\b": "a plain verb",
    r"\bthrow-away\b": "temporary",
    r"\banew\b": "again",
    r"\bmend(s|ed|ing)?\b": "fix, repair",
    r"\bsimply\b|\bobviously\b|\bof course\b": "leave it out: it may not be simple for the reader",
    r"\butili[sz]e[sd]?\b": "use",
    r"\bin order to\b": "to",
    r"\ba number of\b": "some, or the number",
    r"\btells? of\b|\btold of\b": "report, notify",
    r"\bat hand\b": "available",
    r"\breckon(s|ed|ing)?\b": "calculate",
    r"\bheed(s|ed)?\b": "apply, obey",
    r"\bfor good\b": "permanently",
    r"\bfirst doubt\b": "first problem",
    r"\bplease\b": "leave it out",
    r"\be\.g\.|\bi\.e\.": "for example, that is",
    r"\bwhitelist(?!-source-range|_)|\bblacklist(?!_)": "allow list, deny list",
    r"\bmaster node|\bslave\b": "server, replica",
    r"\bthose that answer nobody\b": "the ones that are not delegated",
    r"\bslip of the pen\b": "typo",
    r"\blook(s|ed|ing)? closely\b": "warning, and say what happens",
    r"\bnothing was made\b": "no files were written, nothing was created",
    r"\blets? nobody in\b": "refuses everybody, unusable",
    r"\bthe least of what\b": "minimum",
    r"\bquiet plans?\b": "plans stay unchanged",
    r"\bshould go: ": "is no longer needed",
    r"\bdo(es)? not tell\b": "cannot list, cannot read",
    r"\bgo(es)?, at least for a while\b": "will be destroyed or replaced",
    r"\bgarbage worth\b|\bat leisure\b": "say the reason plainly",
    r"\bmistakes answer\b|\banswers? at once\b": "errors appear immediately",
    r"\bhas to end\b": "to wait for ... to exit",
    r"\bmeant to sleep\b": "is stopped by the schedule",
    r"\btakes? away what\b|\btake away what\b": "clean up, remove",
    r"\bsees? its volumes out\b": "waits until its volumes are deleted",
    r"\bgiving and taking access\b": "granting and revoking access",
    r"\bdo(es)? not go\b(?! (back|by|through|into|beyond|out|over))": "is not deleted",
    r"\blook like somebody\b": "possible duplicates",
    r"\bhad back\b": "restored",
    r"\bspoil(s|t|ed)?\b": "damage, break",
    r"\b(is|are|be|ended|ends|everything) well\b(?! known)": "healthy, correct, succeeded",
    r"\b(api|cluster|copy|database|node|operator|pod|registry|replica|server|service|which|both|that|one)s? (is|are|was|were) away\b": "unavailable, down",
    r"\b(a|an|one|the) \w+ beside[.,;]|\bone beside\b(?! (it|its|the)\b)": "a second one",
    r"\b(nodes?|pods?|cluster|aws) (that )?(is|are|be) played\b|\bplayed (nodes?|pods?|ones)\b": "simulated",
    r"so that[^.;\"]{1,200}so that": "two sentences",
}
"""What is refused, and what to write."""

TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")
    if name and (ROOT / name).is_file()
]  # fmt: skip

PAGES = [path for path in TRACKED if path.suffix == ".md"]

NOT_PROSE = {
    ".asc", ".csv", ".gif", ".hcl", ".ico", ".jpg", ".json", ".lock", ".mo", ".pdf", ".png", ".po", ".snap", ".sum", ".svg", ".ttf", ".txt", ".woff2",
    ".md",
}  # fmt: skip

NOT_READ = {
    "charts": "a comment in a template is part of what is deployed",
    "migrations": "they are what ran on databases, word by word",
    "LICENSE": "its words are the Apache foundation's",
}
"""Folders and files whose words stay, with the reason."""

SOURCES = [
    path
    for path in TRACKED
    if path.suffix not in NOT_PROSE and not NOT_READ.keys() & {*path.relative_to(ROOT).parts} and path != Path(__file__)
]
"""Code, values, workflows, node programs and the application: their comments, docstrings and messages are read."""

QUOTED = {
    "operations/devtools/emulator/refusals/ec2.py": ["please"],  # a message of AWS
    "tests/boot/stand_ins/cluster.py": ["please"],  # a message of RKE2
    "tests/boot/test_aws_failures.py": ["please"],  # a message of AWS
    "vet_app/clinic/models/settings.py": ["whoever"],  # choices, with translations and migrations of their own
    "vet_app/clinic/services/attachments.py": ["whoever"],  # a text with translations
    # A change of a node program, be it one word, gives every agent a new launch template: these wait for the next change.
    "nodes/bin/peers": ["is well"],
    "nodes/bin/rejoin": ["be well"],
    "nodes/bin/remedy": ["is well"],
}
"""Words that stay in a file, with the reason. The application says "please" to people of the clinic, as its translations do."""

CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


def refused(text: str) -> list[str]:
    """Each word that is refused, with its line and what to write. Code is not read."""
    prose = CODE.sub(lambda match: "\n" * match[0].count("\n"), text)
    return [
        f"line {prose[: match.start()].count(chr(10)) + 1}: {match[0]!r}; write: {instead}"
        for pattern, instead in WORDS.items()
        for match in re.finditer(pattern, prose, re.IGNORECASE)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_no_word_that_readers_stumble_over(page: Path) -> None:
    assert not (words := refused(page.read_text())), f"{page.name}:\n" + "\n".join(words)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(ROOT)))
def test_code_has_no_word_that_readers_stumble_over(source: Path) -> None:
    name = str(source.relative_to(ROOT))
    quoted = [*QUOTED.get(name, []), *(["please"] if name.startswith("vet_app/") else [])]
    words = [each for each in refused(source.read_text()) if not any(f"'{word}'" in each.lower() for word in quoted)]
    assert not words, f"{source.name}:\n" + "\n".join(words)


def test_a_refused_word_is_found_with_its_line_and_code_is_left_alone() -> None:
    text = "# A page\n\n```sh\nutilize\n```\nOne can utilize `whoever` it is.\n"
    assert refused(text) == ["line 6: 'utilize'; write: use"]
