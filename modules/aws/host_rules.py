"""Who reaches which host through the application load balancer: rules on the host that is asked for and on the address that asks."""

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Any

from cdktf_cdktf_provider_aws.lb_listener import LbListener
from cdktf_cdktf_provider_aws.lb_listener_rule import (
    LbListenerRule,
    LbListenerRuleAction,
    LbListenerRuleActionFixedResponse,
    LbListenerRuleCondition,
)
from constructs import Construct

from modules.terraform_blocks import typed_block
from settings.load_balancer import NETWORKS_A_RULE

OPEN, LIMITED, REFUSED = 1, 10, 50_000
"""Priorities: lower ones are looked at first, and the last is the highest that there is (Elastic Load Balancing API: CreateRule)."""


class HostRules(Construct):
    """One host is everybody's, others are those of some networks, and nothing else passes.

    The load balancer sees the address itself, so no header is believed. Whatever names neither host exactly is refused as well: a server
    behind it may read ``rancher.example.com:443``, or an address in the request's first line, as Rancher's host. The last rule refuses,
    not the listener, and comes after the others: turning this on and off never refuses the host that is everybody's.

    :param open_host: reached from everywhere.
    :param limited_hosts: reached from ``networks`` alone.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        listener: LbListener,
        target_group_arn: str,
        open_host: str,
        limited_hosts: Sequence[str],
        networks: Sequence[IPv4Network],
    ) -> None:
        super().__init__(scope, id_)
        self._listener = listener
        forward = LbListenerRuleAction(type="forward", target_group_arn=target_group_arn)
        batches = [networks[start : start + NETWORKS_A_RULE] for start in range(0, len(networks), NETWORKS_A_RULE)]
        rules = [self._rule("open", OPEN, forward, hosts=[open_host])]
        # Each host has rules of its own: both names in one condition would leave room for fewer networks.
        limited = [(host, batch) for host in limited_hosts for batch in batches]
        rules += [
            self._rule(f"limited_{index}", LIMITED + index, forward, hosts=[host], sources=[*map(str, batch)])
            for index, (host, batch) in enumerate(limited)
        ]
        answer = LbListenerRuleActionFixedResponse(
            content_type="text/plain", status_code="403", message_body="Forbidden"
        )
        refuse = LbListenerRuleAction(type="fixed-response", fixed_response=answer)
        self._rule("refused", REFUSED, refuse, sources=["0.0.0.0/0"], depends_on=rules)

    def _rule(
        self,
        id_: str,
        priority: int,
        action: LbListenerRuleAction,
        *,
        hosts: Sequence[str] = (),
        sources: Sequence[str] = (),
        **more: Any,
    ) -> LbListenerRule:
        conditions = [
            *([typed_block(LbListenerRuleCondition, {"host_header": {"values": list(hosts)}})] if hosts else []),
            *([typed_block(LbListenerRuleCondition, {"source_ip": {"values": list(sources)}})] if sources else []),
        ]
        return LbListenerRule(
            self,
            id_,
            listener_arn=self._listener.arn,
            priority=priority,
            action=[action],
            condition=conditions,
            **more,
        )
