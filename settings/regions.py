"""AWS's commercial regions and the letters of their availability zones (AWS: Regions and Availability Zones).

AWS gives each account its own letters in the older regions; what is here is every letter that an account may have.
"""

_THREE = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-2",
    "us-west-1",
]

ZONES: dict[str, str] = dict(
    sorted(
        {
            **dict.fromkeys(_THREE, "abc"),
            "ap-northeast-1": "abcd",
            "ap-northeast-2": "abcd",
            "ca-central-1": "abd",
            "us-east-1": "abcdef",
            "us-west-2": "abcd",
        }.items()
    )
)
"""Letters by region: ``"abc"`` are the zones a, b and c."""
