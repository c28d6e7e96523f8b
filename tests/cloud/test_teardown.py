"""The end of a deployment, and what is left of it."""

import re
from pathlib import Path

import pytest

from stack import Stack
from test_media import PICTURE, Bucket, ask

ROOT = Path(__file__).parents[2]
KEPT = ["Messages", "Conversations", "Connections", "Users", "Groups"]


def test_chats_outlive_their_stack_and_the_next_one_takes_them_over(stack_with_media, user):
    stack = stack_with_media
    bucket = Bucket(stack)
    with user("victor") as victor, user("walter") as walter:
        victor.send("walter", "留下来")
        walter.ask("updateMyProfile", nick="沃尔特")
        form = ask(victor)
    assert bucket.post(form["fields"], PICTURE) == 200
    resources = stack.resources
    assert [resources[name] for name in KEPT] == [f"{stack.name}-{name}" for name in KEPT]

    stack.delete()
    left = stack.emulator.client("dynamodb").list_tables()["TableNames"]
    assert {resources[name] for name in KEPT} <= set(left)

    tables = (ROOT / "tables.yaml").read_text(encoding="utf-8")
    operate = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
    [media] = re.findall(r"^```yaml\n(.*?)^```", operate, re.MULTILINE | re.DOTALL)
    assert "BucketName: hongyan-media-123456789012-ap-east-1" in media
    stack.adopt(tables + media.replace("hongyan-media-123456789012-ap-east-1", bucket.name), KEPT, bucket.name)
    # The stack finds the streams of tables that it has taken over by itself.
    stack.parameters.pop("MessagesStreamArn", None)
    stack.deploy()
    with user("walter") as walter:
        assert walter.texts("victor") == ["留下来"]
        assert walter.ask("getUserProfile", userIDList=["walter"])["profileList"][0]["nick"] == "沃尔特"
        assert walter.send("victor", "还在", base=1)["sequence"] == 2
    assert Bucket(stack).get(form["key"]).data == PICTURE


def test_a_first_deployment_that_fails_does_not_stand_in_the_way_of_the_next(stack, emulator):
    if not emulator.enforces_iam:
        pytest.skip("once is enough")
    certificate = emulator.client("acm").request_certificate(DomainName="taken.example.com")["CertificateArn"]
    emulator.client("apigatewayv2").create_domain_name(DomainName="taken.example.com")
    failing, second = (Stack(emulator, stack.built, name="second") for _ in range(2))

    with pytest.raises(AssertionError, match="already exists"):
        failing.deploy(DeletionProtection="false", DomainName="taken.example.com", CertificateArn=certificate)
    failing.delete()
    assert not [table for table in emulator.client("dynamodb").list_tables()["TableNames"] if "second" in table]

    second.deploy()
    assert second.resources["Messages"] == "second-Messages"
