"""One list of dependencies: pyproject.toml, the locks and environment.yml agree."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {
    "requirements.lock": [*PROJECT["dependencies"], *EXTRAS["postgres"], *EXTRAS["dev"]],
    "requirements-spark.lock": EXTRAS["spark"],
}
# Packages that bring gigabytes of accelerator code: nothing here needs them.
TOO_HEAVY = re.compile(r"^(torch|tensorflow|jax|nvidia-|triton)")


def entries(lock: str) -> list[str]:
    """The locked packages, one string each with its hashes."""
    joined = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def pins(lock: str) -> dict[str, list[Requirement]]:
    """Canonical name → its pins (one for each marker)."""
    found: dict[str, list[Requirement]] = {}
    for entry in entries(lock):
        requirement = Requirement(entry.split("--hash")[0].strip())
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_declared_package_is_locked_at_a_version_that_fits(lock: str) -> None:
    locked = pins(lock)
    for text in LOCKS[lock]:
        declared = Requirement(text)
        versions = locked[canonicalize_name(declared.name)]
        for version in (next(iter(pin.specifier)).version for pin in versions):
            assert declared.specifier.contains(version), f"{text} is locked at {version}: run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_is_one_version_with_hashes(lock: str) -> None:
    for entry in entries(lock):
        assert re.match(r"[a-z0-9][a-z0-9._-]*==[^ ;]+ ", entry), f"not an exact pin: {entry[:60]}"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), f"no hash: {entry[:60]}"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_path(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|^\s*-e\b|^\s*--?(?!hash)[a-z]|@ |/(home|root|opt|tmp|work)/", text, flags=re.MULTILINE)


def test_the_default_install_is_light() -> None:
    heavy = [name for name in pins("requirements.lock") if TOO_HEAVY.match(name)]
    assert not heavy
    assert "pyspark" not in pins("requirements.lock")


def test_the_spark_lock_shares_its_versions_with_the_lock() -> None:
    base = {name: str(pin[0].specifier) for name, pin in pins("requirements.lock").items()}
    for name, pin in pins("requirements-spark.lock").items():
        assert base.get(name, str(pin[0].specifier)) == str(pin[0].specifier)


def test_conda_takes_python_and_pip_and_leaves_the_rest_to_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, by_pip = environment["dependencies"]
    assert [re.split(r"[ <>=]", entry)[0] for entry in conda] == ["python", "pip"]
    assert by_pip == {"pip": ["-r requirements.lock"]}
    python = Requirement(conda[0].replace(" ", ""))
    assert all(PROJECT["requires-python"].removeprefix(">=") <= str(bound.version) for bound in python.specifier)


def test_the_build_backend_is_locked() -> None:
    """An editable install without build isolation needs it in the environment."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    locked = pins("requirements.lock")
    for requirement in map(Requirement, build):
        assert requirement.specifier.contains(next(iter(locked[requirement.name][0].specifier)).version)
