"""The public TLS certificate of an environment's hosts."""

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.acm_certificate import AcmCertificate
from cdktf_cdktf_provider_aws.acm_certificate_validation import AcmCertificateValidation
from cdktf_cdktf_provider_aws.route53_record import Route53Record
from constructs import Construct

VALIDATION_TIMEOUT = "45m"
"""How long an apply waits. It only takes longer than minutes when the zone is not delegated yet."""


class Certificate(Construct):
    """A certificate that AWS renews by itself, validated through records in the zone.

    :param hosts: names that it is for; the first is its common name.
    :param zone_id: Route 53 zone that holds the validation records.
    """

    def __init__(self, scope: Construct, id_: str, *, hosts: Sequence[str], zone_id: str) -> None:
        super().__init__(scope, id_)
        self.certificate = AcmCertificate(
            self,
            "Resource",
            domain_name=hosts[0],
            subject_alternative_names=list(hosts[1:]),
            validation_method="DNS",
            tags={"Name": hosts[0]},
            lifecycle={"create_before_destroy": True},
        )
        records = [self._record(host, zone_id) for host in hosts]
        self._validation = AcmCertificateValidation(
            self,
            "validation",
            certificate_arn=self.certificate.arn,
            validation_record_fqdns=[record.fqdn for record in records],
            timeouts={"create": VALIDATION_TIMEOUT},
        )

    @property
    def issued_arn(self) -> str:
        """ARN of the certificate, known once it has been issued."""
        return self._validation.certificate_arn

    def _record(self, host: str, zone_id: str) -> Route53Record:
        return Route53Record(
            self,
            f"validation_{host}",
            zone_id=zone_id,
            name=self._option(host, "resource_record_name"),
            type=self._option(host, "resource_record_type"),
            records=[self._option(host, "resource_record_value")],
            ttl=60,
            allow_overwrite=True,
        )

    def _option(self, host: str, attribute: str) -> str:
        """What AWS wants to see for one host. Written in Terraform's language, since the options are a set that is known only after apply."""
        options = f"{AcmCertificate.TF_RESOURCE_TYPE}.{self.certificate.friendly_unique_id}.domain_validation_options"
        return f'${{one([for option in {options} : option.{attribute} if option.domain_name == "{host}"])}}'
