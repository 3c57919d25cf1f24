"""Servers and agents of a deployed environment do all that they do in AWS with the rights of their instances: they form a cluster, publish,
store credentials, take snapshots' list, measure, and let agents go."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations.devtools.emulator.account import Account
from operations.devtools.emulator.known_gaps import Clients, clients
from operations.devtools.emulator.stack import Stack
from tests.apply.nodes import Deployed, agent_user_data, server_user_data, variables

# The fixtures of the boot tests that hold the loaded AWS CLI.
from tests.boot.conftest import stand_ins

__all__ = ["stand_ins"]


@pytest.fixture(scope="module")
def sandbox(
    stacks: dict[str, Stack], emulated: Account, stand_ins: str, tmp_path_factory: pytest.TempPathFactory
) -> Deployed:
    """The sandbox on dev."""
    known = variables(server_user_data(emulated, "dev"))
    return Deployed(
        tmp_path_factory.mktemp("nodes") / "sandbox",
        emulated.emulator.url,
        stand_ins,
        len(known["SERVER_ADDRESSES"].split()),
        account=emulated,
        variables=known,
    )


def test_a_server_forms_the_cluster_and_keeps_it(sandbox: Deployed, emulated: Account) -> None:
    address = sandbox.variables["SERVER_ADDRESSES"].split()[0]
    volume = sandbox.new_volume()
    text = server_user_data(emulated, "dev").replace(sandbox.variables["DATA_VOLUME_ID"], volume)
    server = sandbox.machine(text, address, "vet-dev-server", volume)
    booted = server.boot()
    sandbox.logs["server"] = booted.log
    assert booted.code == 0, booted.log
    assert "published the issuer's documents" in booted.log, booted.log
    assert sandbox.ca() != "pending"
    for program, arguments in (
        ("ready", ()),
        ("health", ()),
        ("refresh-credentials", ()),
        ("remove-terminated-agents", ()),
        ("drain-leaving-agents", ()),
        ("trim-snapshots", ()),
        ("marker", ("read",)),
        ("learn-servers", ()),
    ):
        done = server.run(program, *arguments)
        sandbox.logs[program] = done.log
        assert done.code == 0, f"{program}\n{done.log}"
        assert "not authorized" not in done.log, f"{program}\n{done.log}"


def test_an_agent_joins_with_its_own_rights(sandbox: Deployed, emulated: Account) -> None:
    sandbox.change(load_balancer=sandbox.variables["SERVER_ADDRESSES"].split())
    agent = sandbox.machine(agent_user_data(emulated, "dev"), "10.0.10.100", "vet-dev-agent")
    booted = agent.boot()
    sandbox.logs["agent"] = booted.log
    assert booted.code == 0, booted.log
    assert "not authorized" not in booted.log, booted.log


def test_an_agent_has_no_more_than_it_needs(sandbox: Deployed, emulated: Account) -> None:
    aws = clients(emulated.taking("vet-dev-agent"))
    for name in ("server-token", "credentials/admin"):
        with pytest.raises(ClientError, match="not authorized to perform: secretsmanager:GetSecretValue"):
            aws("secretsmanager").get_secret_value(SecretId=f"vet-dev/{name}")
    with pytest.raises(ClientError, match="AccessDenied"):
        aws("s3").put_object(Bucket=sandbox.variables["NODES_BUCKET"], Key="marker/x", Body=b"x")
    for role in ("vet-dev-server", "vet-dev-agent"):
        ssm = clients(emulated.taking(role))("ssm")
        with pytest.raises(ClientError, match="not authorized to perform: ssm:GetParameter"):
            ssm.get_parameter(Name="/vet-prod/cluster-ca")


def test_what_the_nodes_made_is_in_no_state_plan_user_data_log_or_list_of_processes(
    sandbox: Deployed, emulated: Account, stacks: dict[str, Stack], aws: Clients
) -> None:
    """Tokens and credentials are in Secrets Manager, and nowhere else that Terraform, a machine or a person's terminal writes to."""
    secrets = aws("secretsmanager")
    listed = secrets.list_secrets(Filters=[{"Key": "name", "Values": ["vet-dev/"]}])["SecretList"]
    values = {each["Name"]: _value(secrets, each["ARN"]) for each in listed}
    known = {name: value for name, value in values.items() if value}
    assert {"vet-dev/server-token", "vet-dev/agent-token", "vet-dev/credentials/admin"} <= known.keys(), values.keys()
    tokens = set(known.values()) | {json.loads(known["vet-dev/credentials/admin"])["status"]["token"]}

    stack = stacks["vet-dev"]
    texts = {
        "plan": stack.run("plan", "-input=false", "-out=secrets.tfplan", expect=(0,)).stdout,
        "plan in JSON": stack.run("show", "-json", "secrets.tfplan").stdout,
        "state": stack.run("state", "pull").stdout,
        "outputs": stack.run("output", "-json").stdout,
        "user data of a server": server_user_data(emulated, "dev"),
        "user data of an agent": agent_user_data(emulated, "dev"),
        "log of the calls of AWS": (emulated.folder / "emulator.log").read_text(),
    }
    for machine in (sandbox.folder / "machines").iterdir():
        texts[f"processes of {machine.name}"] = (machine / "calls.log").read_text()
    for place in ("state", "processes"):
        assert any(len(text) > 1000 for name, text in texts.items() if name.startswith(place)), f"{place} was not read"
    texts |= {f"log of {name}": text for name, text in sandbox.logs.items()}
    leaks = [(where, token[:4]) for where, text in texts.items() for token in tokens if token in text]
    assert not leaks, f"a secret is in {leaks}"


def _value(secrets: Any, arn: str) -> str:
    try:
        return str(secrets.get_secret_value(SecretId=arn)["SecretString"])
    except secrets.exceptions.ResourceNotFoundException:  # it has none yet
        return ""
