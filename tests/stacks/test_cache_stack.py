import pytest

from tests.stacks.templates import text_of


def test_the_network_has_no_internet_access(aws):
    kinds = {resource["Type"] for resource in aws["cache"].resources.values()}
    assert "AWS::EC2::VPC" in kinds
    assert not kinds & {
        "AWS::EC2::NatGateway",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::EgressOnlyInternetGateway",
        "AWS::EC2::Route",
        "AWS::EC2::EIP",
    }


def test_two_zones_are_chosen_without_a_look_up(aws):
    subnets = aws["cache"].properties("AWS::EC2::Subnet")
    zones = [subnet["AvailabilityZone"] for subnet in subnets]
    assert zones == [{"Fn::Select": [index, {"Fn::GetAZs": ""}]} for index in (0, 1)]
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


def test_dynamodb_and_s3_are_reached_by_free_gateway_endpoints_only(aws):
    endpoints = aws["cache"].properties("AWS::EC2::VPCEndpoint")
    assert {endpoint["VpcEndpointType"] for endpoint in endpoints} == {"Gateway"}
    services = {endpoint["ServiceName"]["Fn::Join"][1][-1] for endpoint in endpoints}
    assert services == {".dynamodb", ".s3"}
    assert all(len(endpoint["RouteTableIds"]) == 2 for endpoint in endpoints)


def test_the_endpoints_reach_the_deployments_own_tables_and_bucket_only(aws):
    reached = {
        statement["Action"]: [text_of(one) for one in statement["Resource"]]
        for endpoint in aws["cache"].properties("AWS::EC2::VPCEndpoint")
        for statement in endpoint["PolicyDocument"]["Statement"]
    }
    archive = "<agent-memory-storage:ArchiveBucketArn>"
    assert reached["s3:*"] == [archive, f"{archive}/*"]
    tables = [one for one in reached["dynamodb:*"] if not one.endswith("/index/*")]
    assert set(reached["dynamodb:*"]) == {arn for table in tables for arn in (table, f"{table}/index/*")}
    for name in ("Decisions", "Memories", "States"):
        assert sum(name in table for table in tables) == 1
    assert len(tables) == 3


@pytest.mark.parametrize("profile", ["aws", "local"])
def test_valkey_is_encrypted_and_authenticated(profile, request):
    template = request.getfixturevalue(profile)["cache"]
    cache = template.only("AWS::ElastiCache::ReplicationGroup")
    assert cache["Engine"] == "valkey"
    assert cache["AtRestEncryptionEnabled"]
    assert cache["TransitEncryptionEnabled"]
    assert cache["TransitEncryptionMode"] == "required"
    (group,) = template.of_type("AWS::ElastiCache::UserGroup")
    assert cache["UserGroupIds"] == [{"Ref": group}]


def test_the_only_user_authenticates_with_an_iam_token_and_reaches_short_term_memory_only(aws):
    template = aws["cache"]
    user = template.only("AWS::ElastiCache::User")
    assert user["AuthenticationMode"] == {"Type": "iam"}
    assert user["UserId"] == user["UserName"] == "agent-memory-api"
    rules = user["AccessString"].split()
    assert [rule for rule in rules if rule.startswith("~")] == ["~stm:*"]
    assert "-@dangerous" in rules
    assert "+@all" not in rules
    (only_user,) = template.of_type("AWS::ElastiCache::User")
    group = template.only("AWS::ElastiCache::UserGroup")
    assert (group["Engine"], group["UserIds"]) == ("valkey", [{"Ref": only_user}])


def test_one_small_node_by_default(aws):
    cache = aws["cache"].only("AWS::ElastiCache::ReplicationGroup")
    assert (cache["CacheNodeType"], cache["NumCacheClusters"]) == ("cache.t4g.micro", 1)
    assert not cache["AutomaticFailoverEnabled"]


def named_groups(template):
    return {name: group["Properties"] for name, group in template.of_type("AWS::EC2::SecurityGroup").items()}


def test_only_the_functions_reach_the_cache(aws):
    ingress = aws["cache"].only("AWS::EC2::SecurityGroupIngress")
    cache = aws["cache"].only("AWS::ElastiCache::ReplicationGroup")
    groups = {p["GroupDescription"]: name for name, p in named_groups(aws["cache"]).items()}
    functions = {"Fn::GetAtt": [groups["Functions that use the cache"], "GroupId"]}
    assert ingress["SourceSecurityGroupId"] == functions
    assert [ingress["GroupId"]] == cache["SecurityGroupIds"]
    assert ingress["FromPort"] == ingress["ToPort"] == cache["Port"]
    assert not any("SecurityGroupIngress" in group for group in named_groups(aws["cache"]).values())


def test_rejected_traffic_is_logged(aws):
    flow_log = aws["cache"].only("AWS::EC2::FlowLog")
    assert (flow_log["TrafficType"], flow_log["ResourceType"]) == ("REJECT", "VPC")
