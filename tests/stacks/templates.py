"""Reading synthesized templates."""

from typing import Any


class Template:
    """A CloudFormation template with shortcuts for tests."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.resources: dict[str, dict[str, Any]] = body["Resources"]
        self.outputs: dict[str, dict[str, Any]] = body.get("Outputs", {})

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: resource for name, resource in self.resources.items() if resource["Type"] == kind}

    def properties(self, kind: str) -> list[dict[str, Any]]:
        return [resource.get("Properties", {}) for resource in self.of_type(kind).values()]

    def only(self, kind: str) -> dict[str, Any]:
        found = self.properties(kind)
        assert len(found) == 1, f"{len(found)} of {kind}"
        return found[0]

    def function(self, full_name: str) -> dict[str, Any]:
        return next(p for p in self.properties("AWS::Lambda::Function") if p["FunctionName"] == full_name)

    def permissions(self, full_name: str) -> set[tuple[str, str]]:
        """What a function's role may do: pairs of an action and the text of a resource."""
        role = self.function(full_name)["Role"]["Fn::GetAtt"][0]
        return self.role_permissions(role)

    def role_permissions(self, role: str) -> set[tuple[str, str]]:
        policies = [p for p in self.properties("AWS::IAM::Policy") if {"Ref": role} in p["Roles"]]
        statements = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
        assert all(statement["Effect"] == "Allow" for statement in statements)
        return {
            (action, text_of(resource))
            for statement in statements
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text_of(value: Any) -> str:
    """A value with its intrinsic functions as readable text."""
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return separator.join(text_of(part) for part in parts)
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Select": [6, {"Fn::Split": [":", arn]}]}:  # the name in a state machine's ARN
            return f"{text_of(arn)[:-1]}.Name>"
        case {"Fn::ImportValue": name}:
            return f"<{name}>"
        case {"Fn::GetStackOutput": {"StackName": stack, "OutputName": output}}:
            return f"<{stack}:{output}>"
    raise AssertionError(f"unexpected {value}")
