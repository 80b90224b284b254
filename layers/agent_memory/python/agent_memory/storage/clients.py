"""Checks of boto3 clients that a caller passes: one of another kind would fail in every later call."""

from inspect import iscoroutinefunction

from agent_memory.core.errors import InvalidInput


def check_aws_client(argument: str, client: object, service: str, method: str) -> None:
    """Check that this is None, or a client with a service's methods.

    Args:
        argument: what errors name.
        client: what was passed.
        service: its name in boto3.
        method: one of the client's methods that no other service has.

    Raises:
        InvalidInput: says what to pass instead.
    """
    if client is None:
        return
    kinds = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(client).__mro__]
    is_resource = any(kind.startswith("boto3.resources.") for kind in kinds)
    if callable(getattr(client, method, None)) and not is_resource and not iscoroutinefunction(getattr(client, method)):
        return
    if kinds[0].endswith("MemoryManager"):
        hint = "pass it as memory_manager="
    elif is_resource:
        hint = f"pass the client of the resource, resource.meta.client, or boto3.client({service!r})"
    else:
        hint = f"pass boto3.client({service!r})"
    raise InvalidInput(argument, f"expected a boto3 client of {service}, got {kinds[0]}; {hint}")
