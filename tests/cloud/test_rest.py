"""The API for business servers, spoken by a library for Tencent's: to the twin, and to what was deployed."""

import inspect
import json
import re
import subprocess
import time
from pathlib import Path

import requests
from tencentcloud_im.tcim_client import (
    BatchMessageObj, FriendObj, MessageFile, MessageObj, MessageText, TCIMClient, UpdateFriendObj,
)

from chat import signature
from rest import ROOT, TWIN, Deployed, OnTwin, answer, code, done

PAGE = (ROOT / "docs/rest.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^```json (\w+/\w+)\n(.*?)^```\n```json answer\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMES = re.compile(r"\b(?=(?:alice|bob|carol)\b)")
TIME = re.compile(r"(?<!\d)1[78]\d{8}(?!\d)")


def fits(example, value, known):
    """Whether this is what an example shows, in which one `…` in a text is anything, and a time is any other. What its texts
    have turned out to be is known from then on."""
    if isinstance(example, dict):
        return example.keys() == value.keys() and all(fits(each, value[name], known) for name, each in example.items())
    if isinstance(example, list):
        return len(example) == len(value) and all(fits(*both, known) for both in zip(example, value))
    if isinstance(example, str):
        known[example] = value
        return re.fullmatch(TIME.sub(r"\\d{10}", re.escape(example).replace("…", ".*")), value) is not None
    return example == value or isinstance(example, int) and min(example, value) >= 1_700_000_000


def today(request, known):
    """The request of an example, with what is known by now, and at a time that has come. What the page has from years ago
    is of a minute ago, because the stack may have a retention."""
    if isinstance(request, dict):
        return {name: today(each, known) for name, each in request.items()}
    if isinstance(request, list):
        return [today(each, known) for each in request]
    if isinstance(request, int) and request >= 1_700_000_000:
        return int(time.time()) + (60 if request > 1_790_000_000 else -60)
    return known.get(request, request)


class Commands:
    """Every command that the library has, but those of groups, with users that nobody else writes to."""

    def test_the_examples_of_the_page_are_what_happens(self, server):
        """Every command, so with every right that it needs. The page's users are others here."""
        examples = [(command, *map(json.loads, texts)) for command, *texts in EXAMPLE.findall(NAMES.sub("rest-", PAGE))]
        assert len(examples) == PAGE.count("```json answer")
        known = {}
        for command, body, expected in examples:
            happened = answer(server.ask(command, today(body, known)))
            assert fits(expected, happened, known), (command, happened)

    def test_accounts(self, server):
        done(server.library.add_single_user("rest-anna", "安娜", "https://example.com/anna.png"))
        assert done(server.library.batch_add_users(["rest-ben", "rest-cleo", "名字"]))["FailAccounts"] == ["名字"]
        checked = done(server.library.search_user(["rest-anna", "rest-ben", "rest-nobody"]))["ResultItem"]
        assert [each["AccountStatus"] for each in checked] == ["Imported", "Imported", "NotImported"]
        with server.user("rest-ben") as ben:
            [profile] = ben.ask("getUserProfile", userIDList=["rest-anna"])["profileList"]
            assert (profile["nick"], profile["avatar"]) == ("安娜", "https://example.com/anna.png")

    def test_who_asks_has_to_be_an_administrator_with_a_good_signature(self, server):
        def asked(**options):
            return code(server.ask("im_open_login_svc/account_check", {"CheckItem": [{"UserID": "rest-anna"}]}, **options))

        assert asked() == 0
        assert asked(identifier="rest-anna") == 60010
        assert asked(sig=signature(server.key, "administrator", expire=-10)) == 70001
        assert asked(sig=signature("another key", "administrator")) == 70009
        assert asked(sig=signature(server.key, "rest-anna")) == 70013

    def test_what_is_no_command_is_answered_in_the_same_form(self, server):
        assert code(server.ask("im_open_login_svc/no_such", {})) == 60009
        assert code(server.ask("no/such/path", {})) == 60002
        assert code(requests.post(f"{server.rest_url}/im_open_login_svc/account_check")) == 60012

    def test_who_is_online(self, server):
        with server.user("rest-dora"):
            result = done(server.library.check_user_online(["rest-dora", "rest-ben", "rest-nobody"]))
        online, offline = result["QueryResult"]
        assert (online["To_Account"], online["Status"]) == ("rest-dora", "Online")
        assert online["Detail"] == [{"Platform": "Web", "Status": "Online"}]
        assert (offline["To_Account"], offline["Status"]) == ("rest-ben", "Offline")
        assert result["ErrorList"] == [{"To_Account": "rest-nobody", "ErrorCode": 70107}]

    def test_kicked(self, server):
        with server.user("rest-emil", age=60) as emil:
            done(server.library.abolition_user_sig("rest-emil"))
            assert emil.push("kickedOut") == {"type": "REST_API_Kick"}
            assert emil.is_ended()
        with server.user("rest-emil", age=60) as emil:
            assert emil.request("login")["code"] == 70052
            assert emil.is_ended()
        with server.user("rest-emil") as emil:
            emil.ask("login")
        assert code(server.library.abolition_user_sig("rest-nobody")) == 70107

    def test_an_administrator_can_be_kicked_as_well(self, server):
        check = "im_open_login_svc/account_check", {"CheckItem": [{"UserID": "rest-ben"}]}
        old = signature(server.key, "administrator", age=60)
        assert code(server.ask(*check, sig=old)) == 0
        done(server.ask("im_open_login_svc/account_import", {"UserID": "administrator"}))
        done(server.library.abolition_user_sig("administrator"))
        assert code(server.ask(*check, sig=old)) == 70052
        assert code(server.ask(*check)) == 0

    def test_friends_are_refused_with_a_code_that_says_so(self, server):
        library = server.library
        for refused in [
            library.add_friend("rest-anna", [FriendObj("rest-ben", "web")]),
            library.delete_friends("rest-anna", ["rest-ben"]),
            library.update_friend("rest-anna", [UpdateFriendObj("rest-ben", [])]),
            library.get_target_friends("rest-anna", ["rest-ben"], ["Tag_Profile_IM_Nick"]),
            library.get_friends("rest-anna"),
            library.add_sns_group("rest-anna", ["同事"], ["rest-ben"]),
            library.delete_sns_group("rest-anna", ["同事"]),
            library.get_sns_group("rest-anna"),
        ]:
            assert code(refused) == 60009 and refused.json()["ErrorDisplay"] == ""

    def test_deleted(self, server):
        library = server.library
        done(library.add_single_user("rest-finn", "芬", ""))
        with server.user("rest-finn", age=60) as finn:
            deleted = done(library.del_user(["rest-finn", "rest-nobody"]))["ResultItem"]
            assert [each["ResultCode"] for each in deleted] == [0, 70107]
            assert finn.is_ended()
        [checked] = done(library.search_user(["rest-finn"]))["ResultItem"]
        assert checked["AccountStatus"] == "NotImported"

    def test_a_notice_arrives_once_however_often_it_is_sent(self, server):
        with server.user("rest-gus") as gus:
            notice = MessageObj("rest-anna", "rest-gus", [MessageText("您的订单已发货")], extra_data="order-1")
            sent = done(server.library.send_message(notice))
            assert done(server.library.send_message(notice)) == sent
            [message] = gus.push("onMessageReceived")
            assert (message["from"], message["payload"]) == ("rest-anna", {"text": "您的订单已发货"})
            assert message["cloudCustomData"] == "order-1"
            assert gus.texts("rest-anna") == ["您的订单已发货"]
            assert sent["MsgKey"].split("_")[1] == str(notice.MsgRandom)
            file = MessageObj(
                "rest-anna", "rest-gus", attachment_messages=[MessageFile("https://example.com/a.pdf", 5, "发票.pdf")])
            done(server.library.send_message(file))
            [message] = gus.push("onMessageReceived")
            assert message["type"] == "TIMFileElem" and message["payload"]["fileName"] == "发票.pdf"
        both = MessageObj("rest-anna", "rest-gus", [MessageText("一"), MessageText("二")])
        assert code(server.library.send_message(both)) == 90010

    def test_unread_read_and_withdrawn(self, server):
        library = server.library
        with server.user("rest-hana") as hana:
            first, second = (
                done(library.send_message(MessageObj("rest-anna", "rest-hana", [MessageText(text)])))["MsgKey"]
                for text in ["一", "二"])
            assert done(library.get_unread_num("rest-hana"))["AllC2CUnreadMsgNum"] == 2
            [of_anna] = done(library.get_unread_num("rest-hana", ["rest-anna"]))["C2CUnreadMsgNumList"]
            assert (of_anna["Peer_Account"], of_anna["C2CUnreadMsgNum"]) == ("rest-anna", 2)

            done(library.draw_message("rest-anna", "rest-hana", first))
            [revoked] = hana.push("onMessageRevoked")
            assert revoked["sequence"] == 1
            assert code(library.draw_message("rest-anna", "rest-hana", first)) == 20023
            assert code(library.draw_message("rest-anna", "rest-hana", "9_9_9")) == 20022
            done(library.set_user_message_read("rest-hana", "rest-anna"))
            assert done(library.get_unread_num("rest-hana"))["AllC2CUnreadMsgNum"] == 0

            page = done(library.get_message_list("rest-anna", "rest-hana", 10, 0, int(time.time()) + 60))
            assert page["Complete"] == 1 and page["MsgCnt"] == 2
            assert {each["MsgKey"]: each["MsgFlagBits"] for each in page["MsgList"]} == {first: 8, second: 0}

    def test_one_message_to_many(self, server):
        with server.user("rest-iris") as iris:
            many = BatchMessageObj("rest-anna", ["rest-iris", "rest-ben"], [MessageText("店庆")])
            assert not done(server.library.batch_send_message(many)).get("ErrorList")
            [message] = iris.push("onMessageReceived")
            assert message["payload"] == {"text": "店庆"}

    def test_history_is_imported_once_and_stands_before_what_is_said(self, server):
        library = server.library
        with server.user("rest-jan") as jan:
            done(library.send_message(MessageObj("rest-anna", "rest-jan", [MessageText("现在")])))
            old = MessageObj("rest-jan", "rest-anna", [MessageText("三天前")])
            # Younger than any retention of the stack.
            said = int(time.time()) - 3 * 86400
            for _ in range(2):
                done(library.import_message_to_im(old, said, sync_from_old=2))
            assert jan.texts("rest-anna") == ["三天前", "现在"]
            # The library's own default is a message like any other.
            live = MessageObj("rest-anna", "rest-jan", [MessageText("刚才")])
            done(library.import_message_to_im(live, int(time.time()) - 5))
            assert jan.texts("rest-anna") == ["三天前", "现在", "刚才"]
            page = done(library.get_message_list("rest-anna", "rest-jan", 10, 0, int(time.time()) + 60))
            assert [each["MsgBody"][0]["MsgContent"]["Text"] for each in page["MsgList"]] == ["三天前", "现在", "刚才"]


class TestTwin(OnTwin, Commands):
    def test_every_command_of_the_library_is_known_and_tried(self):
        """Served, or refused by its name; and called by these files, each by the library's own method."""
        text = (ROOT / "shared/src/rest/commands.rs").read_text(encoding="utf-8").split("\ncommands! {\n")[1]
        services = re.findall(r'^    \w+ "(\w+)" {\n(.*?)^    }$', text, re.MULTILINE | re.DOTALL)
        known = {f"{service}/{command}" for service, text in services for command in re.findall(r'"(\w+)"', text)}
        known |= {f"{service}/{command}" for service, command in re.findall(r'"(\w+)" / "(\w+)"', text)}
        methods = {
            name: command for name, method in inspect.getmembers(TCIMClient, inspect.isfunction)
            for command in re.findall(r'"{}/(\w+/\w+)"', inspect.getsource(method))}
        assert methods.keys() == {
            name for name in dir(TCIMClient) if not name.startswith("_")} - {"get_user_sig"}
        assert set(methods.values()) <= known
        files = (Path(__file__).with_name(name) for name in ["test_rest.py", "test_rest_groups.py"])
        called = {name for file in files for name in re.findall(r"library\.(\w+)\(", file.read_text(encoding="utf-8"))}
        assert methods.keys() == called

    def test_the_lines_of_the_documents_work_as_they_are(self, twin):
        texts = [PAGE, *((ROOT / name).read_text(encoding="utf-8") for name in ["README.md", "README.zh-CN.md"])]
        lines = [line for text in texts for line in re.findall(r"^```sh\n(curl .*?)^```", text, re.MULTILINE | re.DOTALL)]
        assert len(lines) == len(texts)
        for line in lines:
            assert "http://127.0.0.1:8420/v4/" in line and "$(cargo run --quiet -- " in line
            here = line.replace("http://127.0.0.1:8420/v4", twin.rest_url).replace("cargo run --quiet --", str(TWIN))
            said = subprocess.run(["sh", "-c", here], cwd=twin.folder, capture_output=True, text=True, check=True).stdout
            assert json.loads(said)["ActionStatus"] == "OK", said


class TestDeployed(Deployed, Commands):
    pass
