"""What SAM makes of the template, where the emulator does not show it."""

import re
from pathlib import Path

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from stack import TABLES

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
            if name in ("Fn::Not", "Fn::Or", "Fn::And"):
                decided = [decide(each) for each in argument]
                return {"Fn::Not": not decided[0], "Fn::Or": any(decided), "Fn::And": all(decided)}[name]
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
    for stage in ["GatewayStage", "RestStage"]:
        assert made[stage]["Properties"]["DefaultRouteSettings"] == {
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
    assert len(tables) == len(TABLES)
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


def test_the_api_for_business_servers_is_a_parameter_and_leaves_nothing_behind_when_it_is_off():
    parameters = {"AlarmEmail": "you@example.com", "Dashboard": "true"}
    on, off = deployed(**parameters), deployed(**parameters, RestApi="false")
    assert set(on) - set(off) == {
        "Rest", "RestRole", "RestGateway", "RestStage", "RestRoute", "RestIntegration", "RestPermission",
        "RefusedAdministratorsAlarm", "RestErrorsAlarm", "RestRequestsAlarm",
    }
    assert "'RestGateway'" in str(on) and "'RestGateway'" not in str(off)


def test_callbacks_are_there_with_a_url_and_leave_media_alone():
    callbacks = {"CallbackUrl": "https://example.com/im", "AlarmEmail": "you@example.com"}
    on, off = deployed(**callbacks), deployed(AlarmEmail="you@example.com")
    assert set(on) - set(off) == {
        "Callback", "CallbackRole", "MessagesToTell", "ConnectionsToTell", "UndeliveredCallbacks",
        "FailedCallbacksAlarm", "UndeliveredCallbacksAlarm", "LateCallbacksAlarm",
    }
    late = on["LateCallbacksAlarm"]["Properties"]
    assert (late["MetricName"], late["Statistic"], late["Threshold"]) == ("IteratorAge", "Maximum", 600_000)
    assert late["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "Callback"}}]
    assert "CallbackToken" not in str(of_type(on, "AWS::IAM::Role"))
    assert "CallbackToken" in str(of_type(deployed(**callbacks, CallbackTokenParameter="/token"), "AWS::IAM::Role"))
    # A stream that is there cannot be made to show something else.
    with_media, with_both = (deployed(Media="true", **each)["Messages"]["Properties"] for each in [{}, callbacks])
    assert with_media["StreamSpecification"] == with_both["StreamSpecification"]


def test_a_url_of_callbacks_that_can_be_deployed_is_one_that_the_functions_take():
    """Those of `messages_go_by_https_and_on_a_laptop_to_the_laptop` in shared/src/callback/target.rs."""
    pattern = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Parameters"]["CallbackUrl"]["AllowedPattern"]
    for url in ["", "https://example.com", "https://example.com:8443/im?x=1", "https://[::1]/", "https://example.com?a@b=c"]:
        assert re.fullmatch(pattern, url), url
    for url in [
        "https://", "https:///x", "https://user@example.com", "https://example.com/#x", "https://example.com/ x", "https://例子.cn/im",
        "https://example.com/回调", "http://example.com", "ftp://example.com", "HTTPS://example.com",
    ]:
        assert not re.fullmatch(pattern, url), url


def test_the_url_of_business_servers_is_logged_nowhere():
    """It has the signature of an administrator."""
    for stage in of_type(deployed(), "AWS::ApiGatewayV2::Stage").values():
        assert "AccessLogSettings" not in stage


def test_what_is_refused_and_requested_rings():
    alarms = of_type(deployed(AlarmEmail="you@example.com", AlarmRestRequests="7"), "AWS::CloudWatch::Alarm")
    refused, errors, requests = (
        alarms[name] for name in ["RefusedAdministratorsAlarm", "RestErrorsAlarm", "RestRequestsAlarm"])
    assert refused["Dimensions"] == [{"Name": "Route", "Value": "rest"}]
    for alarm, metric in [(errors, "5xx"), (requests, "Count")]:
        assert (alarm["MetricName"], alarm["Statistic"]) == (metric, "Sum")
        assert alarm["Dimensions"][0] == {"Name": "ApiId", "Value": {"Ref": "RestGateway"}}
    assert (requests["Period"], requests["Threshold"]) == (60, "7")


MEDIA = {"Media": "true"}
MEDIA_DOMAIN = {
    **MEDIA, "MediaDomainName": "media.example.com", "MediaCertificateArn": "arn:aws:acm:us-east-1:1:certificate/1",
}


def test_media_are_a_parameter_and_off_by_default():
    of_media = ("AWS::S3::", "AWS::CloudFront::", "AWS::SQS::", "AWS::Lambda::EventSourceMapping")
    assert not [name for name, each in deployed().items() if each["Type"].startswith(of_media)]
    [table] = [each for name, each in of_type(deployed(), "AWS::DynamoDB::Table").items() if name == "Messages"]
    assert "StreamSpecification" not in table
    assert {kind for kind in of_media if any(each["Type"].startswith(kind) for each in deployed(**MEDIA).values())} == set(of_media)


def test_the_bucket_of_media_is_closed_to_all_but_one_distribution():
    made = deployed(**MEDIA)
    [bucket] = of_type(made, "AWS::S3::Bucket").values()
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [encryption] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    [policy] = of_type(made, "AWS::S3::BucketPolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"Service": "cloudfront.amazonaws.com"}, "s3:GetObject")
    [source] = statement["Condition"]["StringEquals"].values()
    assert "distribution/${MediaDistribution}" in source["Fn::Sub"]


@pytest.mark.parametrize("days, rules", [("0", None), ("30", [{"Id": "Retention", "Status": "Enabled", "ExpirationInDays": "30"}])])
def test_media_live_as_long_as_messages(days, rules):
    [bucket] = of_type(deployed(**MEDIA, RetentionDays=days), "AWS::S3::Bucket").values()
    assert bucket.get("LifecycleConfiguration", {}).get("Rules") == rules


def test_forms_go_to_the_bucket_as_they_are_and_media_are_only_read():
    [distribution] = of_type(deployed(**MEDIA), "AWS::CloudFront::Distribution").values()
    config = distribution["DistributionConfig"]
    signs = {each["Id"]: "OriginAccessControlId" in each for each in config["Origins"]}
    default, [media] = config["DefaultCacheBehavior"], config["CacheBehaviors"]
    assert "POST" in default["AllowedMethods"] and "OPTIONS" in default["AllowedMethods"]
    assert not signs[default["TargetOriginId"]]
    assert media["AllowedMethods"] == ["GET", "HEAD"] and media["PathPattern"] == "m/*"
    assert signs[media["TargetOriginId"]]
    assert {default["ViewerProtocolPolicy"], media["ViewerProtocolPolicy"]} == {"https-only"}


def test_a_domain_of_media_is_the_distributions_and_the_forms():
    def described(**parameters):
        made = deployed(**parameters)
        [distribution] = of_type(made, "AWS::CloudFront::Distribution").values()
        [headers] = of_type(made, "AWS::CloudFront::ResponseHeadersPolicy").values()
        url = made["GetUploadForm"]["Properties"]["Environment"]["Variables"]["MEDIA_URL"]
        security = headers["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
        return distribution["DistributionConfig"], str(url), "StrictTransportSecurity" in security

    config, url, is_strict = described(**MEDIA)
    assert config["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}
    assert "Aliases" not in config and "MediaDistribution" in url and not is_strict
    config, url, is_strict = described(**MEDIA_DOMAIN)
    assert config["ViewerCertificate"]["AcmCertificateArn"] == MEDIA_DOMAIN["MediaCertificateArn"]
    assert config["Aliases"] == ["media.example.com"] and "MediaDomainName" in url and is_strict


def test_what_media_weigh_and_what_was_not_deleted_rings():
    assert not of_type(deployed(**MEDIA), "AWS::CloudWatch::Alarm")
    without = of_type(deployed(AlarmEmail="you@example.com"), "AWS::CloudWatch::Alarm")
    made = deployed(**MEDIA, AlarmEmail="you@example.com")
    alarms = of_type(made, "AWS::CloudWatch::Alarm")
    assert set(alarms) - set(without) == {"MediaAlarm", "UndeletedMediaAlarm"}
    size = alarms["MediaAlarm"]
    assert (size["MetricName"], size["Period"]) == ("BucketSizeBytes", 86400)
    assert size["Threshold"] == {"Fn::Sub": "${AlarmMediaGigabytes}000000000"}


def test_the_host_that_aws_gives_can_be_switched_off_and_pushes_then_take_the_domain():
    def endpoints(**parameters):
        made = deployed(**parameters)
        api = of_type(made, "AWS::ApiGatewayV2::Api")["Gateway"]
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


def test_nothing_that_succeeds_writes_lambdas_own_lines():
    functions = of_type(deployed(), "AWS::Lambda::Function")
    assert {each["LoggingConfig"].get("SystemLogLevel") for each in functions.values()} == {"WARN"}
