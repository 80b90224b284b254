import json

import pytest

from tests.stacks.templates import text_of

STEPS = ["Consolidation", "Pruning", "Archival", "Analytics"]
MOST_BYTES_OF_A_STATE = 256 * 1024
ARCHIVE = "<agent-memory-storage:ArchiveBucketArn>"


@pytest.fixture(scope="module")
def night(aws):
    return aws["nightly"]


@pytest.fixture(scope="module")
def definition(night):
    text = text_of(night.only("AWS::StepFunctions::StateMachine")["DefinitionString"])
    return json.loads(text)


@pytest.fixture(scope="module")
def agent_states(definition):
    return definition["States"]["EachAgent"]["ItemProcessor"]["States"]


def test_a_night_lists_its_agents_then_works_on_each_then_judges(definition):
    states = definition["States"]
    assert definition["StartAt"] == "ListAgents"
    assert states["ListAgents"]["Next"] == "AnyAgents"
    assert [(rule["Condition"], rule["Next"]) for rule in states["AnyAgents"]["Choices"]] == [
        ("{% $states.input.agents = 0 %}", "Done")
    ]
    assert states["AnyAgents"]["Default"] == "EachAgent"
    assert states["EachAgent"]["Next"] == "AllDone"


def test_the_agents_function_gets_the_whole_input_and_the_name_of_the_run(definition):
    payload = definition["States"]["ListAgents"]["Arguments"]["Payload"]
    assert payload == "{% $merge([$states.input, {'run': $states.context.Execution.Name}]) %}"


def test_agents_have_executions_of_their_own_a_few_at_a_time_and_none_ends_another(definition):
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
    assert len(json.dumps(["done"] * 10_000)) < MOST_BYTES_OF_A_STATE


def test_every_state_speaks_jsonata_but_the_map(definition, agent_states):
    assert "QueryLanguage" not in definition  # JSONPath, so that the map may
    languages = {name: state.get("QueryLanguage") for name, state in {**definition["States"], **agent_states}.items()}
    assert {name for name, language in languages.items() if language != "JSONata"} == {"EachAgent"}


def test_an_agents_steps_follow_one_another(definition, agent_states):
    order, state = [], definition["States"]["EachAgent"]["ItemProcessor"]["StartAt"]
    while state:
        order.append(state)
        state = agent_states[state].get("Next")
    assert order == [*STEPS, "AgentDone"]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_gets_agent_and_date_from_its_own_function(agent_states, night, step):
    arguments = agent_states[step]["Arguments"]
    assert arguments["Payload"] == {
        "agent_id": "{% $states.input.agent_id %}",
        "date": "{% $states.input.date %}",
    }
    function = night.function(f"agent-memory-{step.lower()}")
    called = arguments["FunctionName"].strip("<>").removesuffix(".Arn")
    assert night.resources[called]["Properties"] == function


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_tried_again_and_its_last_failure_ends_that_agent_only(agent_states, step):
    (retry,) = agent_states[step]["Retry"]
    assert "States.TaskFailed" in retry["ErrorEquals"]
    assert (retry["MaxAttempts"], retry["BackoffRate"]) == (2, 3)
    (catch,) = agent_states[step]["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "AgentFailed")
    assert f"'step': '{step.lower()}'" in catch["Output"]
    assert agent_states["AgentFailed"]["End"] is True


def test_a_failed_agent_fails_the_night_at_the_end(definition):
    choice = definition["States"]["AllDone"]
    all_done = "{% $count($states.input.results[$ = 'done']) = $states.input.agents %}"
    assert [(rule["Condition"], rule["Next"]) for rule in choice["Choices"]] == [(all_done, "Done")]
    assert choice["Default"] == "SomeAgentsFailed"
    assert definition["States"]["SomeAgentsFailed"]["Type"] == "Fail"
    assert definition["States"]["SomeAgentsFailed"]["Error"] == "AgentsFailed"


def test_the_machine_is_durable_logged_and_traced(night):
    machine = night.only("AWS::StepFunctions::StateMachine")
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_the_machine_may_invoke_these_functions_only(night):
    role = night.only("AWS::StepFunctions::StateMachine")["RoleArn"]["Fn::GetAtt"][0]
    invoked = {resource for action, resource in night.role_permissions(role) if action == "lambda:InvokeFunction"}
    functions = {f"<{name}.Arn>" for name in night.of_type("AWS::Lambda::Function")}
    assert invoked == functions | {f"{arn}:*" for arn in functions}


def test_the_machine_starts_executions_of_its_own_and_reads_lists_of_agents_only(night):
    role = night.only("AWS::StepFunctions::StateMachine")["RoleArn"]["Fn::GetAtt"][0]
    (machine,) = night.of_type("AWS::StepFunctions::StateMachine")
    held = night.role_permissions(role)
    assert {resource for action, resource in held if action == "states:StartExecution"} == {f"<{machine}>"}
    executions = f"execution:<{machine}.Name>"
    managed = {resource for action, resource in held if action in {"states:StopExecution", "states:RedriveExecution"}}
    assert all(executions in resource for resource in managed)
    assert {(action, resource) for action, resource in held if action.startswith("s3:")} == {
        ("s3:GetObject", f"{ARCHIVE}/nights/*")
    }


def test_a_night_begins_in_the_configured_time_zone(night):
    schedule = night.only("AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(10 0 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert schedule["State"] == "ENABLED"
    assert json.loads(schedule["Target"]["Input"]) == {"scheduled_time": "<aws.scheduler.scheduled-time>"}


def test_a_start_is_retried_and_then_kept(night):
    target = night.only("AWS::Scheduler::Schedule")["Target"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 10
    (queue,) = night.of_type("AWS::SQS::Queue")
    assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": [queue, "Arn"]}


@pytest.mark.parametrize(
    ("name", "tables", "objects"),
    [
        ("agents", {"States": {"Scan"}}, {("PutObject", "nights/*")}),
        (
            "consolidation",
            {
                "Decisions": {"Query"},
                "Memories": {"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"},
                "States": {"GetItem", "PutItem"},
            },
            {("GetObject", "evidence/*"), ("PutObject", "evidence/*"), ("GetObject", "large/*")},
        ),
        (
            "pruning",
            {"Memories": {"BatchGetItem", "DeleteItem", "PutItem", "Query", "UpdateItem"}},
            {("PutObject", "pruned/*")},
        ),
        (
            "archival",
            {"Decisions": {"PartiQLUpdate", "Query"}, "States": {"DeleteItem", "GetItem", "PutItem", "Query"}},
            {("GetObject", "decisions/*"), ("PutObject", "decisions/*"), ("GetObject", "large/*")},
        ),
        (
            "analytics",
            {"Memories": {"BatchGetItem", "Query"}},
            {("GetObject", "evidence/*"), ("PutObject", "reports/*")},
        ),
    ],
)
def test_a_function_may_do_what_it_does_and_no_more(night, name, tables, objects):
    permissions = night.permissions(f"agent-memory-{name}")
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
    assert services <= {"dynamodb", "s3", "logs", "xray"}


def test_only_the_function_that_asks_the_cache_is_in_the_vpc(night):
    functions = night.properties("AWS::Lambda::Function")
    inside = [function["FunctionName"] for function in functions if "VpcConfig" in function]
    assert inside == ["agent-memory-pruning"]
    permissions = {name: night.permissions(f"agent-memory-{name}") for name in ("pruning", "archival")}
    may = {name: any(action == "elasticache:Connect" for action, _ in held) for name, held in permissions.items()}
    assert may == {"pruning": True, "archival": False}
    assert night.function("agent-memory-pruning")["Environment"]["Variables"]["AGENT_MEMORY_REDIS_TLS"] == "true"


def test_output_names_the_machine(night):
    (machine,) = night.of_type("AWS::StepFunctions::StateMachine")
    assert night.outputs["NightlyStateMachineArn"]["Value"] == {"Ref": machine}
