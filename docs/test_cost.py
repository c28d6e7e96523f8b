"""python3 docs/test_cost.py"""

import contextlib
import io
import unittest
from unittest import mock

import cost

DEFAULTS = {name: value[0] for name, value in cost.ASSUMPTIONS.items()}


class Cost(unittest.TestCase):
    def test_the_documents_have_the_figures_that_are_computed(self):
        self.assertEqual(cost.main(["--check"]), 0)

    def test_another_price_is_noticed(self):
        prices = {**cost.PRICES, "messages": ((2.00, 2.00), True, "2026-11", "", "")}
        with mock.patch.object(cost, "PRICES", prices), contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(cost.main(["--check"]), 1)

    def test_a_million_messages_and_nothing_else_are_what_the_budget_says(self):
        nothing = dict.fromkeys(("marks", "pages", "sessions", "first", "talks"), 0)
        _, used = cost.month({**DEFAULTS, **nothing, "users": 1_000_000, "days": 1, "messages": 1, "online": 1})
        self.assertEqual([used[name] for name in ("writes", "reads", "messages", "requests")], [1, 3, 3, 1])

    def test_a_minute_of_an_attack_costs_what_its_units_and_frames_do(self):
        free = {**DEFAULTS, **dict.fromkeys(("base_ms", "cold", "trip_ms", "log_bytes", "frame_bytes"), 0)}
        for measured, expected in [
            ((10**6, 0, 0, 0), 1.00), ((0, 10**6, 0, 0), 0.20), ((0, 0, 10**6, 0), 0.625), ((0, 0, 0, 10**6), 0.125),
        ]:
            names = ("frames", "invocations", "writes", "reads")
            self.assertAlmostEqual(sum(cost.attack(free, **dict(zip(names, measured))).values()), expected)

    def test_an_attack_that_looks_like_a_month_costs_what_the_month_does(self):
        rows, used = cost.month(DEFAULTS)
        bill, trips = cost.bill(used), 0.0
        for _, _, times, budget, k, *_ in cost.operations(DEFAULTS):
            trips += times * cost.unit_costs(budget, k, cost.budgets())[3]
        frames, invocations, writes, reads = (used[name] * 1e6 for name in ("messages", "requests", "writes", "reads"))
        attack = cost.bill(cost.served(DEFAULTS, frames, invocations, writes, reads, trips))
        for name in ("messages", "requests", "gb_seconds", "writes", "reads", "logs"):
            self.assertAlmostEqual(attack[name], bill[name], msg=name)

    def test_a_million_pictures_are_what_the_budget_and_their_bytes_say(self):
        a = {**DEFAULTS, "users": 1_000_000, "days": 1, "messages": 1, "pictures": 1, "history": 2,
             "picture_bytes": 1000, "large_bytes": 100, "small_bytes": 10, "views": 4, "openings": 1,
             "picture_row_bytes": 1124, "row_bytes": 124}
        used = cost.pictures(a)
        self.assertEqual([used[name] for name in ("writes", "reads", "messages", "requests")], [0, 0, 2, 1])
        self.assertEqual(cost.pictures({**a, "picture_row_bytes": 1125})["writes"], 1)
        self.assertEqual([used[name] for name in ("puts", "gets", "edge_requests")], [3, 5, 8])
        for name, gigabytes in (("edge_in", 1.11), ("media_storage", 2.22), ("edge_out", 1.4), ("storage", 2)):
            self.assertAlmostEqual(used[name], gigabytes, msg=name)

    def test_without_pictures_nothing_is_used_for_them(self):
        self.assertFalse(any(cost.pictures({**DEFAULTS, "pictures": 0}).values()))
        self.assertFalse(any(cost.month(DEFAULTS)[1][name] for name in ("puts", "gets", "media_storage", "edge_out")))

    def test_a_million_messages_in_a_group_are_what_the_budget_and_its_members_say(self):
        names = ("writes", "reads", "messages", "requests")
        alone = cost.to_group(DEFAULTS, 10**6, 5, 0.5, 0)
        self.assertEqual([alone[name] for name in names], [2, 3.5, 4, 1])
        talk = cost.to_group(DEFAULTS, 10**6, 5, 0.5, 1)
        self.assertEqual([talk[name] for name in names], [2, 1.5, 4, 1])
        for name in names:
            both = cost.to_group(DEFAULTS, 10**6, 5, 0.5, 0.25)[name]
            self.assertAlmostEqual(both, 0.75 * alone[name] + 0.25 * talk[name], msg=name)

    def test_the_groups_of_a_month_are_messages_marks_lists_and_storage(self):
        a = {**DEFAULTS, "users": 1_000_000, "days": 1, "group_messages": 1, "members": 5, "group_online": 0.5, "believed": 0,
             "group_marks": 0.5, "sessions": 1, "my_groups": 4, "history": 2, "row_bytes": 1000}
        used = cost.groups(a)
        self.assertEqual([used[name] for name in ("writes", "messages", "requests")], [2 + 1, 4 + 1, 1 + 1])
        self.assertEqual(used["reads"], 3.5 + 1 + (1 + 4 / 2))
        self.assertEqual((used["storage"], used["backup"]), (2, 2))

    def test_without_groups_nothing_is_used_for_them(self):
        self.assertFalse(any(cost.groups({**DEFAULTS, "group_messages": 0, "my_groups": 0}).values()))

    def test_what_a_business_server_asks_costs_a_request_a_gigabyte_and_its_budget(self):
        free = {**DEFAULTS, **dict.fromkeys(("cold", "log_bytes", "frame_bytes"), 0), "base_ms": 1000, "trip_ms": 0}
        lines = cost.budgets() | {"one": ["2", "3", "5"]}
        with mock.patch.object(cost, "budgets", lambda: lines):
            used = cost.commands(free, 10**6, cost.command("one", 1), 1)
            self.assertEqual([used[name] for name in ("rest", "messages", "writes", "reads")], [1, 1, 2, 3.5])
            self.assertEqual(used["gb_seconds"], 1)
            later = cost.commands({**free, "trip_ms": 1000}, 10**6, cost.command("one", 1), 1)
            self.assertEqual(later["gb_seconds"], 1 + 5 + 1 + 1, "a frame is a round trip")

    def test_a_callback_takes_as_long_as_its_business_server(self):
        free = {**DEFAULTS, **dict.fromkeys(("base_ms", "cold", "trip_ms"), 0), "answer_ms": 1000, "memory": 1024}
        before, after = cost.callbacks(free, 10**6), cost.callbacks(free, 10**6, "ping")
        self.assertEqual([each["gb_seconds"] for each in (before, after)], [1, 1])
        self.assertEqual([each["requests"] for each in (before, after)], [0, 1], "a send waits in its own function")

    def test_a_cell_of_the_budgets_is_a_number(self):
        for cell, number in (("0.5 + K/2", 5.5), ("2K", 20), ("K/2", 5), ("+0", 0), ("2, for up to 32 of them", 2)):
            self.assertEqual(cost.amount(cell, 10), number, cell)
        self.assertEqual(cost.amount("1 + N/2", N=50), 26)
        self.assertEqual(cost.amount("1.5 + G/2 + K", 3, G=4), 6.5)
        with self.assertRaises(KeyError):
            cost.amount("2 + D")


if __name__ == "__main__":
    unittest.main()
