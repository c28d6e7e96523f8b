"""The commands for groups of the library for Tencent's server API: each of its methods, to the twin, and to what was deployed."""

import time
import uuid

from tencentcloud_im.tcim_client import (
    GroupAppDefinedData, GroupAttr, GroupMemObj, GroupMessageObj, GroupObj, MessageFile, MessageText,
)

from rest import Deployed, OnTwin, code, done

FOREVER = 4294967295
OWN = [GroupAppDefinedData("color", "blue")]


def make(server, group, kind, owner, *others, **options):
    """A new group of users, each told that they are in it. They have connected before, because who has not is believed to be
    away for a while."""
    members = [GroupMemObj(user.name) for user in others]
    done(server.library.create_group(GroupObj(owner.name, kind, "同学", mem_list=members, group_id=group, **options)))
    for user in owner, *others:
        assert notice(user, group)[0] == 7
    return group


def say(user, group, text):
    """The code of the reply to a user who speaks in a group."""
    return user.request(
        "sendMessage", to=group, conversationType="GROUP", clientID=uuid.uuid4().hex, base=0, type="TIMTextElem",
        payload={"text": text})["code"]


def heard(user):
    """The next message that comes to a user, tips included: there is one in each frame."""
    [message] = user.push("onMessageReceived")
    return message


def tip(user):
    message = heard(user)
    assert (message["type"], message["from"]) == ("TIMGroupTipElem", "administrator"), message
    return message["payload"]


def notice(user, group):
    """What the next notice is about, and what it says besides."""
    pushed = user.push("onGroupNotice")
    assert (pushed["groupID"], pushed["operatorID"]) == (group, "administrator"), pushed
    return pushed["operationType"], pushed


def groups_of(user):
    return {
        each["groupProfile"]["groupID"]: each["groupProfile"]["selfInfo"]["role"]
        for each in user.ask("getConversationList")["conversationList"] if each["type"] == "GROUP"}


def accounts(members):
    return [each["Member_Account"] for each in members]


class GroupCommands:
    """Every command for groups that the library has, with groups that nobody else is in."""

    def roles(self, server, group, *names):
        found = done(server.library.get_mem_role_in_group(group, list(names)))["UserIdList"]
        assert accounts(found) == list(names)
        return [each["Role"] for each in found]

    def info(self, server, group, **filters):
        [info] = done(server.library.get_group_detail([group], **filters))["GroupInfo"]
        return info

    def test_a_group_has_what_its_object_says(self, server):
        group, now = "rg-class", int(time.time())
        wanted = GroupObj(
            "rg-ada", "Public", "同学", "九月入学", "周五聚餐", "https://example.com/g.png", group_id=group,
            mem_list=[GroupMemObj("rg-bert", "Admin", join_time=1_600_000_000, unread_msg_num=3), GroupMemObj("rg-cora")])
        # Whose answer was lost sends it again.
        assert [done(server.library.create_group(wanted))["GroupId"] for _ in range(2)] == [group, group]
        found, missing = done(server.library.get_group_detail([group, "rg-nothing"]))["GroupInfo"]
        assert (missing["GroupId"], missing["ErrorCode"]) == ("rg-nothing", 10010)
        times = {name: found.pop(name) for name in ["CreateTime", "LastInfoTime"]}
        assert all(abs(each - now) < 60 for each in times.values()), times
        members = found.pop("MemberList")
        assert found == {
            "GroupId": group, "ErrorCode": 0, "ErrorInfo": "", "Appid": server.library.sdk_id, "Type": "Public",
            "Name": "同学", "Introduction": "九月入学", "Notification": "周五聚餐", "FaceUrl": "https://example.com/g.png",
            "Owner_Account": "rg-ada", "LastMsgTime": 0, "NextMsgSeq": 1, "MemberNum": 3, "MaxMemberNum": 200,
            "ApplyJoinOption": "NeedPermission", "InviteJoinOption": "DisableInvite", "ShutUpAllMember": "Off"}
        assert [(each["Member_Account"], each["Role"]) for each in members] == [
            ("rg-ada", "Owner"), ("rg-bert", "Admin"), ("rg-cora", "Member")]
        assert all(abs(each["JoinTime"] - now) < 60 and each["ShutUpUntil"] == 0 for each in members), members
        assert self.info(server, group, baseInfoFilter=["Name", "MemberNum"], memInfoFilter=["Role"]) == {
            "GroupId": group, "ErrorCode": 0, "ErrorInfo": "", "Appid": server.library.sdk_id, "Name": "同学", "MemberNum": 3,
            "MemberList": [{"Member_Account": each["Member_Account"], "Role": each["Role"]} for each in members]}
        # There are no fields of one's own, and to ask for them is no error.
        assert self.info(server, group, appDefineDataFilterGroup=["color"], appDefineDataFilterMem=["color"])["Name"] == "同学"
        with server.user("rg-cora") as cora:
            assert groups_of(cora) == {group: "Member"}
            cora.ask("createGroup", groupID="rg-of-cora", type="Public", name="我的")

        drawn = done(server.library.create_group(GroupObj("rg-ada", "Private", "临时")))["GroupId"]
        assert drawn.startswith("@TGS#") and self.info(server, drawn)["MemberNum"] == 1
        for refused, expected in [
            (GroupObj("rg-ada", "AVChatRoom", "直播"), 2600),
            (GroupObj("rg-ada", "Community", "社群"), 2600),
            (GroupObj("rg-ada", "Public", "别的", group_id="rg-of-cora"), 10021),
            (GroupObj("rg-ada", "Public", "同学", group_id="@TGS#n-o"), 10015),
            (GroupObj("rg-ada", "Public", "同学", applicationData=OWN), 10004),
            (GroupObj("rg-ada", "Private", "同学", mem_list=[GroupMemObj("rg-bert", "Admin")]), 2682),
        ]:
            assert code(server.library.create_group(refused)) == expected, vars(refused)

    def test_members_come_and_go(self, server):
        with server.user("rg-dan") as dan, server.user("rg-eve") as eve, server.user("rg-fred") as fred:
            group = make(server, "rg-walk", "Public", dan)
            # The default of the library is to be silent. A user who comes later is a member, whatever their object says.
            came = done(server.library.add_group_member(group, [GroupMemObj("rg-eve", "Admin"), GroupMemObj("名字")]))["MemberList"]
            assert came == [{"Member_Account": "rg-eve", "Result": 1}, {"Member_Account": "名字", "Result": 0}]
            assert notice(eve, group)[0] == 7
            came = done(server.library.add_group_member(group, [GroupMemObj("rg-fred"), GroupMemObj("rg-eve")], silence=0))
            assert [each["Result"] for each in came["MemberList"]] == [1, 2]
            assert notice(fred, group)[0] == 7
            told = tip(dan)
            assert (told["operationType"], told["userIDList"], told["memberNum"]) == (1, ["rg-fred"], 3)
            assert self.roles(server, group, "rg-dan", "rg-eve", "rg-fred", "rg-nobody") == ["Owner", "Member", "Member", "NotMember"]

            page = done(server.library.get_group_mem_info_detail(group, limit_count=2, offset=1, memInfoFilter=["JoinTime"], next="9"))
            assert page["MemberNum"] == 3 and accounts(page["MemberList"]) == ["rg-eve", "rg-fred"]
            assert all(each.keys() == {"Member_Account", "JoinTime"} for each in page["MemberList"]), page
            owners = done(server.library.get_group_mem_info_detail(group, memRoleFilter=["Owner"], appDefineDataFilterMem=["color"]))
            assert accounts(owners["MemberList"]) == ["rg-dan"]

            done(server.library.delete_group_mem(group, ["rg-eve", "rg-nobody"]))
            assert notice(eve, group)[0] == 4
            done(server.library.delete_group_mem(group, ["rg-fred"], silence=0))
            assert notice(fred, group)[0] == 4
            told = tip(dan)
            assert (told["operationType"], told["userIDList"], told["memberNum"]) == (3, ["rg-fred"], 1)
            assert say(eve, group, "还在吗") == 10007
            assert self.roles(server, group, "rg-eve", "rg-fred") == ["NotMember", "NotMember"]
        assert code(server.library.delete_group_mem(group, ["rg-dan"])) == 10007
        for absent in [
            server.library.add_group_member("rg-nothing", [GroupMemObj("rg-eve")]),
            server.library.delete_group_mem("rg-nothing", ["rg-eve"]),
            server.library.get_group_mem_info_detail("rg-nothing"),
            server.library.get_mem_role_in_group("rg-nothing", ["rg-eve"]),
        ]:
            assert code(absent) == 10010

    def test_what_a_group_says_of_itself(self, server):
        library = server.library
        with server.user("rg-gina") as gina, server.user("rg-hugo") as hugo:
            group = make(server, "rg-facts", "Public", gina, hugo, max_member_count=50)
            done(library.update_group_baseinfo(
                group, "老同学", "毕业", "校庆", "https://example.com/h.png", 60, "FreeAccess", "On"))
            told = tip(gina)
            assert told["operationType"] == 6
            assert (told["newGroupProfile"]["groupName"], told["newGroupProfile"]["notification"]) == ("老同学", "校庆")
            filters = {"baseInfoFilter": [
                "Name", "Introduction", "Notification", "FaceUrl", "MaxMemberNum", "ApplyJoinOption", "ShutUpAllMember"]}
            info = self.info(server, group, **filters)
            assert [info[name] for name in filters["baseInfoFilter"]] == [
                "老同学", "毕业", "校庆", "https://example.com/h.png", 60, "FreeAccess", "On"]
            assert (say(hugo, group, "能说吗"), say(gina, group, "安静")) == (10017, 0)
            # What is not said stays as it is.
            done(library.update_group_baseinfo(group, shutUpFlag="Off"))
            assert self.info(server, group, **filters) == info | {"ShutUpAllMember": "Off"}
            assert say(hugo, group, "能了") == 0
        assert code(library.update_group_baseinfo(group, appDefineData=OWN)) == 10004
        assert code(library.update_group_baseinfo(group, group_name="长" * 11)) == 10004
        assert code(library.update_group_baseinfo("rg-nothing", "名")) == 10010

    def test_what_a_member_is_and_may(self, server):
        library = server.library
        with server.user("rg-ida") as ida, server.user("rg-jon") as jon, server.user("rg-kim") as kim:
            group = make(server, "rg-roles", "Public", ida, jon, kim)
            done(library.update_group_mem_info(group, "rg-jon", "Admin", "班长"))
            assert notice(jon, group)[0] == 9
            told = tip(ida)
            assert (told["operationType"], told["userIDList"]) == (4, ["rg-jon"])
            [jon_is] = done(library.get_group_mem_info_detail(group, memRoleFilter=["Admin"]))["MemberList"]
            assert (jon_is["Member_Account"], jon_is["NameCard"], jon_is["ShutUpUntil"]) == ("rg-jon", "班长", 0)

            done(library.update_group_mem_info(group, "rg-jon", shutUpTime=600))
            done(library.forbid_send_msg(group, ["rg-kim", "rg-nobody"], FOREVER))
            muted = done(library.get_group_shutup_list(group))
            until = {each["Member_Account"]: each["ShuttedUntil"] - time.time() for each in muted["ShuttedUinList"]}
            assert muted["GroupId"] == group and until.keys() == {"rg-jon", "rg-kim"}
            assert 540 < until["rg-jon"] <= 601 and until["rg-kim"] > FOREVER - 60
            assert (say(jon, group, "我"), say(kim, group, "我")) == (10017, 10017)
            done(library.forbid_send_msg(group, ["rg-jon", "rg-kim"], 0))
            assert done(library.get_group_shutup_list(group))["ShuttedUinList"] == []
            assert say(kim, group, "我") == 0

            done(library.update_group_mem_info(group, "rg-jon", "Member"))
            assert notice(jon, group)[0] == 10
            done(library.change_group_owner(group, "rg-kim"))
            assert self.roles(server, group, "rg-ida", "rg-jon", "rg-kim") == ["Member", "Member", "Owner"]
            assert groups_of(kim) == {group: "Owner"}
        for refused, expected in [
            (library.update_group_mem_info(group, "rg-jon", appMemDefineData=OWN), 10004),
            (library.update_group_mem_info(group, "rg-nobody", "Admin"), 10004),
            (library.change_group_owner(group, "rg-nobody"), 10004),
            (library.change_group_owner("rg-nothing", "rg-ida"), 10010),
            (library.forbid_send_msg("rg-nothing", ["rg-ida"], 60), 10010),
            (library.get_group_shutup_list("rg-nothing"), 10010),
        ]:
            assert code(refused) == expected

    def test_what_is_said_is_heard_read_and_recalled(self, server):
        library = server.library
        with server.user("rg-lea") as lea, server.user("rg-max") as max:
            group = make(server, "rg-talk", "Public", lea, max)
            first = done(library.send_group_message(group, [MessageText("放假")], msgPriority="High"))
            assert first["MsgSeq"] == 1 and abs(first["MsgTime"] - time.time()) < 60
            for user in lea, max:
                message = heard(user)
                assert (message["from"], message["to"], message["sequence"]) == ("administrator", group, 1)
                assert message["payload"] == {"text": "放假"}
            file = MessageFile("https://example.com/a.pdf", 5, "课表.pdf")
            second = done(library.send_group_message(group, attchements=[file], from_account="rg-lea"))
            message = heard(max)
            assert (message["from"], message["type"], message["sequence"]) == ("rg-lea", "TIMFileElem", second["MsgSeq"])
            assert message["payload"]["fileName"] == "课表.pdf"
            assert say(max, group, "收到") == 0

            page = done(library.get_msg_in_group(group, 20))
            assert (page["GroupId"], page["IsFinished"]) == (group, 1)
            assert [(each["From_Account"], each["MsgSeq"]) for each in page["RspMsgList"]] == [
                ("rg-max", 3), ("rg-lea", 2), ("administrator", 1)]
            by_max, file, notice = page["RspMsgList"]
            assert by_max["MsgBody"] == [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "收到"}}]
            assert file["MsgBody"][0]["MsgContent"]["FileSize"] == 5
            assert (notice["MsgPriority"], by_max["MsgPriority"], notice["IsPlaceMsg"]) == (1, 2, 0)
            assert notice["MsgTimeStamp"] == first["MsgTime"] and isinstance(notice["MsgRandom"], int)
            older = done(library.get_msg_in_group(group, 1, msg_seq=2))["RspMsgList"]
            assert [each["MsgSeq"] for each in older] == [2]

            # The library says that a number is a text.
            recalled = done(library.recall_group_message(group, ["3", 99]))["RecallRetList"]
            assert recalled == [{"MsgSeq": 3, "RetCode": 0}, {"MsgSeq": 99, "RetCode": 10030}]
            [revoked] = lea.push("onMessageRevoked")
            assert (revoked["to"], revoked["sequence"], revoked["revoker"]) == (group, 3, "administrator")
            newest = done(library.get_msg_in_group(group, 1))["RspMsgList"][0]
            assert (newest["MsgSeq"], newest["IsPlaceMsg"], newest["MsgBody"]) == (3, 1, [])
        for refused, expected in [
            (library.send_group_message(group, [MessageText("一"), MessageText("二")]), 90010),
            (library.send_group_message(group), 90007),
            (library.send_group_message(group, [MessageText("悄悄")], to_accounts=["rg-max"]), 10004),
            (library.send_group_message("rg-nothing", [MessageText("在吗")]), 10010),
            (library.recall_group_message(group, []), 10004),
            (library.recall_group_message("rg-nothing", ["1"]), 10010),
            (library.get_msg_in_group("rg-nothing", 1), 10010),
        ]:
            assert code(refused) == expected

    def test_a_notice_is_for_those_who_are_there(self, server):
        library = server.library
        with server.user("rg-nina") as nina, server.user("rg-otto") as otto:
            group = make(server, "rg-house", "Public", nina, otto)
            done(library.add_group_member(group, [GroupMemObj("rg-pia")]))
            assert done(library.get_online_member_num(group))["OnlineMemberNum"] == 2
            done(library.send_system_message_in_group(group, "停水", ["rg-otto", "rg-pia"]))
            done(library.send_system_message_in_group(group, "来水"))
            said = {user.name: [notice(user, group) for _ in range(count)] for user, count in [(otto, 2), (nina, 1)]}
            assert {kind for notices in said.values() for kind, _ in notices} == {255}
            assert {name: [each["userDefinedField"] for _, each in notices] for name, notices in said.items()} == {
                "rg-otto": ["停水", "来水"], "rg-nina": ["来水"]}
        assert done(library.get_msg_in_group(group, 20))["RspMsgList"] == []
        assert code(library.send_system_message_in_group("rg-nothing", "停水")) == 10010
        assert code(library.get_online_member_num("rg-nothing")) == 10010

    def test_lists_of_groups_and_the_end_of_one(self, server):
        library, first, second, third = server.library, "rg-list-1", "rg-list-2", "rg-list-3"
        with server.user("rg-quin") as quin, server.user("rg-rosa") as rosa:
            make(server, first, "Public", quin)
            make(server, second, "ChatRoom", quin)
            make(server, third, "ChatRoom", quin, rosa)
            joined = done(library.get_joined_groups("rg-quin"))
            assert joined["TotalCount"] == 3 and joined["GroupIdList"] == [{"GroupId": each} for each in [first, second, third]]
            part = done(library.get_joined_groups("rg-quin", 1, 1, baseInfoFilter=["Name"], selfInfoFilter=["Role", "MsgFlag"]))
            assert part["TotalCount"] == 3 and part["GroupIdList"] == [
                {"GroupId": second, "Name": "同学", "SelfInfo": {"Role": "Owner", "MsgFlag": "AcceptAndNotify"}}]

            for _ in range(2):
                done(library.delete_group(third))
            assert notice(rosa, third)[0] == 5
            assert groups_of(rosa) == {}
            assert say(rosa, third, "有人吗") == 10010
        assert self.info(server, third)["ErrorCode"] == 10010
        rooms = done(library.get_joined_groups("rg-quin", group_type="ChatRoom"))
        assert rooms["TotalCount"] == 1 and rooms["GroupIdList"] == [{"GroupId": second}]
        assert code(library.create_group(GroupObj("rg-quin", "ChatRoom", "同学", group_id=third))) == 10021
        assert code(library.delete_group("rg-nothing")) == 10010

        found, part = [], done(library.get_group(group_type="ChatRoom"))
        while part["Next"]:
            found += part["GroupIdList"]
            part = done(library.get_group(100, part["Next"], "ChatRoom"))
        found = [each["GroupId"] for each in found + part["GroupIdList"]]
        assert found.count(second) == 1 and not {first, third} & set(found)
        assert code(library.get_group(group_type="AVChatRoom")) == 2600

    def test_what_groups_do_not_have_is_refused_with_a_code_that_says_so(self, server):
        library = server.library
        group = done(library.create_group(GroupObj("rg-sven", "Public", "同学", group_id="rg-spare")))["GroupId"]
        before = self.info(server, group)
        old = GroupMessageObj("rg-sven", int(time.time()) - 86400, [MessageText("昨天")])
        for refused in [
            library.import_message_to_group(group, messages=[old]),
            library.import_group_members(group, [GroupMemObj("rg-tess")]),
            library.set_group_unread_msg_num(group, "rg-sven", 3),
            library.delete_group_msg_by_sender(group, "rg-sven"),
            library.get_group_attr(group),
            library.update_group_attr(group, [GroupAttr("color", "blue")]),
            library.clean_group_attr(group),
        ]:
            assert code(refused) == 60009
            assert refused.json()["ErrorInfo"].startswith("groups have nothing of the kind here"), refused.url
        assert self.info(server, group) == before


class TestTwin(OnTwin, GroupCommands):
    pass


class TestDeployed(Deployed, GroupCommands):
    pass
