"""The application by itself, in a stack that has nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_kubernetes.provider import KubernetesProvider

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.vet_application.application import VetApplication
from settings import load
from settings.environment import Environment
from settings.names import Names
from tests.template import Template

Synthesise = Callable[..., Template]

IMAGE = "3f2a9c1d0b4e"
SETTINGS = load()


def environment(name: str, **changes: Any) -> Environment:
    """An environment of the repository, with an image and other settings of the application."""
    base = SETTINGS.environment(name)
    application = base.application.model_copy(update={"image": IMAGE, **changes})
    return base.model_copy(update={"application": application})


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Synthesise:
    """Makes the application's stack for ``dev`` or ``prod``, with some of its settings and of the network's changed."""

    def template(name: str, *, network: dict[str, Any] | None = None, **changes: Any) -> Template:
        folder = tmp_path_factory.mktemp("synth") / "cdktf.out"
        app = App(outdir=str(folder))
        stack = TerraformStack(app, f"vet-{name}-helm")
        AwsProvider(stack, "aws", region="us-east-1")
        KubernetesProvider(stack, "kubernetes")
        settings = environment(name, **changes)
        settings = settings.model_copy(update={"network": settings.network.model_copy(update=network or {})})
        VetApplication(
            stack,
            "vet_app",
            names=Names(SETTINGS.project, settings),
            repository=f"vet-{name}/vet-app",
            namespace="vet-app",
            infrastructure=InfrastructureOutputs(stack, "upstream", project=SETTINGS.project, stack=f"vet-{name}"),
        )
        app.synth()
        return Template.read(folder / "stacks" / f"vet-{name}-helm" / "cdk.tf.json")

    return template


@pytest.fixture(scope="session")
def dev(synthesise: Synthesise) -> Template:
    """The application in development."""
    return synthesise("dev")


@pytest.fixture(scope="session")
def prod(synthesise: Synthesise) -> Template:
    """The application in production."""
    return synthesise("prod")


@pytest.fixture(scope="session")
def with_email(synthesise: Synthesise) -> Template:
    """The application in production, with e-mail."""
    return synthesise("prod", email_reminders=True)
