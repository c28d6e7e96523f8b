"""One emulator and one deployment for all tests, once plain and once with each function's IAM role enforced."""

import os
import secrets
from pathlib import Path

import pytest

from business_server import BusinessServer
from chat import User, signature
from emulator import Emulator
from rest import Twin
from stack import KEY_PARAMETER, TOKEN_PARAMETER, Stack

BUILT = Path(os.environ.get("BUILT", Path(__file__).parents[2] / "target/cloud/template.yaml"))


@pytest.fixture(scope="session", params=[False, True], ids=["plain", "iam"])
def emulator(request, tmp_path_factory):
    emulator = Emulator(tmp_path_factory.mktemp("emulator"), enforces_iam=request.param)
    yield emulator
    emulator.stop()


@pytest.fixture(scope="session")
def key():
    return secrets.token_hex(32)


@pytest.fixture(scope="session")
def store_key(emulator):
    """Stores the UserSig key, or two of them, as docs/operate.md says."""
    def store(value):
        emulator.client("ssm").put_parameter(Name=KEY_PARAMETER, Type="SecureString", Value=value, Overwrite=True)
    return store


@pytest.fixture(scope="session")
def stack(emulator, key, store_key):
    store_key(key)
    stack = Stack(emulator, BUILT)
    stack.deploy()
    return stack


@pytest.fixture(scope="session")
def stack_with_media(stack):
    """The same one, from here on with a bucket and CloudFront."""
    stack.deploy(Media="true")
    return stack


@pytest.fixture(scope="session")
def business_server(emulator):
    server = BusinessServer(emulator.authority, secrets.token_hex(16))
    emulator.client("ssm").put_parameter(Name=TOKEN_PARAMETER, Type="SecureString", Value=server.token)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stack_with_callbacks(stack, business_server):
    """The same one, from here on with a business server that is asked and told."""
    if "CallbackUrl" not in stack.parameters:
        stack.deploy(CallbackUrl=business_server.url, CallbackTokenParameter=TOKEN_PARAMETER)
    return stack


@pytest.fixture(scope="session")
def user(stack, key):
    """Connects a user, whose server signs with the key of the deployment unless the test says otherwise."""
    def connect(name, sig=None, **options):
        return User(stack.websocket_url, name, sig or signature(key, name), **options)
    return connect


@pytest.fixture(scope="session")
def twin(tmp_path_factory):
    twin = Twin(tmp_path_factory.mktemp("twin"))
    yield twin
    twin.stop()
