"""The deployment of a built template: what `sam deploy` does to an account, done to the emulator."""

import json
import subprocess
from pathlib import Path

from derive import derive
from emulator import REGION, Emulator, sam

SDK_APP_ID = 1400000000
KEY_PARAMETER = "/hongyan/usersig-key"
TOKEN_PARAMETER = "/hongyan/callback-token"
TABLES = ["Messages", "Conversations", "Connections", "Users", "Groups"]


class Stack:
    def __init__(self, emulator: Emulator, built: Path, name="hongyan"):
        self.emulator, self.built, self.name = emulator, built, name
        self.parameters = {"SdkAppId": SDK_APP_ID}
        self.cloudformation = emulator.client("cloudformation")

    def deploy(self, **parameters):
        """Creates or updates it, as the README says. Parameters stay as they are until they are changed."""
        self.parameters |= parameters
        derived = derive(self.built, self.emulator)
        self._sam(
            "deploy", "--stack-name", self.name, "--template-file", derived, "--resolve-s3", "--no-confirm-changeset",
            "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--parameter-overrides",
            *(f"{name}={value}" if value != "" else f'{name}=""' for name, value in self.parameters.items()),
        )

    def adopt(self, template, tables, bucket):
        """Makes a stack of the tables and the bucket that another one has left behind."""
        change_set = {"StackName": self.name, "ChangeSetName": "adopt"}
        self.cloudformation.create_change_set(
            **change_set, ChangeSetType="IMPORT", TemplateBody=template,
            ResourcesToImport=[
                {"ResourceType": "AWS::DynamoDB::Table", "LogicalResourceId": name,
                 "ResourceIdentifier": {"TableName": f"{self.name}-{name}"}}
                for name in tables
            ] + [
                {"ResourceType": "AWS::S3::Bucket", "LogicalResourceId": "MediaBucket",
                 "ResourceIdentifier": {"BucketName": bucket}}
            ],
        )
        self.cloudformation.get_waiter("change_set_create_complete").wait(**change_set, WaiterConfig={"Delay": 1})
        self.cloudformation.execute_change_set(**change_set)
        self.cloudformation.get_waiter("stack_import_complete").wait(StackName=self.name, WaiterConfig={"Delay": 1})

    def delete(self):
        self._sam("delete", "--stack-name", self.name, "--no-prompts", "--region", REGION)

    def _sam(self, command, *options):
        done = subprocess.run(
            [sam(), command, *map(str, options)],
            env=self.emulator.environment, cwd=self.built.parent, capture_output=True, text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def resources(self):
        """Logical to physical ID of everything in it."""
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        summaries = (each for page in pages for each in page["StackResourceSummaries"])
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in summaries}

    @property
    def outputs(self):
        stack = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    @property
    def websocket_url(self):
        """The output's host is AWS's or the operator's own. This is the same API and stage, where the emulator is."""
        host = self.emulator.endpoint.removeprefix("http://")
        return f"ws://{host}/_aws/execute-api/{self.resources['Gateway']}/prod"

    @property
    def rest_url(self):
        """The same of the API for business servers, whose only stage has no place in the path."""
        return f"{self.emulator.endpoint}/_aws/execute-api/{self.resources['RestGateway']}/v4"

    @property
    def functions(self):
        """Logical ID to configuration of each function."""
        client = self.emulator.client("lambda")
        kinds = self.cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        return {
            each["LogicalResourceId"]: client.get_function_configuration(FunctionName=each["PhysicalResourceId"])
            for each in kinds if each["ResourceType"] == "AWS::Lambda::Function"
        }

    @property
    def log(self):
        """Everything that the functions have written."""
        logs = self.emulator.client("logs")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=self.resources["Logs"])
        return [event["message"] for page in pages for event in page["events"]]

    @property
    def lines(self):
        """Those of its messages that are objects."""
        return [json.loads(message) for message in self.log if message.startswith("{")]
