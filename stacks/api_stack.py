"""API: an HTTP API that knows signed requests only, and the one function behind it."""

import json
from collections.abc import Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_iam as iam
from aws_cdk.aws_apigatewayv2_authorizers import HttpIamAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from agent_memory import schema
from stacks.base_stack import BaseStack
from stacks.cache_stack import CacheStack
from stacks.config import DeployConfig
from stacks.constructs.agent_function import AgentFunction, Network
from stacks.constructs.dependency_layer import FunctionLayers
from stacks.constructs.log_groups import log_group_for
from stacks.constructs.permissions import allow_on_objects, allow_on_table
from stacks.storage_stack import StorageStack

_ON_DECISIONS = ("BatchGetItem", "GetItem", "PartiQLInsert", "PartiQLUpdate", "PutItem", "Query", "UpdateItem")
_ON_MEMORIES = ("BatchGetItem", "GetItem", "PutItem", "Query")
_ON_STATES = ("GetItem", "PutItem", "Query", "UpdateItem")
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
        api: the API; every route asks for an IAM signature, and a path without a route is not found.
        function: the function behind it.
    """

    def __init__(self, scope: Construct, *, config: DeployConfig, storage: StorageStack, cache: CacheStack) -> None:
        super().__init__(scope, "api", config=config, description="Agent Memory: signed HTTP API")
        self.function = self._function(storage, cache)
        _allow(self.function, storage)
        self.api = self._api()
        cdk.CfnOutput(self, "ApiId", value=self.api.api_id, description="Id of the HTTP API")
        cdk.CfnOutput(self, "ApiUrl", value=self.api.api_endpoint, description="Address of the HTTP API")

    def _function(self, storage: StorageStack, cache: CacheStack) -> AgentFunction:
        layers = FunctionLayers(self, "Layers", config=self.config, with_science=False)
        local = self.config.is_local
        function = AgentFunction(
            self,
            "Api",
            config=self.config,
            name="api",
            description="Answers the HTTP API of Agent Memory",
            layers=layers.base,
            environment={
                "AGENT_MEMORY_ARCHIVE_BUCKET": storage.archive.bucket_name,
                "AGENT_MEMORY_WRITE_SHARDS": str(self.config.write_shards),
                **(_local_cache(self.config) if local else _aws_cache(cache)),
            },
            memory_mb=1024,
            timeout_seconds=29,  # API Gateway gives up after 30
            # The local cloud's functions run on the machine itself, where the cache is.
            network=None if local else Network(cache.vpc, cache.function_security_group),
        )
        if not local:
            function.add_to_role_policy(
                iam.PolicyStatement(actions=["elasticache:Connect"], resources=cache.connectable_arns)
            )
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
        api.add_routes(
            path="/v1/{proxy+}",
            methods=[apigw.HttpMethod.ANY],
            integration=HttpLambdaIntegration("Function", self.function),
        )
        self._stage(api)
        return api

    def _stage(self, api: apigw.HttpApi) -> None:
        stage = apigw.HttpStage(
            self,
            "Stage",
            http_api=api,
            stage_name="$default",
            auto_deploy=True,
            detailed_metrics_enabled=True,
            throttle=apigw.ThrottleSettings(
                rate_limit=self.config.api_requests_per_second, burst_limit=self.config.api_burst
            ),
        )
        access_logs = log_group_for(self, "AccessLogs", f"/api/{self.config.prefix}-access", self.config)
        cfn_stage = cast("apigw.CfnStage", stage.node.default_child)
        cfn_stage.access_log_settings = apigw.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_logs.log_group_arn, format=_ACCESS_LOG_FORMAT
        )


def _local_cache(config: DeployConfig) -> Mapping[str, str]:
    return {
        "AGENT_MEMORY_REDIS_ENDPOINT": config.redis_endpoint or "",
        "AGENT_MEMORY_REDIS_TLS": "false",
        "AGENT_MEMORY_REDIS_USER": "",
        "AGENT_MEMORY_REDIS_CACHE": "",
    }


def _aws_cache(cache: CacheStack) -> Mapping[str, str]:
    return {
        "AGENT_MEMORY_REDIS_ENDPOINT": cache.endpoint,
        "AGENT_MEMORY_REDIS_TLS": "true",
        "AGENT_MEMORY_REDIS_USER": cache.user_id,
        "AGENT_MEMORY_REDIS_CACHE": cache.cache.ref,
    }


def _allow(function: AgentFunction, storage: StorageStack) -> None:
    allow_on_table(function, storage.decisions, _ON_DECISIONS, indexes=schema.DECISIONS.indexes)
    allow_on_table(function, storage.memories, _ON_MEMORIES, indexes=schema.MEMORIES.indexes)
    allow_on_table(function, storage.states, _ON_STATES)
    allow_on_objects(function, storage, ["GetObject"], prefix="decisions/")
    allow_on_objects(function, storage, ["GetObject", "PutObject"], prefix="large/")
