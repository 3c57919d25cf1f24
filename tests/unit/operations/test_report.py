"""``make report``: the page and the pictures say what the JSON says, need nothing from outside, and fit narrow screens."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from operations.report.report import PICTURES, EnvironmentReport, drawings, page
from operations.report.topology import Flow
from operations.report.workloads import workloads
from settings import Settings
from settings.observability import AlarmsSettings

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

PROBE = """
<script>
addEventListener("load", () => {
  const wide = [...document.querySelectorAll("body *")].filter(e => !e.closest(".drawing > *"))
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map(e => e.tagName + "." + e.className + ": " + Math.round(e.getBoundingClientRect().right));
  const drawn = [...document.querySelectorAll("figure svg")].map(e => Math.round(e.getBoundingClientRect().width));
  const asked = performance.getEntriesByType("resource").map(entry => entry.name);
  document.body.innerHTML = "<pre id=found></pre>";
  document.getElementById("found").textContent = JSON.stringify({wide, drawn, asked, width: innerWidth});
});
</script>
"""


@pytest.fixture(scope="session")
def html(settings: Settings, chapters: list[EnvironmentReport]) -> str:
    return page(settings, chapters)


def test_pictures_in_git_are_fresh(chapters: list[EnvironmentReport]) -> None:
    made = drawings(chapters)
    for path, text in made.items():
        assert path.exists(), f"{path} is missing; run: make report"
        assert path.read_text() == text, f"{path} is stale; run: make report"
    assert set(PICTURES.iterdir()) == set(made), "a picture that nothing draws any more"


def test_another_process_draws_the_same_bytes(settings: Settings, output: Path, html: str) -> None:
    program = (
        "import sys; from pathlib import Path; from operations.report.report import page, read; from settings import load;"
        "settings = load(); sys.stdout.write(page(settings, read(settings, Path(sys.argv[1]))))"
    )
    command = [sys.executable, "-c", program, str(output / "stacks")]
    variables = {**os.environ, "PYTHONHASHSEED": "7"}
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
    assert answer.stdout == html


def test_nothing_of_this_machine_is_in_it(html: str, output: Path) -> None:
    for secret in (str(Path.cwd()), str(Path.home()), str(output), os.uname().nodename):
        assert secret not in html, f"the page names {secret}"


def test_the_page_asks_the_network_for_nothing(html: str) -> None:
    class Links(HTMLParser):
        found: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag != "script"
            self.found += [
                value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "srcset", "data")
            ]

    Links().feed(html)
    outside = [link for link in Links.found if not link.startswith(("#", "data:"))]
    assert Links.found, "no links at all"
    assert not outside, outside
    assert not re.search(r"url\(|@import", html)


def test_every_subnet_and_its_route_are_on_the_page(html: str, chapters: list[EnvironmentReport]) -> None:
    pictures = drawings(chapters)
    for chapter in chapters:
        picture = pictures[PICTURES / f"network-{chapter.name}.svg"]
        for subnet in chapter.topology.subnets:
            assert subnet.gateway, f"{chapter.name}: {subnet.id} has no default route"
            assert subnet.cidr in picture
            assert subnet.gateway.rsplit("/", 1)[-1].replace("_", " ") in html
    dev, prod = (next(c for c in chapters if c.name == name).topology for name in ("dev", "prod"))
    assert {s.gateway for s in dev.subnets if not s.public} == {"network/nat_gateway_b"}
    assert len({s.gateway for s in prod.subnets if not s.public}) == 3
    assert [len(prod.items(kind)) for kind in ("server", "agent", "nat")] == [3, 3, 3]


def test_the_matrix_holds_exactly_what_the_groups_accept(html: str, chapters: list[EnvironmentReport]) -> None:
    prod = next(chapter for chapter in chapters if chapter.name == "prod").topology
    assert {(flow.source, flow.target, flow.ports) for flow in prod.flows} == {
        ("Internet", "ingress", "80"),
        ("Internet", "ingress", "443"),
        ("ingress", "nodes", "80"),
        ("ingress", "nodes", "443"),
        ("nodes", "nodes", "all"),
        ("nodes", "api", "6443"),
        ("nodes", "api", "9345"),
        ("api", "nodes", "6443"),
        ("api", "nodes", "9345"),
        ("operators", "api", "6443"),
        ("operators", "nodes", "22"),
    }
    table = html[html.index('class="matrix"') :]
    table = table[: table.index("</table>")]
    cells = re.findall(r'<td class="yes">(.*?)</td>', table, flags=re.DOTALL)
    assert sorted(label for cell in cells for label in cell.strip().split(", ")) == sorted(f.label for f in prod.flows)


def test_ports_without_a_name_are_shown_as_they_are() -> None:
    assert Flow("a", "b", "30000-32767").label == "30000-32767"
    assert Flow("a", "b", "6443").label == "6443 Kubernetes API"


def test_what_a_protected_environment_lacks_is_shown_in_red(
    settings: Settings, chapters: list[EnvironmentReport]
) -> None:
    """In prod it is a hole; dev is meant to have little."""
    dev, prod = sorted(chapters, key=lambda each: each.settings.deletion_protection)
    lacking = replace(prod, settings=prod.settings.model_copy(update={"alarms": AlarmsSettings(enabled=False)}))
    for chapter, red in ((prod, 0), (lacking, 1)):
        row = re.search(r"alarms by e-mail</th>(.*)</tr>", page(settings, [dev, chapter]))
        assert row is not None
        assert row[1].count('class="missing"') == red, row[1]
        assert row[1].count('class="off"') == 1, row[1]


def test_workloads_stand_where_their_values_say(chapters: list[EnvironmentReport]) -> None:
    from operations.shared.stack_json import Document

    def release(name: str, values: object) -> dict[str, object]:
        path = {"metadata": {"path": f"vet-x-helm/{name}"}}
        return {"//": path, "name": name, "namespace": name, "version": "1", "values": [json.dumps(values)]}

    key = "node-role.kubernetes.io/control-plane"
    avoids = {"affinity": {"matchExpressions": [{"key": key, "operator": "DoesNotExist"}]}, "replicaCount": 1}
    document = Document(
        "vet-x-helm",
        {
            "resource": {
                "helm_release": {
                    "a": release("a", {"controller": {"kind": "DaemonSet", "nodeSelector": {key: "true"}}}),
                    "b": release("b", avoids),
                    "c": release("c", {"replicas": 2}),
                    "d": release("d", {"email": "x"}),
                }
            }
        },
    )
    shared = {each.name: (each.copies, each.where) for each in workloads(document, dedicated=False)}
    assert shared == {"a": ("one a node", "servers"), "b": ("1", "agents"), "c": ("2", "any node"), "d": ("-", "-")}
    assert workloads(document, dedicated=True)[2].where == "agents"


@pytest.mark.skipif(CHROMIUM is None, reason="install Chromium to look at the page: apt-get install chromium")
@pytest.mark.parametrize("width", [1280, 600])
def test_the_page_fits_and_is_silent_in_a_browser(html: str, tmp_path: Path, width: int) -> None:
    file = tmp_path / "page.html"
    file.write_text(html.replace("</body>", PROBE + "</body>"))
    options = (
        f"--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run --dump-dom "
        f"--enable-logging=stderr --window-size={width},900 --user-data-dir={tmp_path / 'profile'}"
    )
    command = [CHROMIUM or "", *options.split(), file.as_uri()]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="found">(.*?)</pre>', answer.stdout, flags=re.DOTALL)
    assert found, f"Chromium did not show the page:\n{answer.stderr[-2000:]}"
    seen = json.loads(found[1].replace("&amp;", "&").replace("&gt;", ">").replace("&lt;", "<"))
    assert seen["width"] == width
    assert seen["wide"] == [], "these elements are wider than the page"
    assert seen["drawn"], "no drawings"
    assert min(seen["drawn"]) >= 600, f"drawings {seen['drawn']} pixels wide cannot be read"
    assert seen["asked"] == [], "the page asked for these"
    spoken = [line for line in answer.stderr.splitlines() if "CONSOLE" in line]
    assert spoken == [], "the browser's console says"
