"""A host of the API for business servers: the twin or what was deployed, with the library that talks to it."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import requests
from tencentcloud_im.tcim_client import TCIMClient

from chat import User, signature
from stack import SDK_APP_ID

ROOT = Path(__file__).parents[2]
TWIN = os.environ.get("HONGYAN", ROOT / "target/debug/hongyan")


class Twin:
    """The twin of a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.process = subprocess.Popen([TWIN, "--port", "0", "--json"], cwd=folder, stdout=subprocess.PIPE, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.rest_url, self.websocket_url, self.key = ready["restUrl"], ready["webSocketUrl"], ready["key"]

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=20)


class Server:
    """A host, with the library that talks to it."""

    def __init__(self, rest_url, websocket_url, key):
        self.rest_url, self.websocket_url, self.key = rest_url, websocket_url, key
        self.library = TCIMClient(SDK_APP_ID, key, "administrator", tencent_url=rest_url)

    def user(self, name, **options):
        return User(self.websocket_url, name, signature(self.key, name, **options))

    def ask(self, command, body, identifier="administrator", sig=None):
        """What the library has no method for."""
        query = {"sdkappid": SDK_APP_ID, "identifier": identifier, "usersig": sig or signature(self.key, identifier)}
        return requests.post(f"{self.rest_url}/{command}", params=query, data=json.dumps(body))


class OnTwin:
    """What its tests talk to is the twin."""

    @pytest.fixture
    def server(self, twin):
        return Server(twin.rest_url, twin.websocket_url, twin.key)


class Deployed:
    """What its tests talk to is the deployment."""

    @pytest.fixture
    def server(self, stack, key):
        return Server(stack.rest_url, stack.websocket_url, key)


def answer(response):
    """Whatever is said, it is said with 200 and in one form."""
    assert response.status_code == 200, response.text
    data = response.json()
    assert data["ActionStatus"] == ("FAIL" if data["ErrorCode"] else "OK"), data
    assert bool(data["ErrorInfo"]) == bool(data["ErrorCode"]), data
    return data


def done(response):
    data = answer(response)
    assert data["ErrorCode"] == 0, data
    return data


def code(response):
    return answer(response)["ErrorCode"]
