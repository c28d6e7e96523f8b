"""What `sam local invoke` passes on to each function: SAM's own resolver over the template and the file."""

import json
import re
import unittest
from pathlib import Path

from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
FILE = json.loads((ROOT / "local/env-vars.json").read_text(encoding="utf-8"))
NO_VALUE = {"Ref": "AWS::NoValue"}
LAPTOP = re.compile(r"http://(127\.0\.0\.1|localhost):84\d\d(/|$)")


def environments():
    stacks, _ = SamLocalStackProvider.get_stacks(template_file=str(ROOT / "template.yaml"))
    functions = SamFunctionProvider(stacks, use_raw_codeuri=True, ignore_code_extraction_warnings=True)
    runner = LocalLambdaRunner(None, functions, str(ROOT), None, None, env_vars_values=FILE)
    return {function.name: runner._make_env_vars(function).resolve() for function in functions.get_all()}


class InvokeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.environments = environments()

    def test_every_function_talks_to_this_machine_and_nobody_else(self):
        self.assertEqual(len(self.environments), len(list((ROOT / "functions/src/bin").glob("*.rs"))))
        for name, environment in self.environments.items():
            for variable in ["AWS_ENDPOINT_URL", "CONNECTIONS_ENDPOINT"]:
                self.assertRegex(environment.get(variable, ""), LAPTOP, f"{name}: {variable}")

    def test_every_variable_of_the_file_reaches_a_function(self):
        reached = {(name, value) for each in self.environments.values() for name, value in each.items()}
        for name, value in FILE["Parameters"].items():
            self.assertIn((name, value), reached)

    def test_who_checks_signatures_has_the_key_and_nobody_else(self):
        key = FILE["Parameters"]["USERSIG_KEY"]
        holders = [name for name, each in self.environments.items() if key in each.values()]
        self.assertEqual(holders, ["Authorizer", "Rest"])

    def test_a_deployment_has_neither_an_endpoint_nor_a_key_among_its_variables(self):
        template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
        functions = [template["Globals"]["Function"], *(each["Properties"] for each in template["Resources"].values())]
        for each in functions:
            variables = each.get("Environment", {}).get("Variables", {})
            for name in ["AWS_ENDPOINT_URL", "USERSIG_KEY"]:
                self.assertEqual(variables.get(name, NO_VALUE), NO_VALUE)

    def test_no_credentials_of_an_account_are_passed_on(self):
        for name, environment in self.environments.items():
            for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]:
                self.assertEqual(environment[variable], "local", f"{name}: {variable}")
            self.assertEqual(environment.get("AWS_SESSION_TOKEN", "local"), "local", name)


if __name__ == "__main__":
    unittest.main()
