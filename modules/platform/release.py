"""One Helm release: its chart, its version and its values."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cdktf import AssetType, ITerraformDependable, TerraformAsset
from cdktf_cdktf_provider_helm.release import Release as HelmRelease
from constructs import Construct

from settings.base import literal_tree
from settings.environment import Environment
from settings.helm_values import FOLDER, values

DEFAULT_TIMEOUT = 600
"""Seconds that Helm waits for a release's pods; pulling images on a new node takes minutes."""


class Release(Construct):
    """A release of the environment's set, or of a local chart in ``helm-values/charts``.

    :param release: name of the release, which is also its name in the catalogue of versions and in ``helm-values``.
    :param like: a release whose chart and values this one shares, if it is a second one of its kind.
    :param chart: the local chart, where its name is not the release's.
    :param derived: values that come from settings or from AWS; only the team's own ``values`` come after them, which change none of
        them (``settings/protected.py``).
    :param different: values by which a second release of its kind is another one than the first, after all others.
    :param timeout: seconds that Helm waits for its pods and hooks.
    :param atomic: take a failed install or upgrade back. Not for what makes data or custom kinds of its own at its
        first start: there a half install is looked at and repaired.
    :param depends_on: what must be there first, and goes away only afterwards.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        release: str,
        namespace: str,
        like: str | None = None,
        chart: str | None = None,
        derived: Mapping[str, Any] | None = None,
        different: Mapping[str, Any] | None = None,
        timeout: int = DEFAULT_TIMEOUT,
        atomic: bool = True,
        depends_on: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id_)
        self._environment, self._kind = environment, like or release
        pinned = environment.cluster.releases.pins.get(self._kind)
        over = (derived or {}, literal_tree(environment.values.get(self._kind, {})), different or {})
        merged = values(self._kind, environment.cluster.release_set, *over, version=pinned)
        self.release = HelmRelease(
            self,
            "Resource",
            name=release,
            namespace=namespace,
            **self._chart(chart or self._kind),
            values=[json.dumps(merged, indent=2, sort_keys=True)],
            timeout=timeout,
            atomic=atomic,
            wait=True,
            wait_for_jobs=True,
            max_history=10,
            depends_on=list(depends_on),
        )

    def _chart(self, local: str) -> dict[str, Any]:
        """A chart of the set from its repository; one of the project's own from the stack's folder, named by its
        contents, so that a changed template is a change."""
        releases = self._environment.cluster.releases
        if self._kind in releases:
            pinned = releases[self._kind]
            repository = self._environment.charts.mirror or pinned.chart.repository
            return {"repository": repository, "chart": pinned.chart.name, "version": pinned.version}
        chart = TerraformAsset(self, "chart", path=str(FOLDER / "charts" / local), type=AssetType.DIRECTORY)
        return {"chart": f"./{chart.path}"}


def render_again_on(kubernetes: str, scope: Construct) -> None:
    """Have every release below ``scope`` rendered again once another Kubernetes answers.

    Charts ask which one it is and install what that one knows (``.Capabilities``); Helm renders a release only when something of it has changed,
    and a deploy comes before the servers' roll.

    :param kubernetes: minor version that answers.
    """
    for resource in scope.node.find_all():
        if isinstance(resource, HelmRelease):
            resource.description = f"on Kubernetes {kubernetes}"
