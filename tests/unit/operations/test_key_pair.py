"""An SSH key reaches servers by the roll, which sees who has an old one."""

import pytest

from operations.cluster import server_differences
from operations.shared.servers import Cluster, Server
from settings import load
from settings.names import Names
from tests.changes import KEY

OTHER = KEY.replace("Mg ops", "Mh ops")


def _names(key: str | None) -> Names:
    settings = load()
    environment = settings.environment("dev")
    ssh = environment.access.ssh.model_copy(update={"public_key": key})
    access = environment.access.model_copy(update={"ssh": ssh})
    return Names(settings.project, environment.model_copy(update={"access": access}))


def test_another_key_is_another_pair_and_a_comment_is_not() -> None:
    name = _names(KEY).key_pair
    assert name is not None
    assert name.startswith("vet-dev-")
    assert _names(OTHER).key_pair != name, "the pair would be replaced under its name, and no roll would see it"
    assert _names(KEY.replace(" ops", " somebody else")).key_pair == name
    assert _names(None).key_pair is None


@pytest.mark.parametrize(
    ("has", "wanted", "beginning"),
    [
        (None, None, None),
        (None, KEY, "SSH key pair (none) becomes vet-dev-"),
        ("vet-dev-old", None, "SSH key pair vet-dev-old becomes (none)"),
        ("vet-dev-old", KEY, "SSH key pair vet-dev-old becomes vet-dev-"),
    ],
)
def test_a_roll_sees_who_has_an_old_key(
    monkeypatch: pytest.MonkeyPatch, has: str | None, wanted: str | None, beginning: str | None
) -> None:
    cluster = Cluster("dev")
    cluster.names = _names(wanted)
    monkeypatch.setattr(server_differences, "_image", lambda cluster: "ami-1")
    monkeypatch.setattr(server_differences, "_user_data", lambda cluster, server: "same")
    server = Server(0, "i-0", "t3.medium", "ami-1", running=True, key_name=has)
    changes = server_differences.differences(cluster, server, {"instance_type": "t3.medium", "user_data": "same"})
    assert changes == [] if beginning is None else (len(changes) == 1 and changes[0].startswith(beginning)), changes
