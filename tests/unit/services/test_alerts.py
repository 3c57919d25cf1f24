"""The platform's alerts, by promtool: each fires for what it is about and for nothing else, and leads to its part of the runbook."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm-values/charts/clinic-monitoring"
PLAYED: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "alerts.yaml").read_text())
TEXT = (CHART / "rules.yaml").read_text().replace("RUNBOOKS", "docs/runbooks").replace("BACKUP_SECONDS", "93600")
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(TEXT)["groups"] for rule in group["rules"] if "alert" in rule
}


@pytest.fixture(scope="module")
def promtool() -> str:
    """Prometheus' own tool."""
    path = shutil.which("promtool")
    if not path:
        pytest.skip("needs promtool. On Debian or Ubuntu: apt-get install prometheus")
    return path


def test_every_alert_is_played() -> None:
    assert PLAYED.keys() == ALERTS.keys()


@pytest.mark.parametrize("alert", PLAYED)
def test_an_alert_fires_for_what_it_is_about_and_for_nothing_that_is_well(
    promtool: str, alert: str, tmp_path: Path
) -> None:
    (tmp_path / "rules.yml").write_text(TEXT)
    fired = _played(promtool, alert, PLAYED[alert]["fires"], tmp_path)
    assert fired == "firing", f"{alert} does not fire: {fired}"
    well = _played(promtool, alert, PLAYED[alert]["well"], tmp_path)
    assert well == "silent", f"{alert} fires although nothing is wrong: {well}"


def _played(promtool: str, alert: str, series: dict[str, str], folder: Path) -> str:
    """``firing``, ``silent``, or what promtool says besides. It shows the alerts that it got where it expected others."""
    assert all(isinstance(values, str) for values in series.values()), (
        f"YAML takes 0x40 for a number: quote it ({series})"
    )
    wanted = {"eval_time": PLAYED[alert]["at"], "alertname": alert, "exp_alerts": []}
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [wanted],
    }
    (folder / "test.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [test]}, width=1000))
    done = subprocess.run([promtool, "test", "rules", str(folder / "test.yml")], capture_output=True, text=True)
    if done.returncode == 0:
        return "silent"
    return "firing" if f'alertname="{alert}"' in done.stdout + done.stderr else done.stdout + done.stderr


def test_an_alert_says_how_bad_it_is_what_is_wrong_and_what_to_do() -> None:
    page = (ROOT / "docs/runbooks/monitoring.md").read_text()
    anchors = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", page, re.M)
    }
    for name, rule in ALERTS.items():
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert rule["annotations"]["summary"].endswith("."), name
        file, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert file == "docs/runbooks/monitoring.md", name
        assert anchor == name.lower(), name
        assert anchor in anchors, f"{name}: the runbook has no {anchor}"
        assert "for" in rule, f"{name} fires at the first measurement"
