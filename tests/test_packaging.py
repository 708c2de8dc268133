"""What is shipped: a wheel that has all that runs, and descriptions as their readers want them."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import textwrap
import tomllib
import venv
import zipfile
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[1]
SCHEMAS = {"action.yml": "vendor.github-actions", "CITATION.cff": "vendor.citation-file-format"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this project."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", str(ROOT)]
    subprocess.run([sys.executable, *build, "--wheel-dir", str(folder)], check=True)
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    sources = ROOT / "src"
    there = {
        str(path.relative_to(sources))
        for path in (sources / "cnnbench").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if name.startswith("cnnbench/")}
    assert shipped == there


def test_an_installed_wheel_measures_and_reports(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True)
    # What it needs is what this environment has; cnnbench itself is not found there by this path.
    (site,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    (site / "needed.pth").write_text(sysconfig.get_path("purelib"))
    variables = {
        "CNNBENCH_STORE": str(tmp_path / "runs.sqlite"),
        "CNNBENCH_CACHE_DIR": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
    }
    cnnbench = [tmp_path / "env" / "bin" / "cnnbench"]
    for words in (["run", "demo", "--launches", "1"], ["report", "--output", tmp_path / "page"]):
        done = subprocess.run(
            [*cnnbench, *words],
            env=os.environ | variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "page" / "index.html").exists()


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_description_is_as_its_schema_says(name: str) -> None:
    check = ["-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name]]
    done = subprocess.run(
        [sys.executable, *check, "--default-filetype", "yaml", ROOT / name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_workflow_that_the_documentation_shows_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "gate.md").read_text("utf-8")
    section = page.partition("## GitHub Actions\n\n")[2].partition("\n\nThe repository")[0]
    (tmp_path / "speed.yml").write_text(textwrap.dedent(section))
    check = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run(
        [sys.executable, *check, tmp_path / "speed.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_version_is_told_once(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert f"version: {project['version']}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"-{project['version']}-" in wheel.name


def test_the_cluster_of_the_examples_is_one_that_ray_s_launcher_takes() -> None:
    ray = importlib.util.find_spec("ray")
    assert ray is not None
    assert ray.origin is not None
    schema = json.loads((Path(ray.origin).parent / "autoscaler" / "ray-schema.json").read_text())
    cluster = yaml.safe_load((ROOT / "examples" / "fleet-ec2.yaml").read_text())
    jsonschema.validate(cluster, schema)
    for name, kind in cluster["available_node_types"].items():
        if name != cluster["head_node_type"]:
            assert kind["node_config"]["InstanceType"] == name
            assert kind["resources"][name] == 1, "--instance-type chooses nodes by this resource"


def test_the_task_of_the_examples_has_the_fields_that_skypilot_documents() -> None:
    task = yaml.safe_load((ROOT / "examples" / "fleet-sky.yaml").read_text())
    assert task.keys() <= {"name", "num_nodes", "resources", "envs", "setup", "run"}
    assert task["resources"].keys() <= {"infra", "instance_type", "accelerators", "disk_size"}


@pytest.mark.parametrize("part", ["setup", "run"])
def test_what_the_task_runs_is_a_script_that_a_shell_can_read(part: str) -> None:
    task = yaml.safe_load((ROOT / "examples" / "fleet-sky.yaml").read_text())
    subprocess.run(["bash", "-n", "-c", task[part]], check=True)
