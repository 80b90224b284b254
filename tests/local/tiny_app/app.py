"""A minimal app with the same kinds of resources as the product's stacks, for testing the local cloud without them."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as http
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from agent_memory.storage.schema import TABLES

HERE = Path(__file__).parent
PREFIX = "tiny"


def build(app: cdk.App) -> None:
    stack = cdk.Stack(app, "tiny", synthesizer=cdk.CliCredentialsStackSynthesizer())
    table, *_others = [add_table(stack, definition.full_name(PREFIX)) for definition in TABLES]
    bucket = s3.Bucket(
        stack,
        "Bucket",
        enforce_ssl=True,
        lifecycle_rules=[
            s3.LifecycleRule(
                id="cold",
                prefix="decisions/",
                transitions=[
                    s3.Transition(storage_class=s3.StorageClass.GLACIER, transition_after=cdk.Duration.days(365))
                ],
                expiration=cdk.Duration.days(2555),
            )
        ],
    )
    function = lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="handler.handler",
        code=lambda_.Code.from_asset(str(HERE / "function")),
        layers=[lambda_.LayerVersion(stack, "Layer", code=lambda_.Code.from_asset(str(HERE / "layer")))],
        environment={"TABLE": table.table_name, "BUCKET": bucket.bucket_name},
        timeout=cdk.Duration.seconds(20),
    )
    function.add_to_role_policy(iam.PolicyStatement(actions=["dynamodb:PartiQLInsert"], resources=[table.table_arn]))
    bucket.grant_put(function)
    api = http.HttpApi(stack, "Api", default_authorizer=authorizers.HttpIamAuthorizer())
    api.add_routes(
        path="/v1/{proxy+}",
        methods=[http.HttpMethod.ANY],
        integration=integrations.HttpLambdaIntegration("Integration", function),
    )
    outputs = {
        "ApiId": api.api_id,
        "TablePrefix": PREFIX,
        "BucketName": bucket.bucket_name,
        "Profile": str(app.node.try_get_context("profile")),
        "RedisEndpoint": str(app.node.try_get_context("redis_endpoint")),
    }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, name, value=value)


def add_table(stack: cdk.Stack, name: str) -> dynamodb.TableV2:
    return dynamodb.TableV2(
        stack,
        name,
        table_name=name,
        partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
        time_to_live_attribute="ttl",
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


app = cdk.App()
build(app)
app.synth()
