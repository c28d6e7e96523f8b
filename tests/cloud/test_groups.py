"""A group, against what was deployed: its rows are written in transactions, and each function has the rights for its part."""

import uuid

GROUP = "@TGS#CL0UDGR0UPS1"


def change(user, action, **data):
    return user.ask(action, groupID=GROUP, clientID=uuid.uuid4().hex, base=0, **data)


def say(user, text, **more):
    return user.request(
        "sendMessage", to=GROUP, conversationType="GROUP", clientID=uuid.uuid4().hex, base=0, type="TIMTextElem",
        payload={"text": text}, **more)


def shown(user):
    [group] = user.ask("getConversationList", conversationIDList=[f"GROUP{GROUP}"])["conversationList"]
    return group["unreadCount"], group["groupProfile"]["selfInfo"]["role"]


def test_a_group_from_its_first_day_to_its_last(user):
    with user("gr-ada") as ada, user("gr-bert") as bert, user("gr-cora") as cora:
        ada.ask("createGroup", groupID=GROUP, type="Public", name="同学", joinOption="NeedPermission", memberList=[{"userID": "gr-bert"}])
        assert bert.push("onGroupNotice")["operationType"] == 7

        change(cora, "joinGroup", applyMessage="我是科拉")
        application = ada.push("onGroupNotice")
        assert (application["operationType"], application["operatorID"]) == (1, "gr-cora")
        change(
            ada, "handleGroupApplication", userID="gr-cora", handleAction="Agree", authentication=application["authentication"])
        assert cora.push("onGroupNotice")["operationType"] == 2

        # Three tips have been told by now, or are in the history: what is said has the next number in any case.
        sent = say(ada, "@你们 来吗", atUserList=["gr-cora"])["data"]["message"]
        while (received := cora.push("onMessageReceived")[0])["type"] != "TIMTextElem":
            pass
        assert (received["sequence"], received["atUserList"]) == (sent["sequence"], ["gr-cora"])
        history = cora.ask("getMessageList", conversationID=f"GROUP{GROUP}")["messageList"]
        assert [message["sequence"] for message in history] == list(range(history[0]["sequence"], sent["sequence"] + 1))
        cora.ask("setMessageRead", conversationID=f"GROUP{GROUP}", sequence=sent["sequence"])
        assert shown(cora) == (0, "Member")

        change(ada, "setGroupMember", userID="gr-bert", role="Admin")
        change(bert, "setGroupMember", userID="gr-cora", muteTime=600)
        assert say(cora, "我能说吗")["code"] == 10017
        ada.ask("revokeMessage", conversationID=f"GROUP{GROUP}", sequence=sent["sequence"])
        change(bert, "deleteGroupMember", userIDList=["gr-cora"], reason="广告")
        assert say(cora, "还在吗")["code"] == 10007
        change(ada, "changeGroupOwner", newOwnerID="gr-bert")
        assert (shown(ada)[1], shown(bert)[1]) == ("Member", "Owner")
        bert.ask("dismissGroup", groupID=GROUP)
        assert say(ada, "再见")["code"] == 10010
