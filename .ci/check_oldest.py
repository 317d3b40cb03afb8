"""Fail where what is installed is newer than the lower bounds in pyproject.toml.

The resolver goes on to a newer version where the oldest does not fit the others: then the bound is
one that nobody can have, and nobody has tested.
"""

import sys
from importlib.metadata import requires, version

from packaging.requirements import Requirement
from packaging.version import Version

wrong = []
for text in requires("dali-voc") or []:
    requirement = Requirement(text)
    if requirement.marker and not requirement.marker.evaluate({"extra": "test"}):
        continue
    for specifier in requirement.specifier:
        found, bound = Version(version(requirement.name)), Version(specifier.version)
        if found.release[: len(bound.release)] != bound.release:
            wrong.append(f"{requirement.name}: {found} is installed, expected {bound}")
if wrong:
    sys.exit("pyproject.toml allows versions that cannot be had together:\n" + "\n".join(wrong))
