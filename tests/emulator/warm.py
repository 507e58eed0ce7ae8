"""Importing this loads what a kernel needs, so that those forked from here have it already."""

from __future__ import annotations

import botocore.session
import requests

from tests.emulator import victim
from tests.unit.fake_aws import MODELS

__all__ = ["requests", "victim"]

_session = botocore.session.Session()
_session.register_component("data_loader", MODELS)
for _service in ("ec2", "ecs", "ecr", "sts"):
    _session.create_client(_service, region_name="us-east-1")
