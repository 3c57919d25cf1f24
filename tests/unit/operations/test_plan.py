"""What people read of a plan."""

from operations.deployment.plan import LIMIT, as_markdown, stacks
from settings import Settings


def _plan(*changes: tuple[str, list[str]]) -> dict[str, object]:
    return {"resource_changes": [{"address": name, "change": {"actions": actions}} for name, actions in changes]}


def test_what_is_lost_comes_first_and_is_pointed_at() -> None:
    plan = _plan(
        ("aws_vpc.a", ["create"]),
        ("aws_instance.b", ["delete", "create"]),
        ("aws_eip.c", ["delete"]),
        ("aws_lb.d", ["update"]),
        ("aws_ami.e", ["read"]),
        ("aws_subnet.f", ["no-op"]),
    )
    text = as_markdown("vet-dev", plan)
    assert text.startswith("### vet-dev: 1 to create, 1 to change, 1 to replace, 1 to destroy\n")
    assert "2 resources will be destroyed or replaced" in text
    order = [text.index(name) for name in ("aws_eip.c", "aws_instance.b", "aws_lb.d", "aws_vpc.a")]
    assert order == sorted(order), text
    assert "aws_ami.e" not in text
    assert "aws_subnet.f" not in text


def test_nothing_to_do_is_said_in_a_line() -> None:
    assert as_markdown("vet-dev", {}) == "### vet-dev: no changes\n"
    assert as_markdown("vet-dev", _plan(("a.b", ["read"]))) == "### vet-dev: no changes\n"


def test_values_are_never_shown() -> None:
    plan = {
        "resource_changes": [
            {"address": "x.y", "change": {"actions": ["update"], "before": {"p": "hunter2"}, "after": {"p": "hunter3"}}}
        ]
    }
    assert "hunter" not in as_markdown("vet-dev", plan)


def test_a_comment_is_never_longer_than_github_takes() -> None:
    text = as_markdown("vet-dev", _plan(*((f"aws_instance.{'x' * 90}{n}", ["create"]) for n in range(2000))))
    assert len(text) < LIMIT + 200
    assert "and more" in text


def test_every_infrastructure_stack_can_be_planned(settings: Settings) -> None:
    assert stacks(settings) == ["vet-state", "vet-dev", "vet-prod"]
