"""``examples/live``: the cases of a run in which the account has other policies than the files.

``python tests/live/live_example.py`` writes them anew.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from click.testing import CliRunner, Result
from deciding import Told, rightly
from iam_server import IamServer

from tenantproof.cli import main

ROOT = Path(__file__).parents[2]
MANIFEST = "examples/company-a-b/leaky"
CASES = "examples/live"
DEPLOYED = {
    f"arn:aws:iam::111122223333:role/{name}": ROOT / "examples" / "company-a-b" / f"{name}.json"
    for name in ("company_a", "company_b")
}
"""What the principals have in the account: the slip is repaired there, and not in the files."""


def deployed(parameters: dict[str, Any]) -> Told:
    """What the account says of its principals, and of policies that are sent what they say."""
    if "PolicySourceArn" not in parameters:
        return rightly(parameters)
    arn = parameters["PolicySourceArn"]
    text = json.dumps(json.loads(DEPLOYED[arn].read_text("utf-8")))
    return rightly({**parameters, "PolicyInputList": [text], "CallerArn": arn})


def ask(cases: str) -> Result:
    """A run in the project's folder, whose paths are in the cases."""
    with IamServer(deployed) as server:
        arguments = ["check", MANIFEST, "--live", "--live-principals", "--live-cases", cases]
        return CliRunner().invoke(main, [*arguments, "--endpoint-url", server.url])


def write() -> None:
    """Write the example."""
    os.chdir(ROOT)
    shutil.rmtree(CASES, ignore_errors=True)
    with patch.dict("os.environ", AWS_ACCESS_KEY_ID="AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY="none"):
        ask(CASES)


if __name__ == "__main__":
    sys.exit(write())
