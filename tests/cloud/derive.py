"""The template for the emulator: the one that `sam build` wrote, but for what docs/cloud-test.md names."""

import json
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse


def derive(built: Path, endpoint: str) -> Path:
    template = yaml_parse(built.read_text(encoding="utf-8"))
    resources = template["Resources"]
    # The emulator has no such resource, and answers on every route.
    for name in [name for name, each in resources.items() if each["Type"] == "AWS::ApiGatewayV2::RouteResponse"]:
        del resources[name]
    # The host that the API has in AWS leads nowhere here.
    connections = {"Fn::Sub": endpoint + "/_aws/execute-api/${Gateway}/${StageName}"}
    template["Globals"]["Function"]["Environment"]["Variables"]["CONNECTIONS_ENDPOINT"] = connections
    # Every JSON is YAML as well.
    derived = built.with_name("emulator.yaml")
    derived.write_text(json.dumps(template, indent=2), encoding="utf-8")
    return derived
