"""Internet and web addresses: recognised and generated."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

import numpy as np

from synthgan._typing import Objects
from synthgan.columns.identifier import scrambled, to_slots
from synthgan.columns.personal.base import Look, regex
from synthgan.columns.personal.locale import Task, as_objects


def _is_ip(version: int) -> Callable[[str], bool]:
    def looks(text: str) -> bool:
        if text.count(".") != 3 and text.count(":") < 2:
            return False
        try:
            return ipaddress.ip_address(text).version == version
        except ValueError:
            return False

    return looks


INTERNET_LOOKS = (
    Look(
        personal="email",
        words="e-mail addresses",
        name=r"(?:^|_)e?_?mails?(?:_|$)|email|correo",
        telling=0.97,
        looks=regex(r"[^@\s<>(),;:]+@[^@\s.,;]+(?:\.[^@\s.,;]+)+"),
        unique=True,
    ),
    Look(
        personal="url",
        words="web addresses",
        name=r"(?:^|_)(?:url|website|web_?site|homepage|link|profile_?link)s?$",
        telling=0.95,
        looks=regex(r"(?:https?|ftp)://\S+|www\.[^\s.]+\.\S+", re.IGNORECASE),
        few_repeats=0.05,
        fewest=5,
        unique=True,
    ),
    Look(
        personal="ipv4",
        words="IP addresses",
        name=r"(?:^|_)ip(?:_?v?4)?(?:_|$)|ip_?addr",
        telling=0.8,
        looks=_is_ip(4),
        fewest=5,
        unique=True,
    ),
    Look(
        personal="ipv6",
        words="IP addresses",
        name=r"(?:^|_)ip(?:_?v?6)?(?:_|$)|ip_?addr",
        telling=0.9,
        looks=_is_ip(6),
        fewest=5,
        unique=True,
    ),
)

_FOR_DOCUMENTATION = as_objects(["192.0.2.", "198.51.100.", "203.0.113."])


def ipv4(task: Task) -> Objects:
    (net, host), rounds = scrambled(task.people, [3, 256], task.key)
    cells = _FOR_DOCUMENTATION[net] + host.astype(str).astype(object)
    later = np.flatnonzero(rounds)  # 768 addresses for documentation are few
    parts, _ = scrambled(task.people[later] - 768, [15, 256, 256, 256], task.key)
    cells[later] = [f"{240 + a}.{b}.{c}.{d}" for a, b, c, d in zip(*parts, strict=True)]
    return np.asarray(cells)


def ipv6(task: Task) -> Objects:
    return task.fill([*"2001:db8:", *to_slots("ffff:ffff"), *"::", *to_slots("ffff")])


def url(task: Task) -> Objects:
    pages = task.fill([*to_slots("aaaaaa"), "-", *to_slots("9999")])
    return np.asarray("https://example.org/" + pages)
