"""The template for the emulator: the one that `sam build` wrote, but for what docs/cloud-test.md names."""

import json
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse


def on_attributes(pattern):
    """A filter of a stream, in which an attribute is missing where its type in it was. The emulator finds no type where there is no
    attribute."""
    if not isinstance(pattern, dict):
        return pattern
    is_absent = {name: list(each.values()) == [[{"exists": False}]] for name, each in pattern.items() if isinstance(each, dict)}
    return {name: [{"exists": False}] if is_absent.get(name) else on_attributes(each) for name, each in pattern.items()}


def derive(built: Path, emulator) -> Path:
    template = yaml_parse(built.read_text(encoding="utf-8"))
    resources = template["Resources"]
    # The emulator has no such resource, and answers on every route.
    for name in [name for name, each in resources.items() if each["Type"] == "AWS::ApiGatewayV2::RouteResponse"]:
        del resources[name]
    for each in resources.values():
        for criterion in each.get("Properties", {}).get("FilterCriteria", {}).get("Filters", []):
            criterion["Pattern"] = json.dumps(on_attributes(json.loads(criterion["Pattern"])))
    # The host that the API has in AWS leads nowhere here.
    connections = {"Fn::Sub": emulator.endpoint + "/_aws/execute-api/${Gateway}/${StageName}"}
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    variables["CONNECTIONS_ENDPOINT"] = connections
    # A business server of a test has a certificate that no other authority gives.
    variables["SSL_CERT_FILE"] = str(emulator.authority_file)
    # Every JSON is YAML as well.
    derived = built.with_name("emulator.yaml")
    derived.write_text(json.dumps(template, indent=2), encoding="utf-8")
    return derived
