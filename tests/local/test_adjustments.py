"""Lifecycle rules of a template as the S3 API takes them."""

from typing import Any

import pytest

from local.adjustments import lifecycle_rule


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, {"Prefix": ""}),
        ({"Prefix": "a/"}, {"Prefix": "a/"}),
        ({"TagFilters": [{"Key": "k", "Value": "v"}]}, {"Tag": {"Key": "k", "Value": "v"}}),
        ({"ObjectSizeGreaterThan": "131072"}, {"ObjectSizeGreaterThan": 131072}),
        (
            {"Prefix": "a/", "TagFilters": [{"Key": "k", "Value": "v"}]},
            {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}},
        ),
    ],
)
def test_filters(rule: dict[str, Any], expected: dict[str, Any]) -> None:
    assert lifecycle_rule({"Status": "Enabled"} | rule)["Filter"] == expected


def test_every_action_is_translated() -> None:
    rule = {
        "Id": "all",
        "Status": "Enabled",
        "ExpirationInDays": 2555,
        "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 365}],
        "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "TransitionInDays": 30}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    assert lifecycle_rule(rule) == {
        "ID": "all",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": 2555},
        "Transitions": [{"StorageClass": "GLACIER", "Days": 365}],
        "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "NoncurrentDays": 30}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
