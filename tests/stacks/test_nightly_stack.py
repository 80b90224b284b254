import json

import pytest

from tests.stacks.conftest import synthesize
from tests.stacks.templates import text_of

STEPS = ["Consolidation", "Pruning", "Archival", "Analytics"]
MAX_STATE_BYTES = 256 * 1024
ARCHIVE = "<agent-memory-storage:ArchiveBucketArn>"


@pytest.fixture(scope="module")
def nightly(aws):
    return aws["nightly"]


@pytest.fixture(scope="module")
def definition(nightly):
    text = text_of(nightly.only("AWS::StepFunctions::StateMachine")["DefinitionString"])
    return json.loads(text)


@pytest.fixture(scope="module")
def agent_states(definition):
    return definition["States"]["EachAgent"]["ItemProcessor"]["States"]


def test_a_run_lists_the_agents_processes_each_and_checks_the_results(definition):
    states = definition["States"]
    assert definition["StartAt"] == "ListAgents"
    assert states["ListAgents"]["Next"] == "AnyAgents"
    assert [(rule["Condition"], rule["Next"]) for rule in states["AnyAgents"]["Choices"]] == [
        ("{% $states.input.agents = 0 %}", "Done")
    ]
    assert states["AnyAgents"]["Default"] == "EachAgent"
    assert states["EachAgent"]["Next"] == "AllDone"


def test_the_agents_function_gets_the_input_and_the_name_of_the_run(definition):
    payload = definition["States"]["ListAgents"]["Arguments"]["Payload"]
    assert payload == "{% $merge([$states.input, {'run': $states.context.Execution.Name}]) %}"


def test_each_agent_has_its_own_execution_with_limited_concurrency_and_no_failure_stops_another(definition):
    each = definition["States"]["EachAgent"]
    assert each["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert each["MaxConcurrency"] == 5
    assert each["ToleratedFailurePercentage"] == 100


def test_the_list_of_agents_comes_from_the_bucket_and_not_through_the_state(definition):
    reader = definition["States"]["EachAgent"]["ItemReader"]
    assert reader["Resource"] == "arn:<AWS::Partition>:states:::s3:getObject"
    assert reader["ReaderConfig"] == {"InputType": "JSON"}
    assert reader["Parameters"]["Key.$"] == "$.list"
    assert "Archive" in reader["Parameters"]["Bucket"]


def test_the_results_of_ten_thousand_agents_fit_into_a_state(agent_states):
    assert agent_states["AgentDone"]["Output"] == "{% 'done' %}"
    assert len(json.dumps(["done"] * 10_000)) < MAX_STATE_BYTES


def test_every_state_but_the_map_is_in_jsonata(definition, agent_states):
    assert "QueryLanguage" not in definition  # JSONPath, so that the map may
    languages = {name: state.get("QueryLanguage") for name, state in {**definition["States"], **agent_states}.items()}
    assert {name for name, language in languages.items() if language != "JSONata"} == {"EachAgent"}


def test_an_agents_steps_follow_one_another(definition, agent_states):
    order, state = [], definition["States"]["EachAgent"]["ItemProcessor"]["StartAt"]
    while state:
        order.append(state)
        state = agent_states[state].get("Next", agent_states[state].get("Default"))
    assert order == ["Consolidation", "InParts", *STEPS[1:], "AgentDone"]


def test_decisions_that_one_machine_cannot_read_are_read_in_parts_before_learning(agent_states):
    (rule,) = agent_states["InParts"]["Choices"]
    assert (rule["Condition"], rule["Next"]) == ("{% $count($states.input.parts) > 0 %}", "EachPart")
    assert "$states.result.Payload.parts" in agent_states["Consolidation"]["Output"]
    each = agent_states["EachPart"]
    assert (each["Items"], each["Next"]) == ("{% $states.input.parts %}", "LearnFromParts")
    assert [one["Next"] for one in each["Catch"]] == ["AgentFailed"]
    (read,) = each["ItemProcessor"]["States"].values()
    first, learn = agent_states["Consolidation"], agent_states["LearnFromParts"]
    functions = [one["Arguments"]["FunctionName"] for one in (read, first, learn)]
    assert functions[0] == functions[1] == functions[2]
    assert len(read["Retry"]) == 2
    assert learn["Arguments"]["Payload"]["parts"] == "{% $states.input.parts %}"
    assert learn["Next"] == "Pruning"


@pytest.mark.parametrize("step", STEPS)
def test_a_step_gets_agent_and_date_from_its_own_function(agent_states, nightly, step):
    arguments = agent_states[step]["Arguments"]
    assert arguments["Payload"] == {
        "agent_id": "{% $states.input.agent_id %}",
        "date": "{% $states.input.date %}",
    }
    function = nightly.function(f"agent-memory-{step.lower()}")
    called = arguments["FunctionName"].strip("<>").removesuffix(".Arn")
    assert nightly.resources[called]["Properties"] == function


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_retried_and_its_last_failure_ends_only_that_agent(agent_states, step):
    _, retry = agent_states[step]["Retry"]
    assert "States.TaskFailed" in retry["ErrorEquals"]
    assert (retry["MaxAttempts"], retry["BackoffRate"]) == (2, 3)
    (catch,) = agent_states[step]["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "AgentFailed")
    assert f"'step': '{step.lower()}'" in catch["Output"]
    assert agent_states["AgentFailed"]["End"] is True


@pytest.mark.parametrize("step", ["ListAgents", "Crowding", *STEPS])
def test_throttling_by_lambda_is_waited_for_longer_than_the_longest_step_takes(definition, agent_states, nightly, step):
    retries = {**definition["States"], **agent_states}[step]["Retry"]
    throttled = retries[0]  # the first retrier that names an error counts its attempts by itself
    assert set(throttled["ErrorEquals"]) == {"Lambda.TooManyRequestsException", "Lambda.EC2ThrottledException"}
    waits = [
        min(throttled["IntervalSeconds"] * throttled["BackoffRate"] ** n, throttled["MaxDelaySeconds"])
        for n in range(throttled["MaxAttempts"])
    ]
    mean_seconds = sum(waits) / 2  # the jitter is uniform from 0
    longest = max(one["Timeout"] for one in nightly.properties("AWS::Lambda::Function"))
    assert mean_seconds > 1.5 * longest


def test_a_failed_agent_fails_the_run_at_the_end(definition):
    choice = definition["States"]["AllDone"]
    all_done = "{% $count($states.input.results[$ = 'done']) = $states.input.agents %}"
    assert [(rule["Condition"], rule["Next"]) for rule in choice["Choices"]] == [(all_done, "Crowding")]
    assert definition["States"]["Crowding"]["Next"] == "Done"
    assert choice["Default"] == "SomeAgentsFailed"
    assert definition["States"]["SomeAgentsFailed"]["Type"] == "Fail"
    assert definition["States"]["SomeAgentsFailed"]["Error"] == "AgentsFailed"


def test_the_machine_is_durable_logged_and_traced(nightly):
    machine = nightly.only("AWS::StepFunctions::StateMachine")
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_the_machine_may_invoke_these_functions_only(nightly):
    role = nightly.only("AWS::StepFunctions::StateMachine")["RoleArn"]["Fn::GetAtt"][0]
    invoked = {resource for action, resource in nightly.role_permissions(role) if action == "lambda:InvokeFunction"}
    functions = {f"<{name}.Arn>" for name in nightly.of_type("AWS::Lambda::Function")}
    assert invoked == functions | {f"{arn}:*" for arn in functions}


def test_the_machine_starts_executions_of_its_own_and_reads_lists_of_agents_only(nightly):
    role = nightly.only("AWS::StepFunctions::StateMachine")["RoleArn"]["Fn::GetAtt"][0]
    (machine,) = nightly.of_type("AWS::StepFunctions::StateMachine")
    permissions = nightly.role_permissions(role)
    assert {resource for action, resource in permissions if action == "states:StartExecution"} == {f"<{machine}>"}
    executions = f"execution:<{machine}.Name>"
    managed = {
        resource for action, resource in permissions if action in {"states:StopExecution", "states:RedriveExecution"}
    }
    assert all(executions in resource for resource in managed)
    assert {(action, resource) for action, resource in permissions if action.startswith("s3:")} == {
        ("s3:GetObject", f"{ARCHIVE}/nights/*")
    }


def test_the_schedule_is_in_the_configured_time_zone(nightly):
    schedule = nightly.only("AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(10 0 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert schedule["State"] == "ENABLED"
    assert json.loads(schedule["Target"]["Input"]) == {"scheduled_time": "<aws.scheduler.scheduled-time>"}


def test_a_start_is_retried_and_then_kept_in_the_dead_letter_queue(nightly):
    target = nightly.only("AWS::Scheduler::Schedule")["Target"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 10
    (queue,) = nightly.of_type("AWS::SQS::Queue")
    assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": [queue, "Arn"]}


@pytest.mark.parametrize(
    ("name", "tables", "objects"),
    [
        ("agents", {"States": {"Scan"}}, {("GetObject", "nights/*"), ("PutObject", "nights/*")}),
        (
            "consolidation",
            {
                "Decisions": {"BatchGetItem", "GetItem", "Query"},
                "Memories": {"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"},
                "States": {"DeleteItem", "GetItem", "PutItem", "Query"},
            },
            {
                ("DeleteObject", "evidence/*"),
                ("GetObject", "evidence/*"),
                ("PutObject", "evidence/*"),
                ("GetObject", "large/*"),
            },
        ),
        (
            "pruning",
            {"Memories": {"BatchGetItem", "PutItem", "Query", "UpdateItem"}},
            {("PutObject", "pruned/*")},
        ),
        (
            "archival",
            {"Decisions": {"PartiQLUpdate", "Query"}, "States": {"DeleteItem", "GetItem", "PutItem", "Query"}},
            {
                ("GetObject", "decisions/*"),
                ("PutObject", "decisions/*"),
                ("GetObject", "large/*"),
                ("DeleteObject", "digests/*"),
                ("GetObject", "digests/*"),
                ("PutObject", "digests/*"),
            },
        ),
        (
            "analytics",
            {"Memories": {"BatchGetItem", "Query"}, "States": {"GetItem"}},
            {("GetObject", "evidence/*"), ("GetObject", "nights/*"), ("PutObject", "reports/*")},
        ),
    ],
)
def test_a_function_may_do_what_it_does_and_no_more(nightly, name, tables, objects):
    permissions = nightly.permissions(f"agent-memory-{name}")
    on_tables: dict[str, set[str]] = {}
    for action, resource in permissions:
        if action.startswith("dynamodb:"):
            table = next(one for one in ("Decisions", "Memories", "States") if one in resource)
            on_tables.setdefault(table, set()).add(action.removeprefix("dynamodb:"))
    assert on_tables == tables
    found = {
        (action.removeprefix("s3:"), resource.removeprefix(f"{ARCHIVE}/"))
        for action, resource in permissions
        if action.startswith("s3:") and action != "s3:ListBucket"
    }
    assert found == objects
    may_list = any(action == "s3:ListBucket" for action, _ in permissions)
    assert may_list == any(action == "GetObject" for action, _ in objects)
    services = {action.split(":")[0] for action, _ in permissions} - {"elasticache"}
    assert services <= {"dynamodb", "s3", "logs", "xray", *(("states",) if name == "agents" else ())}


def test_only_the_function_that_uses_the_cache_is_in_the_vpc(nightly):
    functions = nightly.properties("AWS::Lambda::Function")
    inside = [function["FunctionName"] for function in functions if "VpcConfig" in function]
    assert inside == ["agent-memory-pruning"]
    for name, may_connect in (("pruning", True), ("archival", False)):
        actions = {action for action, _ in nightly.permissions(f"agent-memory-{name}")}
        assert ("elasticache:Connect" in actions) is may_connect
    assert nightly.function("agent-memory-pruning")["Environment"]["Variables"]["AGENT_MEMORY_REDIS_TLS"] == "true"


def test_output_names_the_machine(nightly):
    (machine,) = nightly.of_type("AWS::StepFunctions::StateMachine")
    assert nightly.outputs["NightlyStateMachineArn"]["Value"] == {"Ref": machine}


def test_the_ends_of_chains_go_to_a_bucket_of_another_account_only_where_the_setting_asks_for_it(nightly, tmp_path):
    anchored = synthesize(tmp_path, anchor_bucket="acme-anchors")["nightly"]
    name, variable = "agent-memory-archival", "AGENT_MEMORY_ANCHOR_BUCKET"
    assert anchored.function(name)["Environment"]["Variables"][variable] == "acme-anchors"
    added = anchored.permissions(name) - nightly.permissions(name)
    assert {action for action, _ in added} == {"s3:GetObject", "s3:PutObject"}
    assert all(resource.endswith(":s3:::acme-anchors/anchors/*") for _, resource in added)
    assert variable not in nightly.function(name)["Environment"]["Variables"]
    others = ["agents", "consolidation", "pruning", "analytics"]
    assert all(variable not in anchored.function(f"agent-memory-{one}")["Environment"]["Variables"] for one in others)
