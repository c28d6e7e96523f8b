"""A user on a raw socket, whose server signs with Tencent's own library."""

import itertools
import json
import time
import uuid
from contextlib import ExitStack
from unittest.mock import patch
from urllib.parse import urlencode

from TLSSigAPIv2 import TLSSigAPIv2
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from stack import SDK_APP_ID

PATIENCE = 20


def signature(key, user, expire=86400, age=0):
    """What the library signs, or signed so many seconds ago."""
    issued = time.time() - age
    with patch("TLSSigAPIv2.time.time", return_value=issued):
        return TLSSigAPIv2(SDK_APP_ID, key).gen_sig(user, expire)


class Refused(Exception):
    def __init__(self, status):
        super().__init__(f"the handshake was refused with {status}")
        self.status = status


class User:
    def __init__(self, url, name, sig, platform="Web"):
        query = {"SDKAppID": SDK_APP_ID, "userID": name, "platform": platform}
        query |= {"userSig": sig} if sig else {}
        self.context = ExitStack()
        try:
            self.socket = self.context.enter_context(connect(f"{url}?{urlencode(query)}", open_timeout=PATIENCE))
        except InvalidStatus as refused:
            raise Refused(refused.response.status_code) from None
        self.name = name
        self.pushes = []
        self.numbers = itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def say(self, action, **data):
        self.socket.send(json.dumps({"action": action, "data": data}))

    def request(self, action, **data):
        """The reply to a request. Pushes that come in meanwhile are kept."""
        number = str(next(self.numbers))
        self.socket.send(json.dumps({"action": action, "requestID": number, "data": data}))
        while True:
            frame = self.frame()
            if frame.get("requestID") == number:
                return frame
            self.pushes.append(frame)

    def ask(self, action, **data):
        """The data of a reply to a request that must succeed."""
        reply = self.request(action, **data)
        assert reply["code"] == 0, reply
        return reply["data"]

    def push(self, event):
        """The data of the next push of a name."""
        while True:
            for index, frame in enumerate(self.pushes):
                if frame.get("event") == event:
                    return self.pushes.pop(index)["data"]
            self.pushes.append(self.frame())

    def frame(self):
        return json.loads(self.socket.recv(timeout=PATIENCE))

    def is_ended(self):
        """Waits until the other side closes the connection."""
        try:
            while True:
                self.frame()
        except ConnectionClosed:
            return True

    def send(self, to, text, client_id=None, base=0):
        data = self.ask(
            "sendMessage", to=to, conversationType="C2C", clientID=client_id or uuid.uuid4().hex, base=base,
            type="TIMTextElem", payload={"text": text},
        )
        return data["message"]

    def texts(self, peer):
        """What the conversation with a peer holds."""
        page = self.ask("getMessageList", conversationID=f"C2C{peer}")
        return [message["payload"]["text"] for message in page["messageList"]]
