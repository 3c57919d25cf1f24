"""Renovate proposes versions for every chart that the current release set names, out of the repository that the catalogue names."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
RELEASES = ROOT / "settings/releases"
BUNDLED = {"ingress-nginx", "traefik"}
"""Charts that come with RKE2: their versions follow from its own."""


def test_every_chart_of_the_current_release_set_is_watched_in_its_repository() -> None:
    catalogue = yaml.safe_load((RELEASES / "catalogue.yaml").read_text())
    text = (RELEASES / "current.yaml").read_text()
    charts = {name: entry["chart"]["repository"] for name, entry in catalogue.items() if "chart" in entry}
    wanted = {name: charts[name] for name in yaml.safe_load(text) if name in charts and name not in BUNDLED}
    assert len(wanted) > 5, wanted
    renovate = json.loads((ROOT / "renovate.json").read_text())
    patterns = [pattern for manager in renovate["customManagers"] for pattern in manager["matchStrings"]]
    versions = {
        match["depName"]: match["currentValue"]
        for pattern in patterns
        if "depName" in pattern
        for match in re.finditer(pattern.replace("(?<", "(?P<"), text)
    }
    assert versions == {name: yaml.safe_load(text)[name] for name in wanted}
    rules = {rule["matchDepNames"][0]: rule for rule in renovate["packageRules"] if "registryUrls" in rule}
    assert {name: rule["registryUrls"] for name, rule in rules.items()} == {name: [url] for name, url in wanted.items()}
