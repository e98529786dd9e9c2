"""The executable: its files, its seed, its end, its certificates."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from .testvault import START_SECONDS, running


def test_a_seed_has_values_attributes_and_versions(binary: str, tmp_path: Path) -> None:
    seed = {
        "vaults": {
            "default": {
                "bare": "just a value",
                "full": {"value": "v", "enabled": False, "exp": 1_000_000_000, "tags": {"a": "b"}},
                "rotated": [{"value": "old"}, {"value": "new", "contentType": "text/plain"}],
            },
            "acme-prod": {"key": "of acme"},
        }
    }
    path = tmp_path / "seed.json"
    path.write_text(json.dumps(seed))
    with running(binary, tmp_path, "--seed", str(path)) as control:
        token, trust = control.token(), ssl.create_default_context(cafile=control.endpoints.ca_file)

        def get(path: str, host: str = "localhost") -> str:
            request = urllib.request.Request(f"{control.endpoints.vault_url}{path}?api-version=7.4")
            request.add_header("Authorization", f"Bearer {token}")
            request.add_header("Host", host)
            try:
                with urllib.request.urlopen(request, context=trust, timeout=10) as answer:
                    return str(json.load(answer)["value"])
            except urllib.error.HTTPError as error:
                return str(json.load(error)["error"]["innererror"]["code"])

        assert get("/secrets/bare") == "just a value"
        assert get("/secrets/full") == "SecretDisabled"
        assert get("/secrets/rotated") == "new"
        assert get("/secrets/key", host="acme-prod.vault.azure.net") == "of acme"


@pytest.mark.parametrize("seed", ["{", '{"vault": {}}', '{"vaults": {"default": {"under_score": "v"}}}'])
def test_a_bad_seed_is_an_error_at_the_start(binary: str, tmp_path: Path, seed: str) -> None:
    path = tmp_path / "seed.json"
    path.write_text(seed)
    command = [binary, "--dir", str(tmp_path), "--seed", str(path)]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=START_SECONDS, check=False
    )
    assert ended.returncode == 1
    assert not (tmp_path / "endpoints.json").exists()


@pytest.mark.parametrize("end", ["SIGTERM", "standard input"])
def test_it_ends_when_it_is_told_to_or_its_parent_is_gone(binary: str, tmp_path: Path, end: str) -> None:
    command = [binary, "--dir", str(tmp_path), "--exit-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stdin is not None
        assert b"ready" in process.stderr.readline()
        assert (tmp_path / "endpoints.json").exists()
        if end == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        else:
            process.stdin.close()
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("leaf", ["self-signed", "wrong-name", "expired"])
def test_a_bad_certificate_is_refused(binary: str, tmp_path: Path, leaf: str) -> None:
    with running(binary, tmp_path, "--leaf", leaf) as control:
        trust = ssl.create_default_context(cafile=control.endpoints.ca_file)
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(f"{control.endpoints.vault_url}/healthstatus", context=trust, timeout=10)


def test_the_control_api_says_what_is_wrong(binary: str, tmp_path: Path) -> None:
    with running(binary, tmp_path) as control:
        with pytest.raises(ValueError, match="unknown variant `nonsense`"):
            control.fault("nonsense")
        with pytest.raises(ValueError, match="unknown field"):
            control.fault("throttled", retryafter=5)
        with pytest.raises(ValueError, match="there is no GET /nowhere"):
            control.call("GET", "/nowhere")
        with pytest.raises(ValueError, match="a secret's name is 1 to 127 letters"):
            control.put("under_score", "v")
