"""The end of a deployment, and what is left of it."""

import re
from pathlib import Path

OPERATE = Path(__file__).parents[2] / "docs/operate.md"
KEPT = ["Messages", "Conversations", "Users"]


def test_chats_outlive_their_stack_and_the_next_one_takes_them_over(stack, user):
    with user("victor") as victor, user("walter") as walter:
        victor.send("walter", "留下来")
        walter.ask("updateMyProfile", nick="沃尔特")
    resources = stack.resources
    assert [resources[name] for name in KEPT] == [f"{stack.name}-{name}" for name in KEPT]

    stack.delete()
    left = stack.emulator.client("dynamodb").list_tables()["TableNames"]
    assert {resources[name] for name in KEPT} <= set(left)
    assert resources["Connections"] not in left

    [template] = re.findall(r"^```yaml\n(.*?)^```", OPERATE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    stack.adopt(template, KEPT)
    stack.deploy()
    with user("walter") as walter:
        assert walter.texts("victor") == ["留下来"]
        assert walter.ask("getUserProfile", userIDList=["walter"])["profileList"][0]["nick"] == "沃尔特"
        assert walter.send("victor", "还在", base=1)["sequence"] == 2
