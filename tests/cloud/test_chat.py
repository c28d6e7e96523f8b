"""The whole chat, against what was deployed."""

import json
import os
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from chat import Refused, User, signature

ROOT = Path(__file__).parents[2]
STEP = re.compile(r"^```json (\w+) (sends|receives)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def without_times(value):
    """The page has a clock of its own."""
    if isinstance(value, dict):
        return {name: without_times(each) for name, each in value.items()}
    if isinstance(value, list):
        return [without_times(each) for each in value]
    return "a time" if isinstance(value, int) and value > 1_700_000_000 else value


def test_the_output_names_the_api_of_the_stack(stack):
    url = f"wss://{stack.resources['Gateway']}.execute-api.us-east-1.amazonaws.com/prod"
    assert stack.outputs["WebSocketUrl"] == url


def test_the_examples_of_the_protocol_are_what_happens(user):
    """Every route, as docs/protocol.md tells it."""
    page = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    users, early = {}, {}
    with ExitStack() as connected:
        for name, verb, text in STEP.findall(page):
            # No two forms are alike: test_media.py.
            if json.loads(text).get("action") == "getUploadForm":
                continue
            if name not in users:
                users[name], early[name] = connected.enter_context(user(name)), []
            if verb == "sends":
                users[name].socket.send(text)
                continue
            expected = without_times(json.loads(text))
            # A push may overtake a reply.
            while expected not in early[name]:
                early[name].append(without_times(users[name].frame()))
            early[name].remove(expected)
        assert not any(early.values())


def test_the_client_of_this_repository_talks(stack, key):
    # Names that no other test writes to.
    names = ["kate", "liam"]
    deployment = {"proxyServer": stack.websocket_url, "userSig": {name: signature(key, name) for name in names}}
    done = subprocess.run(
        ["node", "--import", "tsx", "--test", "test/deployed/two-users.test.ts"],
        cwd=ROOT / "client",
        env={**os.environ, "HONGYAN_DEPLOYMENT": json.dumps(deployment)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_message_that_is_sent_again_is_the_same_message(user):
    with user("erin") as erin, user("frank") as frank:
        first = erin.send("frank", "早", client_id="a")
        assert erin.send("frank", "早", client_id="a") == first
        frank.push("onMessageReceived")
        assert frank.texts("erin") == ["早"]


def test_who_was_away_finds_what_they_missed(user):
    with user("grace") as grace:
        base = 0
        for text in ["一", "二", "三"]:
            base = grace.send("heidi", text, base=base)["sequence"]
        with user("heidi") as heidi:
            [conversation] = heidi.ask("getConversationList")["conversationList"]
            assert conversation["unreadCount"] == 3
            assert heidi.texts("grace") == ["一", "二", "三"]
            heidi.say("ping")
            heidi.say("setMessageRead", conversationID="C2Cgrace", sequence=3)
            assert grace.push("onMessageReadByPeer")["sequence"] == 3
            assert heidi.ask("getConversationList")["conversationList"][0]["unreadCount"] == 0


def test_the_door_refuses_who_has_no_good_signature(stack, key):
    with pytest.raises(Refused) as refused:
        User(stack.websocket_url, "", "nonsense")
    assert refused.value.status == 401
    for sig in [None, "nonsense", signature("another key", "ivan"), signature(key, "judy")]:
        with pytest.raises(Refused) as refused:
            User(stack.websocket_url, "ivan", sig)
        assert refused.value.status == 403


def test_who_comes_with_an_expired_signature_is_told_so(user, key):
    with user("kate", sig=signature(key, "kate", expire=-10)) as kate:
        assert kate.request("login")["code"] == 70001
        assert kate.is_ended()


def test_the_same_device_twice_kicks_the_first_one_out(user):
    with user("leo") as first, user("leo"):
        assert first.push("kickedOut") == {"type": "multipleAccount"}
        assert first.is_ended()


def test_who_goes_is_offline_and_who_logs_out_is_so_at_once(user):
    with user("olaf") as watcher:
        watcher.send("nina", "在吗")

        def is_online(name):
            [status] = watcher.ask("getUserStatus", userIDList=[name])["successUserList"]
            return status["statusType"] == 1

        with user("nina"):
            assert is_online("nina")
        # `$disconnect` comes when it comes.
        assert any(not is_online("nina") for _ in range(200))

        with user("nina") as nina:
            nina.ask("logout")
            assert nina.is_ended()
            assert not is_online("nina")


def test_who_watches_is_told_and_a_message_has_its_senders_name(user):
    with user("peggy") as watcher:
        def told():
            [status] = watcher.push("onUserStatusUpdated")
            return status["userID"], status["statusType"] == 1

        watcher.send("quentin", "在吗")
        assert watcher.ask("subscribeUserStatus", userIDList=["quentin"]) == {"failureUserList": []}
        assert told() == ("quentin", False)
        with user("quentin") as quentin:
            assert told() == ("quentin", True)
            quentin.ask("login")
            quentin.ask("updateMyProfile", nick="昆汀")
            quentin.send("peggy", "在吗")
            [message] = watcher.push("onMessageReceived")
            assert message["nick"] == "昆汀"
        assert told() == ("quentin", False)
        with user("quentin") as quentin:
            assert told() == ("quentin", True)
            quentin.ask("logout")
            assert told() == ("quentin", False)
        watcher.ask("unsubscribeUserStatus", userIDList=["quentin"])


def test_the_logs_say_what_happened_and_not_what_was_said(stack, user, key):
    good = signature(key, "mallory")
    with user("mallory", sig=good) as mallory:
        message = mallory.send("niaj", "这是一个秘密")
    [line] = [line for line in stack.lines if (line.get("Route"), line.get("user")) == ("sendMessage", "mallory")]
    assert (line["code"], line["level"], line["Sends"]) == (0, "INFO", 1)
    assert line["requestId"] and line["ms"] >= 0 and message["sequence"] == 1
    [metrics] = line["_aws"]["CloudWatchMetrics"]
    assert (metrics["Namespace"], metrics["Dimensions"]) == ("Hongyan/hongyan", [["Route"]])

    # A forged handshake is counted, and named nowhere. The next good one brings out the count.
    def forgeries():
        lines = [line for line in stack.lines if (line.get("Route"), line.get("Code")) == ("authorizer", "70009")]
        assert not any("user" in line or "requestId" in line for line in lines)
        return sum(line["RefusedSignatures"] for line in lines)

    before = forgeries()
    with pytest.raises(Refused):
        user("trudy", sig=signature("another key", "trudy"))
    with user("mallory", sig=good):
        assert forgeries() > before

    everything = "\n".join(stack.log)
    assert "mallory" in everything and "trudy" not in everything
    # Of a signature no part either: its middle is what no other one has.
    for secret in ["这是一个秘密", "\\u8fd9", key, good[60:100]]:
        assert secret not in everything
