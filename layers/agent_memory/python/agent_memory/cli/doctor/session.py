"""The caller's session with AWS."""

from typing import Any

from agent_memory.core.extras import needs_extra


def aws_session(region: str | None = None) -> Any:
    """A boto3 session of the environment, in `region` if it is given.

    Raises:
        InvalidInput: there is no region, or the settings cannot be used; names the variable.
    """
    with needs_extra("aws"):
        import boto3  # noqa: PLC0415  takes 200 ms

        from agent_memory.storage.aws_errors import checked_settings  # noqa: PLC0415
    with checked_settings():
        session = boto3.Session(region_name=region)
        session.client("cloudformation")  # raises if there is no region
    return session
