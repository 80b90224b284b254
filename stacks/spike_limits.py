"""The settings that keep costs from spiking: how much the API, the functions and the tables do at most."""

from pydantic import BaseModel, Field


class SpikeLimits(BaseModel):
    """What a loop gone wrong runs into."""

    api_requests_per_second: int = Field(
        default=100, ge=1, le=10_000, description="the API's throttle, 1 to 10,000", examples=["100"]
    )
    api_burst: int = Field(
        default=200, ge=1, le=5_000, description="requests the API takes at once, 1 to 5,000", examples=["200"]
    )
    api_search_requests_per_second: int = Field(
        default=20,
        ge=1,
        le=10_000,
        description="the throttle of each route that reads many items, 1 to 10,000",
        examples=["20"],
    )
    api_search_burst: int = Field(
        default=40,
        ge=1,
        le=5_000,
        description="requests that each such route takes at once, 1 to 5,000",
        examples=["40"],
    )
    api_concurrency: int = Field(
        default=0,
        ge=0,
        le=1_000,
        description="requests that the API's function works on at once, which are then kept free for it in the "
        "account, up to 1,000; 0: whatever the account has",
        examples=["50"],
    )
    night_concurrency: int = Field(
        default=0,
        ge=0,
        le=1_000,
        description="agents that each nightly function works on at once, kept free for it in the account, up to 1,000; "
        "0: `map_concurrency` alone says",
        examples=["5"],
    )
    table_max_write_units: int = Field(
        default=4_000,
        ge=0,
        le=40_000,
        description="write units a second that each table and index may use, up to 40,000; what is beyond is "
        "throttled and tried again; 0: no cap",
        examples=["4000"],
    )
    table_max_read_units: int = Field(
        default=12_000,
        ge=0,
        le=40_000,
        description="read units a second that each table and index may use, up to 40,000; 0: no cap",
        examples=["12000"],
    )
