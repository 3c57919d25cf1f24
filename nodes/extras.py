"""What a team adds on the nodes: from its settings (``settings/extras.py``) to what the machines are told."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from settings.base import literal_tree
from settings.environment import Environment
from settings.names import Names
from settings.network import endpoint_host

CLOUD_CONTROLLER = "aws-cloud-controller-manager"
"""Name of the AWS cloud controller's chart, which the servers install."""


@dataclass(frozen=True)
class Extras:
    """What a team adds on the nodes (``settings/extras.py``)."""

    server_config: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of RKE2's configuration on servers."""

    agent_config: Mapping[str, Any] = field(default_factory=dict)
    """The same on agents."""

    cloud_controller_values: Mapping[str, Any] = field(default_factory=dict)
    """Values over those of the AWS cloud controller's chart."""

    registries: Mapping[str, Any] = field(default_factory=dict)
    """``mirrors`` as in RKE2's registries.yaml, and ``credentials``: secrets' names by host. Empty: there is no such file."""

    proxy: str = ""
    """Address of the proxy; empty: there is none."""

    direct: tuple[str, ...] = ()
    """Names and networks that are reached without the proxy."""

    scripts: tuple[tuple[str, str], ...] = ()
    """Scripts by their place in the bundle, such as ``scripts/server/before-join/10-harden``."""

    @classmethod
    def of(cls, names: Names) -> "Extras":
        """Those of an environment's settings."""
        environment = names.environment
        proxy, registries = environment.proxy, environment.registries
        inside = [endpoint_host(each, environment.region) for each in environment.network.endpoints]
        return cls(
            server_config=environment.rke2_config.servers,
            agent_config=environment.rke2_config.agents,
            cloud_controller_values=literal_tree(environment.values.get(CLOUD_CONTROLLER, {})),
            registries=_registries(names) if registries.mirrors or registries.credentials else {},
            proxy=proxy.url if proxy else "",
            direct=(*map(str, proxy.direct), *inside) if proxy else (),
            scripts=tuple(_scripts(environment)),
        )

    @property
    def registries_file(self) -> str:
        """What ``bin/registries`` reads."""
        return json.dumps(self.registries, indent=1)


def _registries(names: Names) -> dict[str, Any]:
    registries = names.environment.registries
    mirrors = {
        name: {"endpoint": mirror.endpoints, **({"rewrite": mirror.rewrite} if mirror.rewrite else {})}
        for name, mirror in registries.mirrors.items()
    }
    return {
        "mirrors": mirrors,
        "credentials": {host: names.registry_secret(name) for host, name in registries.credentials.items()},
    }


def _scripts(environment: Environment) -> Iterator[tuple[str, str]]:
    """A program of each kind of node, and of each moment of its boot (``bin/scripts``)."""
    user_data = environment.extra_user_data
    for role, scripts in (("server", user_data.servers), ("agent", user_data.agents)):
        for moment, texts in (("before-join", scripts.before_join), ("after-join", scripts.after_join)):
            for name, text in texts.items():
                yield f"scripts/{role}/{moment}/{name}", text if text.endswith("\n") else f"{text}\n"
