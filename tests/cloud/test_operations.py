"""What an operator does to a deployment that is in use."""

import json
import secrets

import pytest

from chat import Refused, signature
from stack import KEY_PARAMETER, TABLES


def tables(stack):
    """The identity of each table: one that is replaced gets another."""
    dynamodb = stack.emulator.client("dynamodb")
    return {name: dynamodb.describe_table(TableName=stack.resources[name])["Table"]["TableId"] for name in TABLES}


def restart(stack, function):
    """New sandboxes: what AWS does in its own time, and the keys' five minutes over at once."""
    variables = stack.functions[function]["Environment"]["Variables"] | {"RESTARTED": secrets.token_hex(4)}
    stack.emulator.client("lambda").update_function_configuration(
        FunctionName=stack.resources[function], Environment={"Variables": variables})


@pytest.fixture(scope="module")
def updated(stack_with_media, emulator):
    """New code, parameters that every function reads, and all that can be switched on; once for all tests."""
    stack = stack_with_media

    def update():
        if "AlarmEmail" not in stack.parameters:
            for bootstrap in stack.built.parent.glob("*/bootstrap"):
                bootstrap.with_name("release").write_text(secrets.token_hex(4))
            stack.deploy(RetentionDays=30, RecallSeconds=0, **switched_on(emulator))
    yield update
    # What only these tests look at is as it was for those behind them.
    stack.deploy(RetentionDays=0, RecallSeconds=120)


def switched_on(emulator):
    def certificate(domain):
        return emulator.client("acm").request_certificate(DomainName=domain)["CertificateArn"]

    return {
        "DomainName": "chat.example.com",
        "CertificateArn": certificate("chat.example.com"),
        "MediaDomainName": "media.example.com",
        "MediaCertificateArn": certificate("media.example.com"),
        "Dashboard": "true",
        "AlarmEmail": "operator@example.com",
    }


def test_an_update_in_place_leaves_connections_and_chats_alone(stack, user, updated):
    before, code = tables(stack), {name: each["CodeSha256"] for name, each in stack.functions.items()}
    with user("olivia") as olivia, user("peggy") as peggy:
        olivia.send("peggy", "前")
        peggy.push("onMessageReceived")
        updated()
        assert tables(stack) == before
        assert all(each["CodeSha256"] != code[name] for name, each in stack.functions.items())
        # The floor under expiring numbers, which only a deployment with retention writes.
        peggy.send("rupert", "你好")
        sent = olivia.send("peggy", "后", base=1)
        assert peggy.push("onMessageReceived")[0]["sequence"] == sent["sequence"] == 2
        assert olivia.texts("peggy") == ["前", "后"]
        assert olivia.request("revokeMessage", conversationID="C2Cpeggy", sequence=2)["code"] == 20016


def test_what_was_switched_on_is_there(stack, emulator, updated):
    updated()
    resources = stack.resources
    assert stack.outputs["WebSocketUrl"] == "wss://chat.example.com"
    assert stack.outputs["DomainTarget"].endswith(".amazonaws.com")
    assert stack.outputs["MediaUrl"] == "https://media.example.com"
    assert stack.outputs["MediaDomainTarget"].endswith(".cloudfront.net")
    assert stack.functions["GetUploadForm"]["Environment"]["Variables"]["MEDIA_URL"] == "https://media.example.com/"
    [mapping] = emulator.client("apigatewayv2").get_api_mappings(DomainName="chat.example.com")["Items"]
    assert (mapping["ApiId"], mapping["Stage"]) == (resources["Gateway"], "prod")

    cloudwatch = emulator.client("cloudwatch")
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    units = [f"{table}{kind}UnitsAlarm" for table in TABLES for kind in ["Read", "Write"]]
    assert {alarm["AlarmName"] for alarm in alarms} == {
        resources[name] for name in [
            "FailuresAlarm", "ExecutionAlarm", "IntegrationAlarm", "AuthorizerAlarm", "ThrottlesAlarm",
            "SlowSendsAlarm", "RefusedSignaturesAlarm", "FramesAlarm", "ConnectionsAlarm",
            "RefusedAdministratorsAlarm", "RestErrorsAlarm", "RestRequestsAlarm", "MediaAlarm", "UndeletedMediaAlarm", *units]}
    assert all(alarm["AlarmActions"] == [resources["AlarmTopic"]] for alarm in alarms)
    board = json.loads(cloudwatch.get_dashboard(DashboardName=resources["MetricsDashboard"])["DashboardBody"])
    assert all(resources[name] in json.dumps(board) for name in ["Messages", "Gateway", "RestGateway"])


def test_a_new_key_needs_no_downtime(stack, user, key, store_key):
    """The procedure of docs/operate.md, with the old signatures and the new ones at each step."""
    new = secrets.token_hex(32)
    with user("sybil") as connected:
        def admitted(name, signed_with):
            try:
                with user(name, sig=signature(signed_with, name)) as somebody:
                    return somebody.ask("login")["userID"] == name
            except Refused as refused:
                assert refused.status == 403
                return False

        def stored(value):
            store_key(value)
            restart(stack, "Authorizer")
            return admitted("trent", key), admitted("trent", new)

        try:
            assert (admitted("trent", key), admitted("trent", new)) == (True, False)
            assert stored(f"{new},{key}") == (True, True)
            assert stored(new) == (False, True)
            # Who is connected stays.
            connected.send("trent", "还在")
        finally:
            assert stored(key) == (True, False)


def test_without_the_key_nobody_comes_in_and_the_log_says_why(stack, user, emulator, key, store_key):
    emulator.client("ssm").delete_parameter(Name=KEY_PARAMETER)
    restart(stack, "Authorizer")
    try:
        with pytest.raises(Refused) as refused:
            user("ursula")
    finally:
        store_key(key)
    assert refused.value.status == 500
    failures = [line for line in stack.lines if line.get("Route") == "authorizer" and "Failures" in line]
    assert any("ParameterNotFound" in line["detail"] and line["level"] == "ERROR" for line in failures)
    # Nobody knows yet who they are.
    assert not any(line["user"] for line in failures)
    # A missing key is looked for again after some seconds.
    restart(stack, "Authorizer")
    with user("ursula") as ursula:
        ursula.ask("login")


def test_a_table_that_is_restored_takes_the_place_of_the_lost_one(stack, user, emulator):
    dynamodb = emulator.client("dynamodb")
    table = stack.resources["Messages"]
    with user("xavier") as xavier:
        for base, text in enumerate(["一", "二"]):
            xavier.send("yvonne", text, base=base)
        beside = f"{table}-restored"
        stream = dynamodb.describe_table(TableName=table)["Table"].get("StreamSpecification")
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=beside, UseLatestRestorableTime=True)
        dynamodb.get_waiter("table_exists").wait(TableName=beside, WaiterConfig={"Delay": 1})
        backup = dynamodb.create_backup(TableName=beside, BackupName=table)["BackupDetails"]["BackupArn"]
        xavier.send("yvonne", "三", base=2)

        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.delete_table(TableName=table)
        dynamodb.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        dynamodb.restore_table_from_backup(TargetTableName=table, BackupArn=backup)
        dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        # A backup does not hold these.
        if stream:
            restored = dynamodb.update_table(TableName=table, StreamSpecification=stream)["TableDescription"]
            stack.deploy(MessagesStreamArn=restored["LatestStreamArn"])
        dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"AttributeName": "x", "Enabled": True})
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)

        assert xavier.texts("yvonne") == ["一", "二"]
        # What was lost is sent again by the device that still has it, and gets its old number.
        assert xavier.send("yvonne", "三", base=2)["sequence"] == 3
        # A base that the restored table knows nothing of is not believed.
        data = {"to": "yvonne", "conversationType": "C2C", "clientID": "4", "base": 9, "type": "TIMTextElem"}
        reply = xavier.request("sendMessage", **data, payload={"text": "四"})
        assert (reply["code"], reply["data"]["lastSequence"]) == (20004, 3)
