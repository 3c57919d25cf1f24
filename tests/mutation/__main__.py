"""``make mutate [N]``: damage the synthesised JSON, one leaf at a time, and say what no unit test notices.

N kinds of damage (``leaves.py``) are drawn by the commit's hash, and one leaf of each; ``EVERYWHERE=yes`` damages its place in all
environments, as a mistake in a construct would, which no comparison of environments notices. The snapshot of the JSON does not count: it notices
everything and says nothing about what is right. A run that was stopped goes on; changed tests want another commit, or ``--again``.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
from collections import defaultdict
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

import main
from settings import load
from tests.mutation.leaves import Kind, Leaf, damaged, leaves
from tests.mutation.record import FOLDER, TESTS
from tests.mutation.replay import MUTANTS, RESULTS

SURVIVORS = Path(__file__).parent / "survivors.yaml"
"""Kinds that nobody need notice, each with the reason why it carries no meaning."""

TESTED = [f"tests/unit/{name}" for name in ("stacks", "platform", "releases", "nodes", "operations", "rights")]
"""Folders with tests that look at the JSON."""

IGNORED = "tests/unit/stacks/test_snapshot.py"

SHARE = 0.05
"""Of the kinds that may survive."""


def commit() -> str:
    """Hash of the commit that is checked out."""
    return subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()


def draw(seed: str, number: int | None, folder: Path, *, everywhere: bool) -> list[dict[str, object]]:
    """Synthesise the shipped environments, and draw a leaf of each of so many kinds; of all for ``None``."""
    main.build_app(load(), outdir=str(folder)).synth()
    documents = {path.parent.name: json.loads(path.read_text()) for path in folder.glob("stacks/*/cdk.tf.json")}
    kinds: dict[Kind, list[Leaf]] = defaultdict(list)
    for stack in sorted(documents):
        for leaf in leaves(stack, documents[stack]):
            kinds[leaf.kind].append(leaf)
    chosen = random.Random(seed).sample(sorted(kinds), min(number or len(kinds), len(kinds)))
    return [{**_mutant(seed, kind, kinds[kind], documents), "everywhere": everywhere} for kind in chosen]


def _mutant(seed: str, kind: Kind, leaves: list[Leaf], documents: dict[str, dict[str, object]]) -> dict[str, object]:
    choice = f"{seed} {kind}"
    leaf = random.Random(choice).choice(leaves)
    _, description = damaged(documents[leaf.stack], leaf, random.Random(choice))
    place = ".".join(kind.place.split(".")[:2])
    return {"kind": str(kind), "place": place, **vars(leaf), "choice": choice, "said": description}


def _pytest(plugin: str, *options: str, silent: bool = False) -> int:
    ignored = f"--ignore={IGNORED}"
    command = [sys.executable, "-m", "pytest", "-p", f"tests.mutation.{plugin}", "-p", "no:cacheprovider", ignored]
    return subprocess.run([*command, *options, *TESTED], stdout=subprocess.DEVNULL if silent else None).returncode


def report() -> int:
    """Print who survived; 1 if it is too many, or without a reason."""
    reasons: list[dict[str, str]] = yaml.safe_load(SURVIVORS.read_text()) or []
    results = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    survivors = [result for result in results if result["test"] is None]
    bare = 0
    for result in sorted(survivors, key=lambda each: str(each["kind"])):
        why = [each["reason"] for each in reasons if fnmatchcase(result["kind"], each["kind"].replace("[]", "[[]]"))]
        bare += not why
        print(f"{result['stack']}: {result['kind']}: {result['said']}\n    {why[0] if why else 'NO REASON'}")
    share = len(survivors) / max(len(results), 1)
    print(f"{len(survivors)} of {len(results)} kinds of damage survived ({share:.1%}), {bare} of them without a reason")
    return int(share > SHARE or bare > 0)


def run(number: int | None, seed: str, *, everywhere: bool, again: bool) -> int:
    """Record, damage, report."""
    mark, drawn = FOLDER / "seed", f"{seed} {number}{' everywhere' if everywhere else ''}"
    if again or not mark.exists() or mark.read_text() != drawn:
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        mutants = draw(seed, number, FOLDER / "drawn", everywhere=everywhere)
        MUTANTS.write_text("".join(json.dumps(mutant) + "\n" for mutant in mutants))
        mark.write_text(drawn)
    print(f"seed {seed}, {len(MUTANTS.read_text().splitlines())} kinds of damage", flush=True)
    if not TESTS.exists():
        _pytest("record", "-q")
    if failed := json.loads(TESTS.read_text())["failed"]:
        TESTS.unlink()
        print("tests fail as the JSON is; repair them first:", *failed, sep="\n  ")
        return 2
    if _pytest("replay", "-s", silent=True) not in (0, 5):
        return 2
    return report()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("number", type=int, nargs="?", default=300, help="how many kinds; 0 for all")
    parser.add_argument("--seed", default="", help="in place of the commit's hash")
    parser.add_argument(
        "--everywhere", action="store_true", help="damage the place in all environments, as a construct would"
    )
    parser.add_argument("--again", action="store_true", help="forget what was found")
    given = parser.parse_args()
    sys.exit(run(given.number or None, given.seed or commit(), everywhere=given.everywhere, again=given.again))
