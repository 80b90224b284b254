"""IAM's evaluation of the policies in templates, with references resolved to ARNs."""

import re
from dataclasses import dataclass
from functools import cache

from tests.stacks.templates import as_list

ACCOUNT, REGION, PARTITION = "123456789012", "eu-central-1", "aws"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": PARTITION,
    "AWS::URLSuffix": "amazonaws.com",
}
_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_KNOWN_KEYS = {"Effect", "Action", "Resource", "Condition", "Sid"}


@cache
def _pattern(text):
    """IAM's wildcards as a regular expression: `*` is any text, `?` one character, everything else is literal."""
    return re.compile("".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in text), re.DOTALL)


def matches(pattern, text):
    return _pattern(pattern).fullmatch(text) is not None


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, its references resolved."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    equals: tuple[tuple[str, str], ...] = ()

    def covers(self, action, resource, context):
        return (
            all(context.get(key) == value for key, value in self.equals)
            and any(matches(one.lower(), action.lower()) for one in self.actions)
            and any(matches(one, resource) for one in self.resources)
        )


def identity_statements(policy, tags=None, **context):
    """The statements of a policy document whose conditions hold, with variables replaced.

    Args:
        policy: the document.
        tags: the principal's tags. A resource with a variable that has no value does not apply:
            https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value
        context: other condition keys, with `__` for `:`; a list is a key of several values.
    """
    tags = {f"aws:PrincipalTag/{name}": value for name, value in (tags or {}).items()}
    values = tags | {name.replace("__", ":"): value for name, value in context.items()}
    return [
        Statement(
            one["Effect"],
            tuple(as_list(one["Action"])),
            tuple(
                _VARIABLE.sub(lambda name: tags[name[1]], resource)
                for resource in as_list(one["Resource"])
                if set(_VARIABLE.findall(resource)) <= set(tags)
            ),
        )
        for one in policy["Statement"]
        if all(_holds(*part, values) for part in one.get("Condition", {}).items())
    ]


def _holds(operator, expected, values):
    """Whether one operator of a condition holds for all of its keys."""

    def is_like(key, value):
        return any(matches(pattern, value) for pattern in as_list(expected[key]))

    match operator:
        case "Null":
            return all((key not in values) is (wanted == "true") for key, wanted in expected.items())
        case "StringLike":
            return all(key in values and is_like(key, values[key]) for key in expected)
        case "StringNotLike":
            return all(key not in values or not is_like(key, values[key]) for key in expected)
        case "ForAllValues:StringLike":
            return all(is_like(key, value) for key in expected for value in values.get(key, []))
    raise AssertionError(f"not understood: {operator}")


def is_allowed(statements, action, resource, **context):
    """Whether a role with these statements may: an explicit deny wins, and what nothing allows is denied.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    context = {name.replace("__", ":"): value for name, value in context.items()}
    effects = {one.effect for one in statements if one.covers(action, resource, context)}
    return effects == {"Allow"}


class Account:
    """The resources and policies of one deployment, with their references resolved."""

    def __init__(self, templates):
        self._templates = dict(templates)

    def roles(self):
        """(stack, logical id) of every role."""
        return [
            (stack, name) for stack, template in self._templates.items() for name in template.of_type("AWS::IAM::Role")
        ]

    def statements(self, stack, role):
        """The statements of a role's policies, without managed policies."""
        template = self._templates[stack]
        assert "Policies" not in template.resources[role]["Properties"]
        return [
            self._statement(stack, statement)
            for policy in template.properties("AWS::IAM::Policy")
            if {"Ref": role} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def managed(self, stack, role):
        properties = self._templates[stack].resources[role]["Properties"]
        return [self.resolve(stack, arn) for arn in properties.get("ManagedPolicyArns", [])]

    def _statement(self, stack, statement):
        assert set(statement) <= _KNOWN_KEYS, f"not understood: {statement}"
        condition = statement.get("Condition", {})
        assert set(condition) <= {"StringEquals"}, f"not understood: {condition}"
        return Statement(
            statement["Effect"],
            tuple(as_list(statement["Action"])),
            tuple(self.resolve(stack, one) for one in as_list(statement["Resource"])),
            tuple((key, self.resolve(stack, value)) for key, value in condition.get("StringEquals", {}).items()),
        )

    def resolve(self, stack, value):
        """A value with its references replaced by what they refer to."""
        match value:
            case str():
                return value
            case {"Fn::Join": [separator, parts]}:
                return separator.join(self.resolve(stack, part) for part in parts)
            case {"Fn::Select": [index, {"Fn::Split": [separator, text]}]}:
                return self.resolve(stack, text).split(separator)[int(index)]
            case {"Ref": name}:
                return _PSEUDO[name] if name in _PSEUDO else self._reference(stack, name)
            case {"Fn::GetAtt": [name, "Arn"]}:
                return self._arn(stack, name)
            case {"Fn::GetAtt": [name, "StreamArn"]}:
                return f"{self._arn(stack, name)}/stream/2026-11-24"
            case {"Fn::ImportValue": name}:
                return self._exported(name)
            case {"Fn::GetStackOutput": {"StackName": other, "OutputName": output}}:
                other = self.resolve(stack, other).rsplit("-", 1)[1]
                return self.resolve(other, self._templates[other].outputs[output]["Value"])
        raise AssertionError(f"not understood: {value}")

    def _exported(self, name):
        for stack, template in self._templates.items():
            for output in template.outputs.values():
                if output.get("Export", {}).get("Name") == name:
                    return self.resolve(stack, output["Value"])
        raise AssertionError(f"no stack exports {name}")

    def _reference(self, stack, name):
        resource = self._templates[stack].resources[name]
        match resource["Type"]:
            case "AWS::StepFunctions::StateMachine":
                return self._arn(stack, name)
            case "AWS::Lambda::Alias":
                function = resource["Properties"]["FunctionName"]["Ref"]
                return f"{self._arn(stack, function)}:{resource['Properties']['Name']}"
        return _generated(stack, name)

    def _arn(self, stack, name):
        resource = self._templates[stack].resources[name]
        properties = resource["Properties"]
        match resource["Type"]:
            case "AWS::S3::Bucket":
                return f"arn:{PARTITION}:s3:::{_generated(stack, name)}"
            case "AWS::DynamoDB::Table":
                return arn("dynamodb", f"table/{properties['TableName']}")
            case "AWS::Lambda::Function":
                return arn("lambda", f"function:{properties['FunctionName']}")
            case "AWS::StepFunctions::StateMachine":
                return arn("states", f"stateMachine:{properties['StateMachineName']}")
            case "AWS::SQS::Queue":
                return arn("sqs", properties["QueueName"])
            case "AWS::KMS::Key":
                return arn("kms", "key/own")
            case "AWS::Logs::LogGroup":  # CloudFormation's ARN of a log group covers its streams
                return arn("logs", f"log-group:{properties['LogGroupName']}:*")
        raise AssertionError(f"not understood: {resource['Type']}")


def _generated(stack, logical_id):
    """A placeholder for the name that CloudFormation generates: the logical id without CDK's hash."""
    return f"{stack}-{re.sub('[0-9A-F]{8}$', '', logical_id)}".lower()


def arn(service, rest):
    return f"arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{rest}"
