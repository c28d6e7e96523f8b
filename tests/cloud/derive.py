"""The template for the emulator: the one that `sam build` wrote, but for what docs/cloud-test.md names."""

import sys
from pathlib import Path

import yaml

# CloudFormation's short forms, `!Ref` for example, stay what they are: only plain values are looked at.
class Loader(yaml.SafeLoader):
    pass


class Dumper(yaml.SafeDumper):
    pass


class Tagged:
    def __init__(self, tag, node):
        self.tag, self.node = tag, node


Loader.add_multi_constructor("!", lambda loader, suffix, node: Tagged(f"!{suffix}", node))
Dumper.add_representer(Tagged, lambda dumper, tagged: tagged.node)


def derive(template, endpoint):
    resources = template["Resources"]
    # The emulator has no such resource, and answers on every route.
    for name in [name for name, each in resources.items() if each["Type"] == "AWS::ApiGatewayV2::RouteResponse"]:
        del resources[name]
    # The host that the API has in AWS leads nowhere here.
    connections = {"Fn::Sub": endpoint + "/_aws/execute-api/${Gateway}/${StageName}"}
    template["Globals"]["Function"]["Environment"]["Variables"]["CONNECTIONS_ENDPOINT"] = connections
    return template


def main(built, derived, endpoint):
    template = yaml.load(Path(built).read_text(encoding="utf-8"), Loader)
    text = yaml.dump(derive(template, endpoint), Dumper=Dumper, sort_keys=False)
    Path(derived).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
