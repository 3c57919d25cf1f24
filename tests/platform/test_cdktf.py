"""The ``cdktf`` command line tool from an account with nothing but the state bucket to a platform on the available cluster.

One environment, since there is one cluster; ``charts.mirror`` and the image are set in its file, as a team would.
"""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from operations.devtools.emulator import local_cluster
from operations.devtools.emulator.account import account
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.shared.errors import Failure
from settings import load
from settings.names import STATE_STACK, Names, helm_stack, infrastructure_stack
from tests.cdktf import Cdktf, Missing, install

ENVIRONMENT = "dev"
INFRASTRUCTURE, HELM = infrastructure_stack(ENVIRONMENT), helm_stack(ENVIRONMENT)

PROGRAM = """
import main
from pathlib import Path
from settings import load
main.build_app(load(Path("{folder}"))).synth()
"""
"""``main.py`` with the settings of another folder."""

OPTIONS = ("--auto-approve", "--skip-provider-lock", "--no-color")


@pytest.fixture(scope="module")
def cdktf(mirror: str, kubernetes: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cdktf]:
    """The tool, led to the cluster; the infrastructure comes to life as soon as the tool has deployed it."""
    folder = tmp_path_factory.mktemp("cdktf")
    changes = {"charts": {"mirror": mirror}, "application": {"image": local_cluster.IMAGE}}
    settings = load(local_cluster.environments(folder / "environments", ENVIRONMENT, changes))
    names = Names(settings.project, settings.environment(ENVIRONMENT))
    app = folder / "app.py"
    app.write_text(PROGRAM.format(folder=folder / "environments"))
    with ExitStack() as keep:
        try:
            program, emulation = install(), keep.enter_context(account(folder, settings))
        except (Missing, Failure) as missing:
            pytest.skip(str(missing))
        keep.enter_context(kubernetes.without_webhooks())
        keep.enter_context(local_cluster.servers_simulated(emulation.emulator, names, kubernetes))
        emulation.make_state()
        variables = {
            **emulation.emulator.environment,
            **local_cluster.terraform_variables(kubernetes),
            "CDKTF_APP": f"env PYTHONPATH=. {sys.executable} {app}",
        }
        tool = Cdktf(program, folder / "out", variables)
        yield tool
        tool("destroy", HELM, *OPTIONS)


def positions(log: str, stack: str, words: str) -> list[int]:
    """Numbers of the lines in which Terraform says this of a stack."""
    return [number for number, line in enumerate(log.splitlines()) if line.split()[:1] == [stack] and words in line]


def added(log: str, stack: str) -> int:
    """Resources that Terraform added to a stack, by its last word; it changed and destroyed none."""
    text = " ".join(line.removeprefix(stack).strip() for line in log.splitlines() if line.split()[:1] == [stack])
    counts = re.search(r"Apply complete! Resources: (\d+) added, 0 changed, 0 destroyed", text)
    assert counts is not None, f"{stack} was not applied, or not as expected:\n{log[-4000:]}"
    return int(counts[1])


def everything(cdktf: Cdktf, stack: str) -> int:
    """Resources that the stack's JSON has."""
    document = json.loads((cdktf.output / "stacks" / stack / "cdk.tf.json").read_text())
    return sum(map(len, document["resource"].values()))


def test_everything_in_one_command_takes_the_infrastructure_first(cdktf: Cdktf, kubernetes: Kubernetes) -> None:
    log = cdktf("deploy", "*", "--parallelism", "1", *OPTIONS)
    assert added(log, STATE_STACK) == 0, "make state has made it before"
    assert added(log, INFRASTRUCTURE) == everything(cdktf, INFRASTRUCTURE)
    assert added(log, HELM) == everything(cdktf, HELM)
    (whole,), begins = positions(log, INFRASTRUCTURE, "Apply complete!"), positions(log, HELM, "Creating...")
    assert whole < min(begins), "the Helm stack began before its infrastructure was whole"
    assert {"rancher", "vet-app"} <= kubernetes.names("deployments")


def test_the_helm_stack_goes_and_comes_alone(cdktf: Cdktf, kubernetes: Kubernetes) -> None:
    before = kubernetes.names("deployments")
    assert {"rancher", "vet-app"} <= before, f"nothing could go: only {sorted(before)} is there"
    cdktf("destroy", HELM, *OPTIONS)
    assert not kubernetes.names("deployments")
    log = cdktf("deploy", HELM, *OPTIONS)
    assert added(log, HELM) == everything(cdktf, HELM)
    assert {"rancher", "vet-app"} <= kubernetes.names("deployments")
