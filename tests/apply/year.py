"""The environment of a team over a year: what it does to it, and what must hold after each thing."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from operations.devtools.emulator.known_gaps import Clients
from operations.devtools.emulator.local_cluster import MANIFEST
from settings.documents import merged
from tests.apply.reader import Reader
from tests.apply.running import Running

UNSEEN = {
    "aws": "a program that this machine may lack",
    "session-manager-plugin": "the same",
    "settings": "the project's values are placeholders, which an emulator takes",
    "DNS of": "nobody has delegated the domain to the emulator",
    "API": "no server runs behind the load balancer",
}
"""What the doctor cannot find well in an emulated account, by the beginning of its line, with the reason."""


@dataclass
class Year:
    """The environment, and what was changed so far."""

    reader: Reader
    """Who works with it, in a repository of their own."""

    running: Running
    aws: Clients
    changes: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=lambda: {"resources": [], "outputs": {}})
    """As Terraform has written it after the last step."""

    def deploy(self, changes: Mapping[str, Any]) -> str:
        """Deploy changes over what was changed before; what was said of it."""
        self.changes = merged(self.changes, dict(changes))
        lines = self.running.deploy(self.changes)
        if image := self.changes.get("application", {}).get("image"):
            self._push(image)  # the registry is there now, and the Helm stack would look for it next
        return "\n".join(lines)

    def settle(self) -> None:
        """See that nothing is left to change, every output has a value, and the doctor is content; keep the state."""
        unexpected_changes = self.running.stack.unexpected_changes()
        assert not unexpected_changes, "it would change again:\n" + "\n".join(unexpected_changes)
        self.state = self.running.stack.written()
        assert [name for name, output in self.state["outputs"].items() if output["value"] in (None, "", [])] == []
        failing = self.failing()
        assert not failing, "the doctor is not content:\n" + "\n".join(failing)

    def failing(self) -> list[str]:
        """What the doctor finds wrong, apart from what cannot be right here."""
        answer = self.reader.run("sh scripts/run python -m operations doctor dev --json")
        assert answer.stdout.startswith("["), f"the doctor says nothing:\n{answer.stdout}\n{answer.stderr}"
        return [
            f"{finding['what']}: {finding['text']} ({finding['remedy']})"
            for finding in json.loads(answer.stdout)
            if finding["verdict"] == "fails" and not finding["what"].startswith(tuple(UNSEEN))
        ]

    def servers(self) -> dict[str, dict[str, Any]]:
        """Attributes of each server by its address, after the last step."""
        return {
            f"{each['type']}.{each['name']}": each["instances"][0]["attributes"]
            for each in self.state["resources"]
            if each["type"] == "aws_instance"
        }

    def ids(self) -> dict[str, str]:
        """Instance ids by address."""
        return {address: attributes["id"] for address, attributes in self.servers().items()}

    def places(self) -> dict[str, str]:
        """What a server keeps through every roll: its interface and its data volume, by address."""
        kinds = ("aws_network_interface", "aws_ebs_volume")
        return {
            f"{each['type']}.{each['name']}": each["instances"][0]["attributes"]["id"]
            for each in self.state["resources"]
            if each["type"] in kinds
        }

    def _push(self, tag: str) -> None:
        """As ``make push`` does, as far as AWS shows it."""
        layer = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"digest": f"sha256:{tag:0>64}"}, "layers": []}
        registry = self.aws("ecr")
        with suppress(registry.exceptions.ImageAlreadyExistsException):
            registry.put_image(repositoryName="vet-dev/vet-app", imageManifest=json.dumps(layer), imageTag=tag)


@dataclass(frozen=True)
class Step:
    """Something that happens, after which all is as it should be again."""

    what: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Sections of ``dev.yaml`` that are changed and deployed."""

    words: str = ""
    """Part of what is said of it."""

    act: Callable[[Year], str] | None = None
    """Done instead of a deploy; returns what was said."""

    rolls: bool = False
    """Whether servers are replaced by it."""

    def play(self, year: Year) -> str:
        """Do it, and see that nothing is wrong afterwards; what was said."""
        before, places = year.ids(), year.places()
        output = self.act(year) if self.act else year.deploy(self.changes)
        year.settle()
        assert self.words in output, output
        assert places.items() <= year.places().items(), f"a server has lost its place: {places}, now {year.places()}"
        if self.rolls:
            stayed = [address for address, instance in before.items() if year.ids()[address] == instance]
            assert not stayed, f"not rolled: {stayed}\n{output}"
        else:
            assert before.items() <= year.ids().items(), f"a server was made again: {before}, now {year.ids()}"
        return output
