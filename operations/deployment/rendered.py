"""The Kubernetes objects that a Helm stack stands for, rendered from its JSON without a cluster and without AWS.

A real plan of such a stack reads what Helm has stored in the cluster, which are Secrets. What a change does to the objects can be known
without: both sides are rendered from Git, with what only AWS knows standing in both as the expression that Terraform would resolve.
Contents of Secrets, and what a chart makes up again at each rendering, are left out.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from operations.shared.errors import Failure
from operations.shared.stack_json import Document, Resource
from operations.supply_chain.charts import fetched

HIDDEN = "(not shown)"

MADE_UP = ("caBundle",)
"""Keys whose value a chart makes again at each rendering: certificates of webhooks."""

NOT_OF_THE_OBJECT = ("//", "depends_on", "provider", "lifecycle", "wait_for_rollout", "wait_for_completion", "timeouts")

Object = dict[str, Any]
Objects = dict[str, Object]
"""Objects by what people call them: ``Deployment vet-app/vet-app``."""


@dataclass(frozen=True)
class Helm:
    """What renders.

    :param program: path of Helm.
    :param charts: folder of the charts of others, as ``make charts`` fills it; None where there is none.
    :param kubernetes: version that charts are told, the same for both sides, so that what differs comes from the change.
    """

    program: str
    charts: Path | None
    kubernetes: str

    @classmethod
    def here(cls, program: str, kubernetes: str) -> "Helm":
        """Helm with the charts that are here."""
        return cls(program, fetched(), kubernetes)


def objects(stack: str, folder: Path, helm: Helm) -> Objects:
    """All objects of a synthesised Helm stack.

    :param folder: where the stacks are, such as ``cdktf.out/stacks``.

    Raises:
        Failure: the stack was not synthesised, or Helm refuses a chart or its values.
    """
    document, rendered = Document.read(stack, folder), Objects()
    for resource in document.everything():
        if resource.type == "helm_release":
            rendered |= _release(resource, folder / stack, helm)
        elif resource.type.startswith("kubernetes_"):
            name = _name(_kind(resource.type), resource.get("metadata", {}))
            body = {key: value for key, value in resource.block.items() if key not in NOT_OF_THE_OBJECT}
            rendered[name] = _without_secrets(body, secret=resource.type.startswith("kubernetes_secret"))
    return rendered


def not_rendered(stack: str, folder: Path, helm: Helm) -> list[str]:
    """Releases whose chart is not available, of which chart, version and values are compared instead of objects."""
    return [
        each.get("name")
        for each in Document.read(stack, folder).all("helm_release")
        if not _chart(each, folder / stack, helm)
    ]


def _release(resource: Resource, folder: Path, helm: Helm) -> Objects:
    """The release itself, and the objects that its chart makes."""
    name, namespace = resource.get("name"), resource.get("namespace")
    values = json.loads(resource.get("values")[0])
    release: Object = {key: resource.get(key) for key in ("repository", "version") if resource.get(key)}
    chart, rendered = _chart(resource, folder, helm), Objects()
    if chart:
        for manifest in _template(helm, chart, name, namespace, values):
            about = {"namespace": namespace, **manifest.get("metadata", {})}
            rendered[_name(manifest["kind"], about)] = _without_secrets(manifest, secret=manifest["kind"] == "Secret")
    else:
        release["values"] = values
    return {f"Release {namespace}/{name}": release, **rendered}


def _chart(resource: Resource, folder: Path, helm: Helm) -> Path | None:
    chart = str(resource.get("chart"))
    path = (
        folder / chart if chart.startswith("./") else helm.charts and helm.charts / f"{chart}-{resource.get('version')}"
    )
    return path if path and path.is_dir() else None


def _template(helm: Helm, chart: Path, name: str, namespace: str, values: Object) -> Iterator[Object]:
    command = [helm.program, "template", name, str(chart), "--namespace", namespace, "--values", "-"]
    run = subprocess.run(
        [*command, "--kube-version", helm.kubernetes, "--skip-schema-validation"],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise Failure(f"Helm does not render {name} from {chart.name}: {run.stderr.strip()}")
    yield from (each for each in yaml.load_all(run.stdout, Loader=yaml.CSafeLoader) if each)


def _name(kind: str, metadata: Any) -> str:
    about = metadata[0] if isinstance(metadata, list) else metadata
    namespace, name = about.get("namespace"), about.get("name")
    return f"{kind} {namespace}/{name}" if namespace and not str(namespace).startswith("$") else f"{kind} {name}"


def _kind(type_: str) -> str:
    """``Deployment`` of ``kubernetes_deployment_v1``."""
    words = [word for word in type_.split("_")[1:] if word not in ("v1", "v2")]
    return "".join(word.capitalize() for word in words)


def _without_secrets(value: Any, *, secret: bool) -> Any:
    if isinstance(value, dict):
        return {
            key: dict.fromkeys(inner, HIDDEN)
            if secret and key in ("data", "stringData", "binary_data") and isinstance(inner, dict)
            else HIDDEN
            if key in MADE_UP
            else _without_secrets(inner, secret=secret)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(inner, secret=secret) for inner in value]
    return value
