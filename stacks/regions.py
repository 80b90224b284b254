"""What AWS does not offer in every region, of the resources that the stacks use.

Both tables are cfn-lint's, which has them from CloudFormation's schemas and AWS's price lists of each region; tests
compare them.
"""

from collections.abc import Mapping
from types import MappingProxyType

BUDGET = "AWS::Budgets::Budget"
GATEWAY, GATEWAY_TARGET = "AWS::BedrockAgentCore::Gateway", "AWS::BedrockAgentCore::GatewayTarget"

_WITHOUT_BUDGETS = (
    "af-south-1 ap-east-1 ap-east-2 ap-northeast-3 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 "
    "ap-southeast-6 ap-southeast-7 ca-west-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 il-central-1 me-central-1 "
    "mx-central-1 us-gov-east-1 us-gov-west-1"
)

_WITHOUT_GATEWAYS = (
    "af-south-1 ap-east-1 ap-east-2 ap-northeast-3 ap-southeast-3 ap-southeast-4 ap-southeast-6 ca-west-1 eu-central-2 "
    "il-central-1 me-central-1 mx-central-1 us-gov-east-1"
)

MISSING: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        BUDGET: frozenset(_WITHOUT_BUDGETS.split()),
        GATEWAY: frozenset(_WITHOUT_GATEWAYS.split()),
        GATEWAY_TARGET: frozenset([*_WITHOUT_GATEWAYS.split(), "ap-southeast-7"]),
    }
)
"""The regions that lack a type of resource, by that type. Every other type of the stacks is in all regions."""


def is_missing(resource_type: str, region: str) -> bool:
    """Whether CloudFormation has no such type of resource in a region."""
    return region in MISSING.get(resource_type, frozenset())


_WITHOUT_NODES: Mapping[str, str] = MappingProxyType(
    {
        "c7gn": (
            "af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 "
            "ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 "
            "ap-southeast-7 ca-central-1 ca-west-1 cn-north-1 cn-northwest-1 eu-central-1 eu-central-2 "
            "eu-north-1 eu-south-1 eu-south-2 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 "
            "mx-central-1 sa-east-1 us-gov-east-1 us-gov-west-1 us-west-1"
        ),
        "c8gn": ("ap-east-2 ap-northeast-3 ap-southeast-6 eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1"),
        "m4": (
            "af-south-1 ap-east-1 ap-east-2 ap-northeast-3 ap-south-2 ap-southeast-3 ap-southeast-4 "
            "ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-west-1 eu-central-2 eu-north-1 eu-south-1 "
            "eu-south-2 eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1 us-gov-east-1 us-gov-west-1"
        ),
        "m5": "ap-east-2 ap-southeast-5 ap-southeast-6 ap-southeast-7 cn-north-1 cn-northwest-1 mx-central-1",
        "m6g": "",
        "m7g": "ca-west-1 eu-south-1",
        "m8g": "ap-east-2 ap-southeast-6 il-central-1 me-central-1 me-south-1 mx-central-1",
        "r4": (
            "af-south-1 ap-east-1 ap-east-2 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 "
            "ap-southeast-6 ap-southeast-7 ca-west-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 il-central-1 "
            "me-central-1 me-south-1 mx-central-1"
        ),
        "r5": "ap-east-2 ap-southeast-5 ap-southeast-6 ap-southeast-7 mx-central-1",
        "r6g": "",
        "r6gd": (
            "af-south-1 ap-east-1 ap-east-2 ap-northeast-2 ap-northeast-3 ap-south-2 ap-southeast-3 "
            "ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-west-1 cn-north-1 cn-northwest-1 "
            "eu-central-2 eu-south-1 eu-south-2 eu-west-2 il-central-1 me-central-1 me-south-1 mx-central-1 "
            "us-gov-east-1 us-gov-west-1"
        ),
        "r7g": "",
        "r8g": "ap-east-2 il-central-1 me-central-1 me-south-1",
        "t2": (
            "af-south-1 ap-east-1 ap-east-2 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 "
            "ap-southeast-6 ap-southeast-7 ca-west-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 il-central-1 "
            "me-central-1 me-south-1 mx-central-1"
        ),
        "t3": "ap-southeast-6",
        "t4g": "me-central-1 me-south-1",
    }
)
"""The regions that lack a family of cache nodes, by that family, of those regions whose price lists cfn-lint has."""


def lacks_node_type(region: str, node_type: str) -> bool:
    """Whether ElastiCache has no nodes of a type, such as "cache.t4g.micro", in a region, according to its price list.

    A region has either all sizes of a family or none. Of types and regions that are not in the lists nothing is known.
    """
    _, family, _ = node_type.split(".")
    return region in _WITHOUT_NODES.get(family, "").split()
