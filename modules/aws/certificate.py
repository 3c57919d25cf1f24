"""The public TLS certificate of an environment's hosts."""

from collections.abc import Sequence

from cdktf import TerraformIterator, Token
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
        options = TerraformIterator.from_complex_list(self.certificate.domain_validation_options, "domain_name")
        records = Route53Record(
            self,
            "validation_records",
            for_each=options,
            zone_id=zone_id,
            name=options.get_string("resource_record_name"),
            type=options.get_string("resource_record_type"),
            records=[options.get_string("resource_record_value")],
            ttl=60,
            allow_overwrite=True,
        )
        self._validation = AcmCertificateValidation(
            self,
            "validation",
            certificate_arn=self.certificate.arn,
            validation_record_fqdns=Token.as_list(TerraformIterator.from_resources(records).pluck_property("fqdn")),
            timeouts={"create": VALIDATION_TIMEOUT},
        )

    @property
    def issued_arn(self) -> str:
        """ARN of the certificate, known once it has been issued."""
        return self._validation.certificate_arn
