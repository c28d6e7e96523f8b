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
