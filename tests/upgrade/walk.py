"""``make upgrade`` with the Helm stack on real API servers: what AWS and machines would do is played here, and noted.

A deploy is the real Terraform with the real providers, charts from a repository available, and the plan looked at as ``make deploy`` does. Nothing waits
for pods, since there are none. A roll of the servers is the API server of the next minor over the same etcd. An etcd snapshot is a copy of it.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

import main
from operations.cluster.restore import RestoreRequest
from operations.cluster.snapshots import Snapshot
from operations.deployment.plan_summary import refuse_losses
from operations.deployment.settings_file import pin
from operations.devtools.emulator import Emulator, local_cluster
from operations.devtools.emulator.stack import Stack
from operations.shared.errors import Failure
from settings import load
from settings.environment import Environment
from settings.names import Names, helm_stack
from settings.release_sets import parse, release_set
from tests.platform.conftest import outputs, publish
from tests.upgrade.servers import NAME, ApiServer, ApiServers, Requests

OBJECTS = Path(__file__).with_name("objects.yaml")

KEPT = (
    *("namespaces", "customresourcedefinitions", "storageclasses", "clusterissuers"),
    *("configmaps", "secrets", "persistentvolumeclaims", "deployments", "services", "ingresses", "networkpolicies"),
    *("certificates", "certificaterequests", "clusters.postgresql.cnpg.io", "backups.postgresql.cnpg.io"),
    "scheduledbackups.postgresql.cnpg.io",
)
"""Kinds of which nothing may be made again: what holds data or people's work, and what deletes such when it goes itself."""

NOT_LISTED = ("events", "componentstatuses", "flowcontrol")
"""Kinds that are not read back: short-lived, computed, or the API server's own."""

NODE = "-node-0-1764500000"
"""What RKE2 puts after the name of a snapshot."""

Object = dict[str, Any]


@dataclass
class Walk:
    """An environment on its way, and what was seen of it."""

    folder: Path
    aws: Emulator
    servers: ApiServers
    versions: list[str]
    """Of Kubernetes, oldest first, whose API servers there are."""

    running: ApiServer | None = None
    version: str = ""
    doubt: str = ""
    """Minor at whose first roll a server does not come back."""

    baseline: dict[str, Object] = field(default_factory=dict)
    removed: dict[str, dict[str, str]] = field(default_factory=dict)
    """Requests for versions of kinds that will be removed, by the version of the API server that counted them."""

    log: list[str] = field(default_factory=list)
    deploys: list[tuple[str, list[str]]] = field(default_factory=list)
    """File and Kubernetes of each deploy, and addresses of what it changed."""

    saved: dict[str, tuple[Path, str, str]] = field(default_factory=dict)
    """Copies of etcd by name, with the version that ran and the environment's file."""

    record: Object | None = None
    """Of the last step, as the bucket has it."""

    records: dict[str, Object] = field(default_factory=dict)
    """Of each step, by its snapshot."""

    _watches: ExitStack = field(default_factory=ExitStack)

    @property
    def files(self) -> Path:
        """The settings."""
        return self.folder / "environments"

    @property
    def environment(self) -> Environment:
        """As the file has it now."""
        return load(self.files).environment("dev")

    @property
    def names(self) -> Names:
        settings = load(self.files)
        return Names(settings.project, settings.environment("dev"))

    @property
    def stack(self) -> Stack:
        return Stack(self.folder / "cdktf.out/stacks" / helm_stack("dev"), self.aws.environment)

    def start(self, version: str) -> None:
        """The API server of that version, in place of the one that runs."""
        self._end()
        began = time.monotonic()
        self.running, self.version = self.servers.start(version), version
        local_cluster.publish_certificate_authority(self.aws, self.names, self.running.certificate_authority)
        self._watches.enter_context(self.running.without_webhooks())
        self._note(f"API server {version}", began)

    def publish(self) -> None:
        """What the infrastructure and its servers would have stored in AWS."""
        assert self.running
        publish(self.aws, self.names, outputs(self.names, self.running.address, NAME), self.running.exec_credential())

    def end(self) -> None:
        """Stop everything, and forget what was stored."""
        self._end()
        self.servers.stop(forget=True)

    def _end(self) -> None:
        if self.running:
            self._watches.close()
            self.servers.stop()
            self.running = None

    def deploy(self, *_: object, **__: object) -> None:
        """The Helm stack as ``make deploy`` applies it."""
        began = time.monotonic()
        main.build_app(load(self.files), outdir=str(self.folder / "cdktf.out")).synth()
        wait_for_nothing(self.stack.folder / "cdk.tf.json")
        if not (self.stack.folder / ".terraform").exists():
            self.stack.run("init", "-input=false")
        self.stack.run("plan", "-input=false", "-out=plan.tfplan")
        plan = json.loads(self.stack.run("show", "-json", "plan.tfplan").stdout)
        refuse_losses(plan)
        changed = [each["address"] for each in plan["resource_changes"] if each["change"]["actions"] != ["no-op"]]
        if changed:
            self.stack.run("apply", "-input=false", "plan.tfplan")
        self.deploys.append((f"{self.version}\n{(self.files / 'dev.yaml').read_text()}", changed))
        self._note(f"deploy on {self.version}: {len(changed)} changed", began)

    def roll(self, *_: object, **__: object) -> int:
        """Servers with the Kubernetes that the file asks for, as near to it as there are API servers; whether that is another one."""
        wanted = parse(self.environment.cluster.releases.kubernetes)
        if self.doubt and f"{wanted.major}.{wanted.minor}" == self.doubt:
            self.doubt = ""
            raise Failure("server 0 did not come back")
        fitting = [each for each in self.versions if parse(each) <= wanted]
        if fitting[-1] == self.version:
            return 0
        self.start(fitting[-1])
        return 1

    def examine(self, *_: object, **__: object) -> int:
        """Everything that was stored can be read, nothing that must be kept was made again, and who asked for what will be removed."""
        began = time.monotonic()
        assert self.running
        counted = Requests(self.running.run("get", "--raw", "/metrics")).removed
        self.removed[self.version] = {**self.removed.get(self.version, {}), **counted}
        listed = self.running.run("api-resources", "--verbs=list", "--output=name").split()
        kinds = [each for each in listed if not any(word in each for word in NOT_LISTED)]
        stored = self.running.run("get", ",".join(kinds), "--all-namespaces", "--output=name").split()
        if not self.baseline:
            self.running.run("apply", "--filename", str(OBJECTS))
            self.baseline = dict(self.kept())
        lost = [f"{what}: {why}" for what, why in self.losses()]
        self._note(f"examined on {self.version}: {len(stored)} objects of {len(kinds)} kinds", began)
        for each in lost:
            print("LOST", each)
        return len(lost)

    def kept(self) -> Iterator[tuple[str, Object]]:
        """What must be kept, as it is now, by kind, namespace and name."""
        assert self.running
        for item in json.loads(self.running.run("get", ",".join(KEPT), "--all-namespaces", "--output=json"))["items"]:
            if item.get("type") != "helm.sh/release.v1":
                about = item["metadata"]
                yield f"{item['kind']} {about.get('namespace', '')}/{about['name']}", item

    def losses(self) -> Iterator[tuple[str, str]]:
        """What was there at the beginning, and is gone, was made again, or was changed though nobody but people may."""
        now = dict(self.kept())
        by_hand = {
            f"{each['kind']} {each['metadata']['namespace']}/{each['metadata']['name']}" for each in _documents()
        }
        for what, before in self.baseline.items():
            namespace = before["metadata"].get("namespace", "vet-app")
            after = now.get(what)
            if namespace != "vet-app":
                continue
            if after is None:
                yield what, "gone"
            elif after["metadata"]["uid"] != before["metadata"]["uid"]:
                yield what, "made again"
            elif before["kind"] in ("Secret", "PersistentVolumeClaim") or what in by_hand:
                changed = [part for part in ("data", "spec") if before.get(part) != after.get(part)]
                if changed:
                    yield what, f"{', '.join(changed)} changed"

    def snapshot(self, _cluster: object, name: str) -> None:
        """A copy of etcd, and of the file as it was."""
        assert self.running
        version = self.version
        self._end()
        self.servers.save(self.folder / name)
        self.saved[name] = (self.folder / name, version, (self.files / "dev.yaml").read_text())
        self.start(version)

    def restore(self, _cluster: object, request: RestoreRequest) -> None:
        """A snapshot under the Kubernetes that runs, as ``make restore`` brings one back."""
        saved, _, _ = self.saved[str(request.snapshot).removesuffix(NODE)]
        version = self.version
        self._end()
        self.servers.bring_back(saved)
        self.start(version)

    def note(self, _cluster: object, _key: str, content: Object) -> None:
        """The record of a step, as the bucket would have it; that of each is kept."""
        self.record = json.loads(json.dumps(content))
        self.records[content["snapshot"]] = self.record

    def forget(self, *_: object) -> None:
        """The record is gone."""
        self.record = None

    def as_after(self, snapshot: str) -> None:
        """File and record as they were after the step that was taken after that snapshot."""
        self.record = self.records[snapshot]
        base, versions = self.record["after"]
        pin(self.files / "dev.yaml", release_set(base).override(versions), base)

    def snapshots(self, _cluster: object) -> list[Snapshot]:
        """What was saved, as the bucket lists it."""
        return [Snapshot(f"{name}{NODE}", datetime.now(UTC), 4096) for name in reversed(self.saved)]

    def _note(self, what: str, began: float) -> None:
        line = f"{time.monotonic() - began:5.1f} s  {what}"
        self.log.append(line)
        print(line, flush=True)


def wait_for_nothing(file: Path) -> None:
    """Nothing becomes ready where no controller runs, so Terraform must not wait for it; Helm's hooks are pods as well."""
    document = json.loads(file.read_text())
    resources = document["resource"]
    for release in resources["helm_release"].values():
        release |= {"wait": False, "wait_for_jobs": False, "atomic": False, "disable_webhooks": True}
    for deployment in resources["kubernetes_deployment_v1"].values():
        deployment["wait_for_rollout"] = False
    for job in resources["kubernetes_job_v1"].values():
        job["wait_for_completion"] = False
    file.write_text(json.dumps(document))


def _documents() -> list[Object]:
    return list(yaml.safe_load_all(OBJECTS.read_text()))
