"""What AWS does not offer in every region, of the resources that the stacks use.

The table is that of CloudFormation's resource schemas of each region, as cfn-lint has them; a test compares both.
"""

from collections.abc import Mapping
from types import MappingProxyType

BUDGET = "AWS::Budgets::Budget"

_WITHOUT_BUDGETS = (
    "af-south-1 ap-east-1 ap-east-2 ap-northeast-3 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 "
    "ap-southeast-6 ap-southeast-7 ca-west-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 il-central-1 me-central-1 "
    "mx-central-1 us-gov-east-1 us-gov-west-1"
)

MISSING: Mapping[str, frozenset[str]] = MappingProxyType({BUDGET: frozenset(_WITHOUT_BUDGETS.split())})
"""The regions that lack a type of resource, by that type. Every other type of the stacks is in all regions."""


def is_missing(resource_type: str, region: str) -> bool:
    """Whether CloudFormation has no such type of resource in a region."""
    return region in MISSING.get(resource_type, frozenset())
