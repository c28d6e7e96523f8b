"""MiniStack: AWS on this machine, without an account and without Docker."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import boto3
import trustme

REGION = "us-east-1"

# Nothing of the user's own account gets near any of it.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


class Emulator:
    def __init__(self, folder: Path, enforces_iam: bool):
        self.enforces_iam = enforces_iam
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        # What everything else is told that talks to it.
        self.environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "SAM_CLI_TELEMETRY": "0",
        }
        own = {
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "LAMBDA_EXECUTOR": "local",
            "AUTH": str(enforces_iam).lower(),
            "TMPDIR": str(folder),
        }
        self.authority, self.authority_file = trustme.CA(), folder / "authority.pem"
        self.authority.cert_pem.write_to_path(self.authority_file)
        self.log = folder / "emulator.log"
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("ministack")],
            env={**self.environment, **own},
            cwd=folder,
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
        )
        try:
            self._wait()
        except RuntimeError:
            self.stop()
            raise

    def _wait(self):
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=1):
                    return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError(f"the emulator does not start:\n{self.log.read_text()}")

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def sam():
    return os.environ.get("SAM") or shutil.which("sam")
