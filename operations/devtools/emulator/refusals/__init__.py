"""Requests that AWS refuses for what there is already, which moto takes: something in use, a name twice, records that conflict.

One module a service. What is refused for a value alone is in ``operations/devtools/emulator/constraints.py``.
"""

from operations.devtools.emulator.refusals import ec2, elbv2, route53, secretsmanager, volumes


def install() -> None:
    """Add all refusals to moto; once, before its server starts."""
    ec2.install()
    elbv2.install()
    route53.install()
    secretsmanager.install()
    volumes.install()
