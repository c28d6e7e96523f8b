#!/usr/bin/env python3
"""What a month costs: the tables of cost.md and cost.zh-CN.md.

    python3 docs/cost.py            print the tables; --chinese prints the Chinese ones
    python3 docs/cost.py --write    put them into both documents
    python3 docs/cost.py --check    fail when a document has others

The capacity units, frames and round trips come from the budgets in tables.md, which tests assert. To
compute your own month, change ASSUMPTIONS and PRICES.
"""

import math
import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
DOCUMENTS = {"en": DOCS / "cost.md", "zh": DOCS / "cost.zh-CN.md"}

# name: value, English, Chinese
ASSUMPTIONS = {
    "users": (10_000, "users per day", "每天的用户数"),
    "days": (30, "days in the month", "一个月的天数"),
    "messages": (20, "messages that a user sends per day", "每个用户每天发送的消息数"),
    "online": (0.5, "how often the peer is online when a message or a read mark comes", "消息或已读标记到达时对方在线的比例"),
    "first": (0.1, "conversations that a user opens per day", "每个用户每天新开的会话数"),
    "marks": (0.5, "read marks per message: one mark covers all that is shown", "每条消息的已读标记数：一次标记涵盖已显示的全部消息"),
    "pages": (4, "pages of history that a user scrolls back per day", "每个用户每天向前翻阅的历史页数"),
    "sessions": (6, "connections, with a login each, of a user per day", "每个用户每天的连接数，每次连接登录一次"),
    "minutes": (10, "minutes that a connection lasts", "一次连接持续的分钟数"),
    "starts": (0.5, "share of connections of a program that has just been started, and knows nothing yet", "刚启动、本地还没有数据的程序所占的连接比例"),
    "conversations": (10, "conversations in the list", "列表中的会话数"),
    "changed": (4, "conversations that have changed, or may have, since the connection before", "自上次连接以来有变化或可能有变化的会话数"),
    "ranges": (0.5, "requests per connection for messages that were missed: the list has the last one of each", "每次连接为补拉漏收消息发出的请求数：列表已带有每个会话的最后一条"),
    "ranged": (2, "conversations in such a request", "每个这样的请求涉及的会话数"),
    "talks": (2, "times a day that a user begins to talk again after an hour or more", "每个用户每天在间隔一小时以上后重新开始交谈的次数"),
    "heartbeat": (4, "minutes between two pings", "两次 ping 之间的分钟数"),
    "memory": (256, "MB of memory of a function", "函数的内存（MB）"),
    "base_ms": (5, "ms of a function besides its round trips", "函数除往返之外的时间（毫秒）"),
    "trip_ms": (10, "ms per round trip to DynamoDB or to a connection", "到 DynamoDB 或连接的一次往返（毫秒）"),
    "cold": (0.02, "share of invocations that start cold", "冷启动占调用的比例"),
    "cold_ms": (200, "ms that a cold start takes longer", "一次冷启动多出的时间（毫秒）"),
    "log_bytes": (600, "bytes of log per invocation: its line, with the metrics", "每次调用的日志字节数：一行，含指标"),
    "metrics": (20, "metrics that have values while people chat", "有人聊天时有数据的指标数"),
    "row_bytes": (350, "bytes of a stored message, with DynamoDB's 100 per row", "一条已存消息的字节数，含 DynamoDB 每行的 100 字节"),
    "history": (12, "months of messages that are stored", "存储了多少个月的消息"),
    "frame_bytes": (400, "bytes that a message takes on the wire, and an entry of a list", "线路上一条消息或一个列表项的字节数"),
    "pictures": (0.05, "pictures per message, with `Media=true`", "`Media=true` 时，每条消息中图片的比例"),
    "picture_bytes": (300_000, "bytes of a picture", "一张图片的字节数"),
    "large_bytes": (60_000, "bytes of its large preview, which is what a chat shows", "大预览图的字节数，聊天界面显示的就是它"),
    "small_bytes": (10_000, "bytes of its small preview", "小预览图的字节数"),
    "views": (3, "times that a chat loads the large preview of a picture", "聊天界面加载一张图片的大预览图的次数"),
    "openings": (0.5, "times that somebody opens the picture itself", "打开原图的次数"),
    "picture_row_bytes": (1_100, "bytes of the stored message of a picture, with DynamoDB's 100", "图片消息存储的字节数，含 DynamoDB 的 100 字节"),
    "rest_memory": (1024, "MB of memory of the function of business servers", "业务服务器的函数的内存（MB）"),
    "answer_ms": (50, "ms until your server has answered a callback, the way there and back included", "你的服务器应答一次回调的时间，含往返路程（毫秒）"),
    "callback_bytes": (800, "bytes of a callback", "一次回调的字节数"),
    "group_messages": (10, "messages that a user sends to groups per day, on top", "每个用户每天另外发到群里的消息数"),
    "members": (20, "members of a group", "一个群的成员数"),
    "group_online": (0.3, "share of a group's members who are connected", "群成员中在线的比例"),
    "believed": (0.3, "share of the messages in groups that follow another one within three seconds, in the same sandbox", "三秒内紧接另一条、且由同一个实例处理的群消息的比例"),
    "my_groups": (5, "groups that a user is in", "一个用户加入的群数"),
    "group_marks": (0.2, "read marks per message and connected member: one mark covers all that is shown", "每条消息、每个在线成员的已读标记数：一次标记涵盖已显示的全部消息"),
    "form_bytes": (10_000, "bytes on the wire for a picture's three forms and its longer message", "一张图片的三张表单和更长的消息在线路上的字节数"),
}

# name: (us-east-1, ap-east-1), whether the second one was seen on a price list, the month it is known of,
# English, Chinese
PRICES = {
    "messages": ((1.00, 1.27), False, "2026-11", "API Gateway: million WebSocket messages of up to 32 KB, first billion", "API Gateway：每百万条不超过 32 KB 的 WebSocket 消息，前十亿条"),
    "minutes": ((0.25, 0.317), False, "2026-11", "API Gateway: million connection minutes", "API Gateway：每百万连接分钟"),
    "requests": ((0.20, 0.28), True, "2026-11", "Lambda: million requests", "Lambda：每百万次请求"),
    "gb_seconds": ((16.6667, 22.92), True, "2026-11", "Lambda: million GB-seconds, x86_64", "Lambda：每百万 GB-秒，x86_64"),
    "writes": ((0.625, 0.783), False, "2026-11", "DynamoDB: million write request units, on demand", "DynamoDB：每百万写请求单位，按需"),
    "reads": ((0.125, 0.157), False, "2026-11", "DynamoDB: million read request units, on demand", "DynamoDB：每百万读请求单位，按需"),
    "storage": ((0.25, 0.314), False, "2026-11", "DynamoDB: GB-month of storage", "DynamoDB：每 GB-月存储"),
    "backup": ((0.20, 0.251), False, "2026-11", "DynamoDB: GB-month of point-in-time recovery", "DynamoDB：每 GB-月时间点恢复"),
    "logs": ((0.50, 0.77), False, "2026-11", "CloudWatch: GB of logs taken in", "CloudWatch：每 GB 写入的日志"),
    "kept_logs": ((0.03, 0.033), False, "2026-11", "CloudWatch: GB-month of logs kept", "CloudWatch：每 GB-月保存的日志"),
    "metrics": ((0.30, 0.30), False, "2026-11", "CloudWatch: metric-month", "CloudWatch：每指标-月"),
    "transfer": ((0.09, 0.12), True, "2026-11", "Data transfer: GB out to the internet", "数据传输：每 GB 流出到互联网"),
    "rest": ((1.00, 1.38), False, "2026-11", "API Gateway: million HTTP requests, first 300 million", "API Gateway：每百万次 HTTP 请求，前三亿次"),
    "puts": ((5.00, 5.50), False, "2026-11", "S3: million uploads", "S3：每百万次上传"),
    "gets": ((0.40, 0.44), False, "2026-11", "S3: million reads", "S3：每百万次读取"),
    "media_storage": ((0.023, 0.0275), False, "2026-11", "S3: GB-month of storage", "S3：每 GB-月存储"),
    "edge_requests": ((1.00, 1.20), False, "2026-11", "CloudFront: million HTTPS requests", "CloudFront：每百万次 HTTPS 请求"),
    "edge_in": ((0.02, 0.06), False, "2026-11", "CloudFront: GB of uploads, to the bucket", "CloudFront：每 GB 上传到存储桶"),
    "edge_out": ((0.085, 0.12), False, "2026-11", "CloudFront: GB out to the internet", "CloudFront：每 GB 流出到互联网"),
}
REGIONS = ("us-east-1", "ap-east-1")
ARM_GB_SECONDS = 13.3334  # the lever, in us-east-1
LOG_DAYS = 14  # the default of LogRetentionDays
GB = 10**9

ALTERNATIVES = (
    (1, "Hongyan: the key is the counter", "鸿雁：键就是计数器"),
    (3, "counter, message and deduplication row", "计数器、消息、去重行"),
    (7, "a row in each user's inbox, with a time index", "每个用户的收件箱各一行，带时间索引"),
    (10, "message, head, deduplication row and two inbox rows in a transaction", "一个事务里的消息、头、去重行和两行收件箱"),
)


def budgets():
    """The lines of the budget table: write units, read units, WebSocket messages, round trips."""
    text = (DOCS / "tables.md").read_text(encoding="utf-8").split("## Budgets")[1]
    lines = (line.strip("|").split("|") for line in text.splitlines() if line.startswith("| "))
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def amount(cell, k=0, **others):
    """A cell of that table as a number: `0.5 + K/2` with its K, `2 + D` with others, `2, for up to 32 of them` as 2."""
    term = re.compile(r"([\d.]*) ?([A-Z]?)(?:/(\d+))?")
    values, total = {"K": k, "": 1} | others, 0.0
    for part in cell.split(",")[0].lstrip("+").split("+"):
        number, letter, divisor = term.fullmatch(part.strip()).groups()
        total += float(number or 1) * values[letter] / float(divisor or 1)
    return total


def operations(a):
    """What is done in a month: English, Chinese, how often, its budget, K, functions, bytes out."""
    user_days = a["users"] * a["days"]
    messages, sessions = user_days * a["messages"], user_days * a["sessions"]
    marks, on, off = messages * a["marks"], a["online"], 1 - a["online"]
    frame, k = a["frame_bytes"], a["conversations"]
    return [
        ("send, peer online", "发送，对方在线", messages * on, "send, peer online", 0, 1, 2 * frame),
        ("send, peer offline", "发送，对方不在线", messages * off, "send, peer offline", 0, 1, frame),
        ("first message, on top", "会话的第一条消息，另加", user_days * a["first"], "+first", 0, 0, 0),
        ("first message after an hour, on top", "间隔一小时后的第一条消息，另加", user_days * a["talks"], "+session", 0, 0, 0),
        ("read mark, peer online", "已读标记，对方在线", marks * on, "mark as read, peer online", 0, 1, frame),
        ("read mark, peer offline", "已读标记，对方不在线", marks * off, "-mark", 0, 1, 0),
        ("history page", "历史消息页", user_days * a["pages"], "history page of 15, imported or not", 0, 1, 15 * frame),
        ("connect: authorizer and function", "建立连接：授权与连接两个函数", sessions, "connect, authorizer included", 0, 2, 0),
        ("login of a program that has just been started", "刚启动的程序登录", sessions * a["starts"],
         "login with the newest K conversations", k, 1, (k + 1) * 2 * frame),
        ("login of one that goes on", "继续运行的程序登录", sessions * (1 - a["starts"]),
         "login, K conversations changed since", a["changed"], 1, (a["changed"] + 1) * frame),
        ("what was missed", "补拉漏收的消息", sessions * a["ranges"], "K ranges of four messages", a["ranged"], 1,
         4 * a["ranged"] * frame),
        ("ping", "心跳", sessions * a["minutes"] / a["heartbeat"], "ping", 0, 0, 0),
        ("disconnect", "断开连接", sessions, "disconnect", 0, 1, 0),
    ]


# What some sends cost besides what every send does.
ON_TOP = {
    "+first": "first message of a conversation",
    "+session": "first message of a session, one hour after the last one",
}


def unit_costs(budget, k, table):
    if budget in ON_TOP:
        sent, first = table["send, peer online"], table[ON_TOP[budget]]
        # Of this line only the write units are a whole; frames and round trips are what it adds.
        return [amount(first[0], k) - amount(sent[0], k), amount(first[1], k) - amount(sent[1], k),
                amount(first[2], k), amount(first[3], k)]
    if budget == "-mark":
        writes, reads, frames, trips = unit_costs("mark as read, peer online", k, table)
        return [writes, reads, frames - 1, trips]  # nobody to push to
    return [amount(cell, k) for cell in table[budget]]


def month(a):
    """The rows of the month, and what it uses of everything that has a price, in its unit."""
    table, rows = budgets(), []
    used = dict.fromkeys(PRICES, 0.0)
    ms = 0.0
    for english, chinese, times, budget, k, functions, bytes_out in operations(a):
        writes, reads, frames, trips = unit_costs(budget, k, table)
        rows.append((english, chinese, times, writes, reads, frames, functions))
        used["writes"] += times * writes / 1e6
        used["reads"] += times * reads / 1e6
        used["messages"] += times * frames / 1e6
        used["requests"] += times * functions / 1e6
        used["transfer"] += times * bytes_out / GB
        ms += times * (functions * (a["base_ms"] + a["cold"] * a["cold_ms"]) + trips * a["trip_ms"])
    connections = a["users"] * a["days"] * a["sessions"]
    used["minutes"] = connections * a["minutes"] / 1e6
    # A ping has neither function nor round trip. The trips of a first message lengthen its send.
    used["gb_seconds"] = ms / 1000 * a["memory"] / 1024 / 1e6
    stored = a["users"] * a["days"] * a["messages"] * a["history"] * a["row_bytes"] / GB
    used["storage"] = used["backup"] = stored
    used["logs"] = used["requests"] * 1e6 * a["log_bytes"] / GB
    used["metrics"] = a["metrics"]
    used["kept_logs"] = used["logs"] * min(1, LOG_DAYS / a["days"])
    return rows, used


def bill(used, region=0, **other_prices):
    return {name: used[name] * other_prices.get(name, PRICES[name][0][region]) for name in PRICES}


def send_alone(a, region):
    """A million sends to who is online, and nothing else."""
    writes, reads, frames, trips = unit_costs("send, peer online", 0, budgets())
    gb_seconds = (a["base_ms"] + a["cold"] * a["cold_ms"] + trips * a["trip_ms"]) / 1000 * a["memory"] / 1024
    used = {"writes": writes, "reads": reads, "messages": frames, "requests": 1, "gb_seconds": gb_seconds}
    return sum(units * PRICES[name][0][region] for name, units in used.items())


def served(a, frames, invocations, writes, reads, trips=0, memory=None):
    """What is used by so many WebSocket messages to and from clients, invocations of functions, capacity units, and
    round trips of all functions together, in the units of the prices. What it leaves behind, rows and logs that are
    kept, is not in it."""
    ms = invocations * (a["base_ms"] + a["cold"] * a["cold_ms"]) + trips * a["trip_ms"]
    return dict.fromkeys(PRICES, 0.0) | {
        "messages": frames / 1e6,
        "requests": invocations / 1e6,
        "gb_seconds": ms / 1000 * (memory or a["memory"]) / 1024 / 1e6,
        "writes": writes / 1e6,
        "reads": reads / 1e6,
        "logs": invocations * a["log_bytes"] / GB,
        "transfer": frames * a["frame_bytes"] / GB,
    }


def attack(a, region=0, **measured):
    """What a minute of an attack costs, by price, from what was measured of it."""
    return bill(served(a, **measured), region)


def pictures(a):
    """What the pictures of the month use on top of as many texts, in the units of the prices. Two people hardly share a
    copy of CloudFront's, so every picture that it serves is taken to come from the bucket."""
    times = a["users"] * a["days"] * a["messages"] * a["pictures"]
    writes, reads, frames, trips = unit_costs("form for an upload", 0, budgets())
    used = served(a, times * frames, times, times * writes, times * reads, times * trips)
    uploads, downloads = 3 * times, times * (a["views"] + a["openings"])
    uploaded = times * (a["picture_bytes"] + a["large_bytes"] + a["small_bytes"]) / GB
    return used | {
        # A write unit is a KB. DynamoDB counts its 100 bytes per row as storage only.
        "writes": used["writes"] + times * (math.ceil((a["picture_row_bytes"] - 100) / 1024) - 1) / 1e6,
        "storage": times * (a["picture_row_bytes"] - a["row_bytes"]) * a["history"] / GB,
        "backup": times * (a["picture_row_bytes"] - a["row_bytes"]) * a["history"] / GB,
        "transfer": times * a["form_bytes"] / GB,
        "kept_logs": used["logs"] * min(1, LOG_DAYS / a["days"]),
        "puts": uploads / 1e6,
        "gets": downloads / 1e6,
        "media_storage": uploaded * a["history"],
        "edge_requests": (uploads + downloads) / 1e6,
        "edge_in": uploaded,
        "edge_out": times * (a["views"] * a["large_bytes"] + a["openings"] * a["picture_bytes"]) / GB,
    }


SEND_TO_GROUP = "send to a group of N, not a meeting"
SEND_TO_KNOWN = "the same while the sandbox knows who is connected"


def to_group(a, times, members, online, believed):
    """What it uses to send so many messages to a group of so many, of whom so many are connected: where somebody has spoken just
    before, nobody is looked up. Its sender is connected, and told by the reply."""
    used = dict.fromkeys(PRICES, 0.0)
    for budget, share in ((SEND_TO_GROUP, 1 - believed), (SEND_TO_KNOWN, believed)):
        cells = budgets()[budget]
        writes, reads, frames, trips = (amount(cell, N=members, D=(members - 1) * online) for cell in cells)
        each = times * share
        part = served(a, each * frames, each, each * writes, each * reads, each * trips)
        used = {name: used[name] + part[name] for name in used}
    return used


def groups(a):
    """What the groups of the month use on top of the rest: messages, marks, the longer lists, and what is stored."""
    table, user_days = budgets(), a["users"] * a["days"]
    messages, logins = user_days * a["group_messages"], user_days * a["sessions"]
    used = to_group(a, messages, a["members"], a["group_online"], a["believed"])
    marks = messages * (a["members"] - 1) * a["group_online"] * a["group_marks"]
    writes, reads, frames, trips = unit_costs("mark a group as read", 0, table)
    # As between two, a mark has no reply, and nobody else is told of it.
    marked = served(a, marks * (frames - 1), marks, marks * writes, marks * reads, marks * trips)
    with_groups, without = table["list with G groups and K others"], table["list of K conversations"]
    # Who is in none pays nothing for them.
    listed = (amount(with_groups[1], G=a["my_groups"]) - amount(without[1])) * bool(a["my_groups"])
    used = {name: used[name] + marked[name] for name in used}
    stored = messages * a["history"] * a["row_bytes"] / GB
    return used | {
        "reads": used["reads"] + logins * listed / 1e6,
        "transfer": used["transfer"] + logins * a["my_groups"] * a["frame_bytes"] / GB,
        "storage": stored,
        "backup": stored,
        "kept_logs": used["logs"] * min(1, LOG_DAYS / a["days"]),
    }


# Members, and how many of them are connected.
GROUP_SIZES = ((3, 0.5), (10, 0.5), (50, 0.3), (100, 0.2), (200, 0.2), (200, 1.0))

# What a minute of it uses: 960 messages per second of one user, to one other who is online, from 16 devices by way of
# 16 sandboxes; when they are disconnected, each tries to come back once a second. A test measures it
# (tests/security/rate.rs) and fails when it is off by a tenth.
ATTACK = {"frames": 15_600, "invocations": 6_800, "writes": 730, "reads": 990, "trips": 1_350}
ATTACK_SENDS = 960 * 60
ATTACK_DEVICES = 16


def unlimited_attack():
    """The same without a limit: every message is stored, and pushed to the other user and to 15 devices."""
    writes, reads, frames, trips = unit_costs("send, peer online", 0, budgets())
    each = {"frames": frames + ATTACK_DEVICES - 1, "invocations": 1, "writes": writes, "reads": reads, "trips": trips}
    return {name: ATTACK_SENDS * value for name, value in each.items()}


def uploads(a, objects, gigabytes, forms=0):
    """What it uses to upload so many objects with so many forms, besides what they cost while they are stored."""
    writes, reads, frames, trips = unit_costs("form for an upload", 0, budgets())
    # Every frame costs a sixteenth of a write unit besides.
    return served(a, forms * frames, forms, forms * (writes + 1 / 16), forms * reads, forms * trips) | {
        "puts": objects / 1e6, "edge_requests": objects / 1e6, "edge_in": gigabytes}


def upload_attacks(a):
    """What somebody can do with forms, and with the URL of an object, with `MediaMegabytesPerDay` as it is: English,
    Chinese, what it uses. The smallest file counts as 64 KB."""
    megabytes = 500
    day, hour = megabytes * 1024**2 / GB, 100e6 / 8 * 3600 / GB
    read = served(a, 0, 0, 0, 0) | {"edge_requests": 0.01, "gets": 0.01, "edge_out": 1000}
    return [
        ("a day's volume of a user in the largest files, stored for a month", "一个用户一天的上传量，全是最大的文件，存放一个月",
         uploads(a, 5, day, 5) | {"media_storage": day}),
        ("the same in files of a byte, as many as fit", "同样的上传量，全是一个字节的文件",
         uploads(a, megabytes * 16, 0, megabytes * 16)),
        ("an hour of the same file over itself, at 100 Mbit/s", "一小时内反复上传同一个文件，100 Mbit/s",
         uploads(a, hour * 10, hour, 4)),
        ("a TB that is read by somebody who has a URL", "有人用一个 URL 下载了 1 TB", read),
    ]


# What each command reads besides what it does, in one round trip: whether the administrator was kicked.
ADMINISTRATOR_READS = 0.5


def commands(a, times, each=None, frames=0):
    """What it uses to do a command so often, with so many frames to users each time: by its write units, read units and round trips, or
    refused to a stranger, of whom nothing is logged. An answer has as many bytes as a frame."""
    writes, reads, trips = each or (0, 0, 0)
    if each:
        reads, trips = reads + ADMINISTRATOR_READS, trips + 1
    used = served(a, times * frames, times, times * writes, times * reads, times * trips, a["rest_memory"])
    answers = times * a["frame_bytes"] / GB
    return used | {"rest": times / 1e6, "transfer": used["transfer"] + answers, "logs": used["logs"] * bool(each)}


def command(name, pushes=0):
    """Its line of the budgets, with a round trip more for so many pushes."""
    writes, reads, trips = (amount(cell) for cell in budgets()[name])
    return writes, reads, trips + pushes


def to_group_of(a):
    """What a command takes that says something in a group, and how many frames. It does what a member does, but for noting that the
    message is their own, and has no frame of its own and no reply in one."""
    cells = budgets()[SEND_TO_GROUP]
    writes, reads, frames, trips = (amount(cell, N=a["members"], D=a["members"] * a["group_online"]) for cell in cells)
    return (writes - 1, reads, trips), frames - 2


def callbacks(a, times, budget=None):
    """What so many callbacks use: those of a function of their own, by a line of the budgets, or those for which a send waits."""
    writes, reads, _, trips = unit_costs(budget, 0, budgets()) if budget else (0, 0, 0, 0)
    used = served(a, 0, times * bool(budget), times * writes, times * reads, times * trips)
    waited = times * a["answer_ms"] / 1000 * a["memory"] / 1024 / 1e6
    return used | {"gb_seconds": used["gb_seconds"] + waited, "transfer": times * a["callback_bytes"] / GB}


def business_server(a):
    """What a business server makes of it: English, Chinese, what it uses."""
    million = 10**6
    in_group, pushes = to_group_of(a)
    return [
        ("a million notices to users, by `sendmsg`", "用 `sendmsg` 给用户发一百万条通知",
         commands(a, million, command("`sendmsg`", a["online"]), a["online"])),
        (f"a million notices to groups of {a['members']}, by `send_group_msg`", f"用 `send_group_msg` 给 {a['members']} 人的群发一百万条通知",
         commands(a, million, in_group, pushes)),
        ("ten million messages imported as history", "导入一千万条历史消息", commands(a, 10 * million, command("`importmsg`, history"))),
        ("a million callbacks before a message is sent", "发送消息之前的一百万次回调", callbacks(a, million)),
        ("a million callbacks after it, one by one", "发送消息之后的一百万次回调，逐条调用", callbacks(a, million, "to tell a business server of a message")),
        ("a million requests of somebody who is no administrator", "一百万个不是管理员的请求", commands(a, million)),
    ]


def dollars(value):
    return f"{value:,.2f}"


def millions(value):
    return f"{value / 1e6:,.2f}"


def plain(value):
    return f"{value:,.10g}"


def markdown(head, rows, numeric):
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---:" if n else "---" for n in numeric) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def tables(language):
    """Every table of the document, by name."""
    zh = language == "zh"

    def say(english, chinese):
        return chinese if zh else english

    a = {name: value[0] for name, value in ASSUMPTIONS.items()}
    rows, used = month(a)
    bills = [bill(used, region) for region in (0, 1)]
    totals = [sum(b.values()) for b in bills]
    in_groups = groups(a)
    group_bills = [bill(in_groups, region) for region in (0, 1)]
    media = pictures(a)
    media_bills = [bill(media, region) for region in (0, 1)]
    messages = a["users"] * a["days"] * a["messages"]
    total, guess = say("total", "合计"), "≈ "
    cost = {}

    cost["bottom-line"] = markdown(
        ["", "us-east-1, $", "ap-east-1, $"],
        [[say("the month", "整月"), dollars(totals[0]), guess + dollars(totals[1])],
         [say("groups, on top", "群聊，另加"), *(p + dollars(sum(b.values())) for p, b in zip(("", guess), group_bills))],
         [say("pictures, on top", "图片，另加"), *(p + dollars(sum(b.values())) for p, b in zip(("", guess), media_bills))],
         [say("per user and month", "每个用户每月"), *(f"{p}{t / a['users']:.4f}" for p, t in zip(("", guess), totals))],
         [say("per million messages, all in", "每百万条消息，全部计入"),
          *(p + dollars(t / messages * 1e6) for p, t in zip(("", guess), totals))],
         [say("a million sends alone, peer online, without logs and storage", "只算一百万次发送，对方在线，不含日志和存储"),
          *(p + dollars(send_alone(a, region)) for p, region in zip(("", guess), (0, 1)))],
         [say("a month in which nobody chats", "没有人聊天的一个月"),
          *(p + dollars(b["storage"] + b["backup"]) for p, b in zip(("", guess), bills))]],
        (0, 1, 1))

    cost["assumptions"] = markdown(
        [say("name", "名称"), say("value", "值"), say("what", "含义")],
        [[f"`{n}`", plain(v), say(en, cn)] for n, (v, en, cn) in ASSUMPTIONS.items()], (0, 1, 0))

    cost["prices"] = markdown(
        [say("name", "名称"), say("for", "计价单位"), "us-east-1, $", "ap-east-1, $", say("as of", "日期")],
        [[f"`{n}`", say(en, cn), plain(p[0]), ("" if seen else guess) + plain(p[1]), as_of]
         for n, (p, seen, as_of, en, cn) in PRICES.items()], (0, 0, 1, 1, 0))

    sums = [sum(r[2] * r[i] for r in rows) for i in (3, 4, 5, 6)]
    cost["usage"] = markdown(
        [say("what", "操作"), say("times, millions", "次数（百万）"), say("write units", "写单位"), say("read units", "读单位"),
         say("messages", "WebSocket 消息"), say("functions", "函数调用")],
        [[say(r[0], r[1]), millions(r[2]), *(plain(x) for x in r[3:])] for r in rows]
        + [[f"**{say('all, millions', '合计（百万）')}**", "", *(f"**{millions(s)}**" for s in sums)]],
        (0, 1, 1, 1, 1, 1))

    def billed(used, bills):
        sums = [sum(b.values()) for b in bills]
        return markdown(
            [say("name", "名称"), say("used", "用量"), "us-east-1, $", "ap-east-1, $", say("share", "占比")],
            [[f"`{n}`", f"{used[n]:,.2f}", dollars(bills[0][n]), guess * (not PRICES[n][1]) + dollars(bills[1][n]),
              f"{bills[0][n] / sums[0]:.0%}"] for n in PRICES if used[n]]
            + [[f"**{total}**", "", f"**{dollars(sums[0])}**", f"**{guess}{dollars(sums[1])}**", ""]],
            (0, 1, 1, 1, 1))

    cost["bill"] = billed(used, bills)
    cost["groups"] = billed(in_groups, group_bills)
    cost["pictures"] = billed(media, media_bills)

    def million_to_group(members, online, believed):
        return to_group(a, 10**6, members, online, believed)

    def in_dollars(used):
        return [p + dollars(sum(bill(used, region).values())) for p, region in zip(("", guess), (0, 1))]

    cost["group-messages"] = markdown(
        [say("members", "成员"), say("connected", "在线"), say("write units", "写单位"), say("read units", "读单位"),
         say("WebSocket messages", "WebSocket 消息"), "us-east-1, $", "ap-east-1, $",
         say("in a talk: us-east-1, $", "连续交谈：us-east-1, $"), "ap-east-1, $"],
        [[str(members), f"{online:.0%}", *(f"{alone[name]:,.2f}" for name in ("writes", "reads", "messages")),
          *in_dollars(alone), *in_dollars(million_to_group(members, online, 1))]
         for members, online in GROUP_SIZES for alone in [million_to_group(members, online, 0)]],
        (1,) * 9)

    cost["alternatives"] = markdown(
        [say("how a message is stored", "消息的存储方式"), say("write units per message", "每条消息的写单位"),
         say("millions in the month", "整月（百万）"), "us-east-1, $", "ap-east-1, $"],
        [[say(en, cn), str(units), millions(messages * units),
          dollars(messages * units / 1e6 * PRICES["writes"][0][0]),
          guess + dollars(messages * units / 1e6 * PRICES["writes"][0][1])] for units, en, cn in ALTERNATIVES],
        (0, 1, 1, 1, 1))

    def attacked(used):
        cents = [f"{p}{sum(attack(a, **used, region=region).values()):,.4f}" for p, region in zip(("", guess), (0, 1))]
        return [f"{used[name]:,.0f}" for name in ("frames", "invocations", "writes", "reads")] + cents

    cost["attack"] = markdown(
        [say("a minute", "一分钟"), say("messages", "WebSocket 消息"), say("functions", "函数调用"), say("write units", "写单位"),
         say("read units", "读单位"), "us-east-1, $", "ap-east-1, $"],
        [[say("with the limits as they are", "按默认的限制"), *attacked(ATTACK)],
         [say("with none", "不设限制"), *attacked(unlimited_attack())]],
        (0, 1, 1, 1, 1, 1, 1))

    cost["uploads"] = markdown(
        [say("with `Media=true`", "`Media=true` 时"), say("uploads", "上传次数"), "GB", "us-east-1, $", "ap-east-1, $"],
        [[say(en, cn), f"{used['puts'] * 1e6:,.0f}", f"{used['edge_in'] + used['edge_out']:,.1f}",
          *(p + dollars(sum(bill(used, region).values())) for p, region in zip(("", guess), (0, 1)))]
         for en, cn, used in upload_attacks(a)],
        (0, 1, 1, 1, 1))

    cost["server"] = markdown(
        [say("what", "操作"), say("WebSocket messages", "WebSocket 消息"), say("functions", "函数调用"), say("write units", "写单位"),
         say("read units", "读单位"), "us-east-1, $", "ap-east-1, $"],
        [[say(en, cn), *(f"{used[name]:,.2f}" for name in ("messages", "requests", "writes", "reads")),
          *(p + dollars(sum(bill(used, region).values())) for p, region in zip(("", guess), (0, 1)))]
         for en, cn, used in business_server(a)],
        (0, 1, 1, 1, 1, 1, 1))

    def lever(prices=(), **changes):
        return sum(bill(month({**a, **changes})[1], 0, **dict(prices)).values())

    levers = [
        (say("half as many connections, twice as long", "连接次数减半，每次时长加倍"), lever(sessions=a["sessions"] / 2, minutes=a["minutes"] * 2)),
        (say("a client that keeps its list, and is never new", "客户端保留会话列表，不再从头拉取"), lever(starts=0)),
        (say("one read mark in four messages", "每四条消息一次已读标记"), lever(marks=0.25)),
        (say("no read marks at all", "完全不用已读标记"), lever(marks=0)),
        (say("a read mark for every message", "每条消息一次已读标记"), lever(marks=1)),
        (say("the peer is always online", "对方始终在线"), lever(online=1)),
        (say("a tenth of the logs", "日志只有十分之一"), lever(log_bytes=a["log_bytes"] / 10)),
        (say("functions on arm64", "函数改用 arm64"), lever(prices={"gb_seconds": ARM_GB_SECONDS})),
        (say("functions that take twice as long", "函数耗时加倍"), lever(base_ms=2 * a["base_ms"], trip_ms=2 * a["trip_ms"])),
        (say("one month of history instead of twelve", "只保留一个月的历史，而不是十二个月"), lever(history=1)),
        (say("twice the messages, nothing else changed", "消息加倍，其他不变"), lever(messages=2 * a["messages"])),
    ]
    cost["levers"] = markdown(
        [say("change", "改变"), say("the month in us-east-1, $", "整月，us-east-1，$"), say("difference, $", "差额，$")],
        [[name, dollars(value), f"{value - totals[0]:+,.2f}".replace("-", "−")] for name, value in levers], (0, 1, 1))
    return cost


BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n\n).*?(\n\n<!-- end -->)", re.S)


def filled(text, language):
    """The document with its tables as they are computed now."""
    computed = tables(language)
    named = [name for _, name, _ in BLOCK.findall(text)]
    if sorted(named) != sorted(computed):
        sys.exit(f"the {language} document should have each of these tables once: {', '.join(computed)}")
    return BLOCK.sub(lambda found: found[1] + computed[found[2]] + found[3], text)


def main(arguments):
    if not arguments or arguments == ["--chinese"]:
        for name, table in tables("zh" if arguments else "en").items():
            print(f"{name}\n\n{table}\n")
        return 0
    if arguments not in (["--check"], ["--write"]):
        print(__doc__)
        return 2
    stale = 0
    for language, path in DOCUMENTS.items():
        text = path.read_text(encoding="utf-8")
        now = filled(text, language)
        if arguments == ["--write"]:
            path.write_text(now, encoding="utf-8")
        elif now != text:
            stale = 1
            print(f"{path.name} has other figures than cost.py: run `python3 docs/cost.py --write`")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
