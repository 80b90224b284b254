"""The permissions of every role, written by hand: policies are compared with it, and docs/security.md shows it."""

import sys
from pathlib import Path

TABLES = {"decisions": "agent_decisions", "memories": "agent_memory_ltm", "states": "agent_state"}
INDEXES = {
    "by_context": "decisions",
    "by_context_keys": "decisions",
    "by_confidence": "memories",
    "by_change": "memories",
}
PREFIXES = ("decisions", "large", "evidence", "pruned", "reports", "nights", "athena", "digests")

FUNCTIONS = ("api", "gateway", "counter", "agents", "consolidation", "pruning", "archival", "analytics")
NOT_TRACED = ("api", "gateway", "counter")
BY_THE_JOB = ("agents", "consolidation", "pruning", "archival", "analytics")
IN_THE_VPC = ("api", "gateway", "pruning")
NETWORK = "network interfaces"

WRITES_MEMORIES = (
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)

# Actions by role and resource. "everything" is the resource of actions for which AWS supports no others.
PERMISSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "api": {
        "table decisions": (
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:PartiQLInsert",
            "dynamodb:PartiQLUpdate",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        ),
        "index by_context": ("dynamodb:Query",),
        "index by_context_keys": ("dynamodb:Query",),
        "table memories": WRITES_MEMORIES,
        "index by_confidence": ("dynamodb:Query",),
        "index by_change": ("dynamodb:Query",),
        "table states": ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        "objects decisions/": ("s3:GetObject", "s3:RestoreObject"),
        "objects large/": ("s3:GetObject", "s3:PutObject"),
        "objects digests/": ("s3:GetObject",),
        "objects reports/crowding/": ("s3:GetObject",),
        "bucket": ("s3:ListBucket",),
        "cache": ("elasticache:Connect",),
    },
    "gateway": {},
    "agent's gateway": {"alias of the agent": ("lambda:InvokeFunction",)},
    "counter": {
        "stream of decisions": (
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ),
    },
    "agents": {
        "table states": ("dynamodb:Scan",),
        "objects nights/": ("s3:GetObject", "s3:PutObject"),
        "bucket": ("s3:ListBucket",),
        "an execution": ("states:DescribeExecution",),
    },
    "consolidation": {
        "table decisions": ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"),
        "table memories": WRITES_MEMORIES,
        "index by_confidence": ("dynamodb:Query",),
        "table states": ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
        "objects evidence/": ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"),
        "objects large/": ("s3:GetObject",),
        "bucket": ("s3:ListBucket",),
    },
    "pruning": {
        "table memories": (
            "dynamodb:BatchGetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        ),
        "objects pruned/": ("s3:PutObject",),
        "cache": ("elasticache:Connect",),
    },
    "archival": {
        "table decisions": ("dynamodb:PartiQLUpdate", "dynamodb:Query"),
        "table states": ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
        "objects decisions/": ("s3:GetObject", "s3:PutObject"),
        "objects large/": ("s3:GetObject",),
        "objects digests/": ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"),
        "bucket": ("s3:ListBucket",),
    },
    "analytics": {
        "table memories": ("dynamodb:BatchGetItem", "dynamodb:Query"),
        "table states": ("dynamodb:GetItem",),
        "objects evidence/": ("s3:GetObject",),
        "objects nights/": ("s3:GetObject",),
        "objects reports/": ("s3:PutObject",),
        "objects reports/crowding/": ("s3:PutObject",),
        "bucket": ("s3:ListBucket",),
    },
    "state machine": {
        **{f"function {name}": ("lambda:InvokeFunction",) for name in BY_THE_JOB},
        "objects nights/": ("s3:GetObject",),
        "state machine": ("states:StartExecution",),
        "an execution": ("states:DescribeExecution", "states:StopExecution"),
        "an agent's execution": ("states:RedriveExecution",),
        "everything": (
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ),
    },
    "scheduler": {"state machine": ("states:StartExecution",), "queue of missed starts": ("sqs:SendMessage",)},
    "flow logs": {
        "logs flow logs": ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
    },
}
PERMISSIONS["gateway"] |= PERMISSIONS["api"]
for _name in FUNCTIONS:
    PERMISSIONS[_name][f"logs {_name}"] = ("logs:CreateLogStream", "logs:PutLogEvents")
    if _name not in NOT_TRACED:  # requests are traced with the setting trace_requests only
        PERMISSIONS[_name]["everything"] = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")

# The actions of the managed policy AWSLambdaENIManagementAccess, as AWS documents it.
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaENIManagementAccess.html
ENI_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:UnassignPrivateIpAddresses",
)

# The services through which a role may use the deployment's own key, and the actions.
KEY_READS = ("kms:Decrypt", "kms:DescribeKey")
KEY_WRITES = (
    *KEY_READS,
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
KEY_USE = {
    "api": {"dynamodb": KEY_WRITES, "s3": KEY_WRITES},
    "gateway": {"dynamodb": KEY_WRITES, "s3": KEY_WRITES},
    "counter": {"dynamodb": KEY_READS},
    "agents": {"dynamodb": KEY_READS, "s3": KEY_WRITES},
    "consolidation": {"dynamodb": KEY_WRITES, "s3": KEY_WRITES},
    "pruning": {"dynamodb": KEY_WRITES, "s3": KEY_WRITES},
    "archival": {"dynamodb": KEY_WRITES, "s3": KEY_WRITES},
    "analytics": {"dynamodb": KEY_READS, "s3": KEY_WRITES},
    "state machine": {"s3": KEY_READS},
}

_BEGIN, _END = "<!-- permissions: written by `make settings` -->\n", "<!-- end of permissions -->\n"


def markdown() -> str:
    """The table as docs/security.md shows it."""
    rows = ["| role | actions | resource |", "| --- | --- | --- |"]
    for role, permissions in PERMISSIONS.items():
        rows += [
            f"| {role} | {', '.join(f'`{one}`' for one in actions)} | {what} |" for what, actions in permissions.items()
        ]
    return "\n".join(rows) + "\n"


def with_table(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    return f"{before}{_BEGIN}{markdown()}{_END}{after}"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_table(file.read_text(encoding="utf-8")), encoding="utf-8")
