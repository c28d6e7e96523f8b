"""What a business server is asked and told by what was deployed. The emulator's streams know no partial failures: how those are
dealt with is tested in tests/callbacks."""

import json
import uuid
from pathlib import Path

import pytest

BEFORE, AFTER = "C2C.CallbackBeforeSendMsg", "C2C.CallbackAfterSendMsg"
READ, RECALLED, PRESENCE = "C2C.CallbackAfterMsgReport", "C2C.CallbackAfterMsgWithDraw", "State.StateChange"


@pytest.fixture(autouse=True)
def callbacks(stack_with_callbacks):
    """All of these tests have them."""


def text(body):
    [element] = body["MsgBody"]
    assert element["MsgType"] == "TIMTextElem"
    return element["MsgContent"]["Text"]


def try_to_send(user, to, words):
    return user.request(
        "sendMessage", to=to, conversationType="C2C", clientID=uuid.uuid4().hex, base=0, type="TIMTextElem", payload={"text": words})


def test_what_is_said_read_and_recalled_is_told(user, business_server):
    with user("call-ada") as ada, user("call-bert") as bert:
        sent = ada.send("call-bert", "在吗")
        pair = {"From_Account": "call-ada", "To_Account": "call-bert"}
        asked, told = business_server.call(BEFORE, **pair), business_server.call(AFTER, **pair)
        assert text(asked) == text(told) == "在吗"
        assert (told["MsgSeq"], told["MsgTime"]) == (sent["sequence"], sent["time"])
        assert told["MsgKey"] == f"{told['MsgSeq']}_{told['MsgRandom']}_{told['MsgTime']}"
        assert (told["SendMsgResult"], told["UnreadMsgNum"], told["To_Online"]) == (0, 1, 1)

        bert.say("setMessageRead", conversationID="C2Ccall-ada", sequence=1)
        read = business_server.call(READ, Report_Account="call-bert")
        assert (read["Peer_Account"], read["UnreadMsgNum"]) == ("call-ada", 0)
        ada.ask("revokeMessage", conversationID="C2Ccall-bert", sequence=1)
        assert business_server.call(RECALLED, **pair)["MsgKey"] == told["MsgKey"]


def test_who_comes_and_goes_is_told(user, business_server):
    def told(action):
        return business_server.call(PRESENCE, Info=action | {"To_Account": "call-cora"})

    register, close = {"Action": "Login", "Reason": "Register"}, {"Action": "Disconnect", "Reason": "LinkClose"}
    with user("call-cora"):
        assert "KickedDevice" not in told(register)
        with user("call-cora"):
            assert told(register)["KickedDevice"] == [{"Platform": "Web"}]
    assert told(close)["EventTime"] > 1_700_000_000_000
    with user("call-cora") as cora:
        told(register)
        cora.ask("logout")
        told({"Action": "Logout", "Reason": "Unregister"})


def test_the_business_server_allows_refuses_and_rewrites(user, business_server):
    replies = {
        "不许": {"ErrorCode": 1}, "稍等": {"ErrorCode": 120001, "ErrorInfo": "请稍后再发"},
        "脏话": {"ErrorCode": 0, "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "**"}}]},
    }
    with user("call-dan") as dan, business_server.answering(BEFORE, lambda body: (200, replies.get(text(body), {"ErrorCode": 0}))):
        assert try_to_send(dan, "call-edda", "不许")["code"] == 20006
        refused = try_to_send(dan, "call-edda", "稍等")
        assert (refused["code"], refused["message"]) == (120001, "请稍后再发")
        assert dan.send("call-edda", "好")["sequence"] == 1
        sent = dan.send("call-edda", "脏话", base=1)
        assert (sent["sequence"], sent["payload"]) == (2, {"text": "**"})
        assert dan.texts("call-edda") == ["好", "**"]
    assert text(business_server.call(AFTER, From_Account="call-dan", MsgSeq=2)) == "**"


def test_what_is_given_up_is_in_the_queue(stack):
    event = json.loads((Path(__file__).parents[2] / "events/callback.json").read_text(encoding="utf-8"))
    image = event["Records"][0]["dynamodb"]["NewImage"]
    image["t"] = {"S": "no time"}
    callback, queue = (stack.resources[name] for name in ["Callback", "UndeliveredCallbacks"])
    answer = stack.emulator.client("lambda").invoke(FunctionName=callback, Payload=json.dumps(event))
    assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}
    kept = stack.emulator.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=5, MaxNumberOfMessages=10)["Messages"]
    # The test of what functions may do has left something else there.
    [event] = (json.loads(message["Body"]) for message in kept if message["Body"].startswith("{"))
    [record] = event["Records"]
    assert record["dynamodb"]["NewImage"] == image


def test_without_a_url_nobody_is_called_and_nothing_of_it_is_there(stack, user, business_server):
    try:
        stack.deploy(CallbackUrl="", CallbackTokenParameter="")
        assert not {"Callback", "MessagesToTell", "ConnectionsToTell", "UndeliveredCallbacks"} & set(stack.resources)
        before = business_server.count
        with user("call-hugo") as hugo:
            hugo.send("call-ines", "没人知道")
        assert business_server.count == before
    finally:
        # Whatever asks for callbacks next gets them again.
        for name in ["CallbackUrl", "CallbackTokenParameter"]:
            stack.parameters.pop(name)
