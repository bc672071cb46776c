# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""A real S3 service (moto's server) on this machine, with one bucket."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer


@contextlib.contextmanager
def s3_service(bucket: str) -> Iterator[str]:
    """The address of a service that has the bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    ).create_bucket(Bucket=bucket)
    try:
        yield endpoint
    finally:
        server.stop()


def variables_of(endpoint: str, home: Path) -> dict[str, str]:
    """The environment of who uses it, and nobody's own account."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(home),
    }
