# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Ops drawn at random: a family has fields, and a choice gives each of them one of its values."""

import random
from collections.abc import Mapping
from typing import Any

Choice = dict[str, Any]
Domain = Mapping[str, list[Any]]


def drawn(rng: random.Random, domain: Domain) -> Choice:
    return {name: rng.choice(values) for name, values in domain.items()}


def mutated(rng: random.Random, choice: Choice, domain: Domain) -> Choice:
    """The same with one field changed."""
    name = rng.choice(sorted(domain))
    other = [v for v in domain[name] if repr(v) != repr(choice[name])]
    return choice | {name: rng.choice(other)}
