"""API: an HTTP API that accepts only signed requests, and the function behind it."""

import json
from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk.aws_apigatewayv2_authorizers import HttpIamAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from stacks.base_stack import BaseStack
from stacks.cache_stack import CacheStack
from stacks.config import DeployConfig
from stacks.constructs.agent_function import AgentFunction
from stacks.constructs.cache_access import allow_cache, cache_environment, cache_network
from stacks.constructs.embedder_access import allow_embedder, recall_environment
from stacks.constructs.log_groups import vended_log_group_for
from stacks.constructs.permissions import allow_agents_calls
from stacks.constructs.shared_values import keep_exports
from stacks.storage_stack import StorageStack

# Routes that read many items per request; each has its own throttle.
SEARCHES = (
    "/v1/agents/{agent_id}/analytics/performance",
    "/v1/agents/{agent_id}/decisions",
    "/v1/agents/{agent_id}/decisions/statistics",
    "/v1/agents/{agent_id}/decisions/{decision_id}/chain",
    "/v1/agents/{agent_id}/memory/contexts",
    "/v1/agents/{agent_id}/memory/influence/{pattern_id}",
    "/v1/agents/{agent_id}/memory/ltm/{memory_type}",
    "/v1/agents/{agent_id}/memory/recall",
)
_ACCESS_LOG_FORMAT = json.dumps(
    {
        "requestId": "$context.requestId",
        "time": "$context.requestTime",
        "caller": "$context.identity.userArn",
        "ip": "$context.identity.sourceIp",
        "method": "$context.httpMethod",
        "path": "$context.path",
        "status": "$context.status",
        "latencyMs": "$context.responseLatency",
        "error": "$context.error.message",
    }
)


class ApiStack(BaseStack):
    """The HTTP API.

    Attributes:
        api: the API; every route requires an IAM signature, and a path without a route is not found.
        function: the function behind it.
    """

    def __init__(
        self, scope: Construct, *, config: DeployConfig, storage: StorageStack, cache: CacheStack | None
    ) -> None:
        after = [storage, *([cache] if cache else [])]
        super().__init__(scope, "api", config=config, description="Agent Memory: signed HTTP API", after=after)
        self.function = self._function(storage, cache)
        allow_agents_calls(self.function, storage)
        self.api = self._api()
        keep_exports(self, self.api.api_id, self.function.function_name)
        cdk.CfnOutput(self, "ApiId", value=self.api.api_id, description="Id of the HTTP API")
        cdk.CfnOutput(self, "ApiUrl", value=self.api.api_endpoint, description="Address of the HTTP API")

    def _function(self, storage: StorageStack, cache: CacheStack | None) -> AgentFunction:
        function = AgentFunction(
            self,
            "Api",
            config=self.config,
            name="api",
            description="Answers the HTTP API of Agent Memory",
            environment={
                "AGENT_MEMORY_ARCHIVE_BUCKET": storage.archive_name,
                "AGENT_MEMORY_WRITE_SHARDS": str(self.config.write_shards),
                **cache_environment(self.config, cache),
                **recall_environment(self.config),
            },
            memory_mb=1024,
            traced=self.config.trace_requests,
            timeout_seconds=29,  # API Gateway times out after 30
            network=cache_network(self.config, cache),
            reserved_concurrency=self.config.api_concurrency,
        )
        allow_cache(function, cache)
        allow_embedder(function)
        return function

    def _api(self) -> apigw.HttpApi:
        api = apigw.HttpApi(
            self,
            "HttpApi",
            api_name=f"{self.config.prefix}-api",
            description="Agent Memory",
            default_authorizer=HttpIamAuthorizer(),
            create_default_stage=False,
        )
        integration = HttpLambdaIntegration("Function", self.function)
        api.add_routes(path="/v1/{proxy+}", methods=[apigw.HttpMethod.ANY], integration=integration)
        searches = [
            route
            for path in SEARCHES
            for route in api.add_routes(path=path, methods=[apigw.HttpMethod.GET], integration=integration)
        ]
        self._stage(api, searches)
        return api

    def _stage(self, api: apigw.HttpApi, searches: Sequence[apigw.HttpRoute]) -> None:
        stage = apigw.HttpStage(
            self,
            "Stage",
            http_api=api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigw.ThrottleSettings(
                rate_limit=self.config.api_requests_per_second, burst_limit=self.config.api_burst
            ),
        )
        access_logs = vended_log_group_for(self, "AccessLogs", f"api/{self.config.prefix}-access", self.config)
        cfn_stage = cast("apigw.CfnStage", stage.node.default_child)
        cfn_stage.access_log_settings = apigw.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_logs.log_group_arn, format=_ACCESS_LOG_FORMAT
        )
        cfn_stage.route_settings = {
            f"GET {route.path}": {
                "ThrottlingRateLimit": self.config.api_search_requests_per_second,
                "ThrottlingBurstLimit": self.config.api_search_burst,
                "DetailedMetricsEnabled": False,  # each metric of each route is billed
            }
            for route in searches
        }
        stage.node.add_dependency(*searches)  # a stage cannot have settings of a route that does not exist yet
