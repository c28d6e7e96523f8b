"""What each function's role lets it do, tried with that role."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from stack import KEY_PARAMETER, TABLES, TOKEN_PARAMETER

# Who answers has to be able to end the connection: a reply that ends a connection goes out before the end.
SPEAKS = {"@connections": ["POST", "DELETE"]}

# Counting frames, and suspending who sends far too many.
COUNTS = {"Connections": ["UpdateItem"]}

# Reading who is connected and who watches, taking and freeing a slot, forgetting a watcher.
PRESENCE = ["GetItem", "Query", "UpdateItem", "DeleteItem"]

# Of those who watch, the blocked ones are told nothing.
BLACKLIST = ["Query"]

# All that is listed is allowed, and all that is not is refused.
MAY = {
    "Authorizer": {"the key": ["GetParameter"], "Connections": ["GetItem"]},
    "Connect": {
        "Messages": ["Query"],
        "Conversations": ["UpdateItem", "DeleteItem", "Query"],
        "Connections": PRESENCE,
        "Users": ["BatchGetItem", "Query", "UpdateItem"],
        **SPEAKS,
    },
    "Disconnect": {"Connections": PRESENCE, "Users": BLACKLIST, "@connections": ["POST"]},
    "SendMessage": {
        "Messages": ["GetItem", "Query", "PutItem", "UpdateItem"],
        "Conversations": ["UpdateItem"],
        "Groups": ["Query"],
        "Connections": [*PRESENCE, "BatchGetItem"],
        "Users": ["GetItem", "Query"],
        "the token of callbacks": ["GetParameter"],
        **SPEAKS,
    },
    "GetMessageList": {"Messages": ["Query"], "Conversations": ["GetItem"], **COUNTS, **SPEAKS},
    "SetMessageRead": {
        "Messages": ["Query", "UpdateItem"],
        "Conversations": ["GetItem", "UpdateItem"],
        "Connections": PRESENCE,
        "Users": BLACKLIST,
        **SPEAKS,
    },
    "GetConversationList": {
        "Messages": ["Query"],
        "Conversations": ["UpdateItem", "DeleteItem", "Query"],
        "Users": ["BatchGetItem"],
        **COUNTS,
        **SPEAKS,
    },
    "GetUploadForm": {"media": ["PutObject"], **COUNTS, **SPEAKS},
    "ManageConversation": {
        "Messages": ["Query", "UpdateItem", "GetItem"],
        "Conversations": ["UpdateItem", "GetItem", "Query"],
        "Groups": ["Query"],
        "Connections": [*PRESENCE, "BatchGetItem"],
        "Users": BLACKLIST,
        **SPEAKS,
    },
    "ManageGroup": {
        "Messages": ["Query", "GetItem", "PutItem", "UpdateItem"],
        "Conversations": ["Query", "GetItem", "PutItem", "UpdateItem", "DeleteItem"],
        "Groups": ["Query", "GetItem", "PutItem", "UpdateItem", "DeleteItem"],
        "Connections": [*PRESENCE, "BatchGetItem"],
        "Users": BLACKLIST,
        "the token of callbacks": ["GetParameter"],
        **SPEAKS,
    },
    "ManageUser": {
        "Messages": ["UpdateItem"],
        "Conversations": ["BatchGetItem"],
        "Connections": ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"],
        "Users": ["BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"],
        **SPEAKS,
    },
    # Into the queue it is Lambda that writes, with the rights of the function.
    "DeleteMedia": {"media": ["DeleteObject"], "undeleted media": ["SendMessage"]},
    "Rest": {
        "the key": ["GetParameter"],
        "the token of callbacks": ["GetParameter"],
        "Messages": ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem"],
        "Conversations": ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"],
        "Groups": ["Query", "Scan", "PutItem", "UpdateItem", "DeleteItem"],
        "Connections": ["GetItem", "BatchGetItem", "Query", "UpdateItem", "DeleteItem"],
        "Users": ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"],
        "media": ["DeleteObject"],
        **SPEAKS,
    },
    "Callback": {
        "Messages": ["Query"],
        "Groups": ["Query"],
        "Connections": ["GetItem"],
        "the token of callbacks": ["GetParameter"],
        "undelivered callbacks": ["SendMessage"],
    },
    "Logout": {"Connections": PRESENCE, "Users": BLACKLIST, **SPEAKS},
    "Default": {**COUNTS, **SPEAKS},
}


@pytest.fixture(scope="module")
def enforced(stack, request):
    if not stack.emulator.enforces_iam:
        pytest.skip("the plain run enforces no role")
    request.getfixturevalue("stack_with_media")
    return request.getfixturevalue("stack_with_callbacks")


def test_every_function_has_its_line(enforced):
    assert set(enforced.functions) == set(MAY)


def in_any_order(rights):
    return {what: sorted(actions) for what, actions in rights.items()}


@pytest.mark.parametrize("function", MAY)
def test_a_function_may_do_what_it_has_to_and_nothing_else(enforced, function):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.write(Path(__file__).with_name("probe.py"), "probe.py")
    configuration = enforced.functions[function]
    client = enforced.emulator.client("lambda")
    name = f"probe-{function}"
    client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="probe.handler", Timeout=60,
        Role=configuration["Role"], Code={"ZipFile": code.getvalue()},
    )
    event = {
        "tables": {name: enforced.resources[name] for name in TABLES},
        "bucket": enforced.outputs["MediaBucketName"],
        "queues": {
            "undeleted media": enforced.resources["UndeletedMedia"],
            "undelivered callbacks": enforced.resources["UndeliveredCallbacks"],
        },
        "key": KEY_PARAMETER,
        "token": TOKEN_PARAMETER,
        "connections": configuration["Environment"]["Variables"]["CONNECTIONS_ENDPOINT"],
    }
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
    rights = json.loads(answer["Payload"].read())
    client.delete_function(FunctionName=name)
    assert in_any_order(rights) == in_any_order(MAY[function])
