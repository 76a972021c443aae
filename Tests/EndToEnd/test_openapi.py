"""schemathesis makes requests from the API description and holds the live server against it."""

import os
import pathlib
import subprocess
import sys

from server import Server


def test_schemathesis(tmp_path):
    """As the administrator, who may do everything."""
    key_file = tmp_path / "admin"
    key_file.write_text("administrator\n")
    key_file.chmod(0o600)
    with Server("--admin-key-file", str(key_file)) as server:
        check(server, tmp_path)
        assert server.is_healthy()


def check(server, tmp_path):
    here = pathlib.Path(__file__).parent
    command = [
        pathlib.Path(sys.executable).with_name("schemathesis"), f"--config-file={here / 'schemathesis.toml'}", "run", f"{server.url}/openapi.yaml", "--checks=all",
        "--max-examples=60", "--phases=examples,coverage,fuzzing", "--seed=1", "--request-timeout=10", "--no-color",
        "--suppress-health-check=all", "--generation-database=none", "--workers=2", "--max-time=30",
        "--header=Authorization: Bearer administrator",
    ]  # fmt: skip
    environment = os.environ | {"NO_PROXY": "127.0.0.1"}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout[-12_000:] + result.stderr[-2000:]
