#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Questions with a small sum instead of a password: enough to show rounds, echo and the result."""
import json
import random
import sys


def ask(*questions, instruction=""):
    """One round: questions that may be seen, and their answers."""
    print(json.dumps({"instruction": instruction, "questions": list(questions), "echos": [True] * len(questions)}), flush=True)
    return [sys.stdin.readline().rstrip("\n") for _ in questions]


a, b = random.randint(1, 9), random.randint(1, 9)
(total,) = ask(f"{a} + {b} = ", instruction="A sum first")
right = total == str(a + b)
name, colour = ask("Your name: ", "Your colour: ")
print(json.dumps({"auth_result": 1 if right and name and colour == "blue" else -1}), flush=True)
