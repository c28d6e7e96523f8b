"""What SAM makes of the template, where the emulator does not show it."""

from pathlib import Path

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


class Policies:
    def load(self):
        return {"AWSXrayWriteOnlyAccess": "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess"}


def resources(**parameters):
    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    # `sam deploy` puts the code into a bucket and its address here.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    return transform(template, {"SdkAppId": "1", "StageName": "prod", **parameters}, Policies())["Resources"]


NOTHING = object()


def deployed(**parameters):
    """The resources with every condition decided by these parameters and the defaults: what CloudFormation makes."""
    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    values = {name: each.get("Default") for name, each in template["Parameters"].items()} | parameters
    conditions = template["Conditions"]

    def decide(node):
        if isinstance(node, list):
            return [each for each in map(decide, node) if each is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(name, argument)] = node.items()
            if name == "Ref":
                return NOTHING if argument == "AWS::NoValue" else values.get(argument, node)
            if name == "Condition":
                return decide(conditions[argument])
            if name == "Fn::If":
                condition, then, otherwise = argument
                return decide(then if decide(conditions[condition]) else otherwise)
            if name == "Fn::Equals":
                one, other = map(decide, argument)
                return str(one) == str(other)
            if name in ("Fn::Not", "Fn::Or"):
                decided = [decide(each) for each in argument]
                return not decided[0] if name == "Fn::Not" else any(decided)
        members = ((name, decide(each)) for name, each in node.items())
        return {name: each for name, each in members if each is not NOTHING}

    made = resources(**parameters)
    return {
        name: decide({key: value for key, value in each.items() if key != "Condition"})
        for name, each in made.items() if "Condition" not in each or decide(conditions[each["Condition"]])
    }


def of_type(made, kind):
    return {name: each["Properties"] for name, each in made.items() if each["Type"] == kind}


@pytest.fixture(autouse=True)
def region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def test_traces_are_a_parameter_that_costs_no_rights_while_it_is_off():
    off, on = resources(Tracing="Disabled"), resources(Tracing="Active")
    functions = [name for name, each in on.items() if each["Type"] == "AWS::Lambda::Function"]
    for name in functions:
        assert "TracingConfig" not in off[name]["Properties"]
        assert on[name]["Properties"]["TracingConfig"] == {"Mode": {"Ref": "Tracing"}}
        for made, is_traced in [(off, False), (on, True)]:
            policies = made[f"{name}Role"]["Properties"]["ManagedPolicyArns"]
            assert any("Xray" in policy for policy in policies) == is_traced


def test_the_limits_are_parameters():
    made = resources()
    limit = {"Fn::If": ["HasReservedConcurrency", {"Ref": "ReservedConcurrency"}, {"Ref": "AWS::NoValue"}]}
    for each in made.values():
        if each["Type"] == "AWS::Lambda::Function":
            assert each["Properties"]["ReservedConcurrentExecutions"] == limit
    stage = made["GatewayStage"]["Properties"]
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": {"Ref": "ThrottlingRateLimit"},
        "ThrottlingBurstLimit": {"Ref": "ThrottlingBurstLimit"},
    }


@pytest.mark.parametrize("parameters, ceiling", [
    ({}, None),
    ({"MaxReadUnits": "4000"}, {"MaxReadRequestUnits": "4000"}),
    ({"MaxWriteUnits": "1000"}, {"MaxWriteRequestUnits": "1000"}),
    ({"MaxReadUnits": "4000", "MaxWriteUnits": "1000"}, {"MaxReadRequestUnits": "4000", "MaxWriteRequestUnits": "1000"}),
])
def test_the_ceiling_of_the_tables_is_a_parameter_and_off_by_default(parameters, ceiling):
    tables = of_type(deployed(**parameters), "AWS::DynamoDB::Table")
    assert len(tables) == 4
    for table in tables.values():
        assert table.get("OnDemandThroughput") == ceiling


def test_units_and_volume_ring_where_there_is_an_address():
    assert not of_type(deployed(), "AWS::CloudWatch::Alarm")
    made = deployed(AlarmEmail="you@example.com", AlarmWriteUnits="7", AlarmReadUnits="8", AlarmFrames="9", AlarmConnections="10")
    alarms = of_type(made, "AWS::CloudWatch::Alarm")
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms.values())
    for table in of_type(made, "AWS::DynamoDB::Table"):
        for kind, threshold in [("Write", "7"), ("Read", "8")]:
            alarm = alarms[f"{table}{kind}UnitsAlarm"]
            assert alarm["Dimensions"] == [{"Name": "TableName", "Value": {"Ref": table}}]
            assert (alarm["MetricName"], alarm["Statistic"]) == (f"Consumed{kind}CapacityUnits", "Sum")
            assert (alarm["Period"], alarm["Threshold"]) == (60, threshold)
    for name, metric, threshold in [("FramesAlarm", "MessageCount", "9"), ("ConnectionsAlarm", "ConnectCount", "10")]:
        alarm = alarms[name]
        assert (alarm["MetricName"], alarm["Statistic"], alarm["Period"]) == (metric, "Sum", 60)
        assert alarm["Threshold"] == threshold


def test_the_host_that_aws_gives_can_be_switched_off_and_pushes_then_take_the_domain():
    def endpoints(**parameters):
        made = deployed(**parameters)
        [api] = of_type(made, "AWS::ApiGatewayV2::Api").values()
        functions = of_type(made, "AWS::Lambda::Function").values()
        endpoints = {str(each["Environment"]["Variables"]["CONNECTIONS_ENDPOINT"]) for each in functions}
        assert len(endpoints) == 1
        return api["DisableExecuteApiEndpoint"], endpoints.pop()

    domain = {"DomainName": "chat.example.com", "CertificateArn": "arn:aws:acm:us-east-1:1:certificate/1"}
    for parameters in [{}, domain]:
        is_disabled, endpoint = endpoints(**parameters)
        assert is_disabled == "false" and "execute-api" in endpoint
    is_disabled, endpoint = endpoints(**domain, DisableExecuteApiEndpoint="true")
    assert is_disabled == "true" and endpoint == str({"Fn::Sub": "https://${DomainName}"})


def test_refusing_a_handshake_writes_none_of_lambdas_own_lines():
    functions = of_type(deployed(), "AWS::Lambda::Function")
    levels = {name: each["LoggingConfig"].get("SystemLogLevel", "INFO") for name, each in functions.items()}
    assert levels.pop("Authorizer") == "WARN" and set(levels.values()) == {"INFO"}
