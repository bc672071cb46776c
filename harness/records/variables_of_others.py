# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What others named of the table of environment variables: libraries, vendors, platforms."""

from bringup.harness.records import variable_names as names
from bringup.harness.records.variable import Variable
from bringup.harness.records.variable_values import anything, name, path, whole

OTHERS = (
    Variable(
        names.DESCRIPTOR_VARIABLE,
        "the Tenstorrent plugin's system descriptor",
        anything,
        "harness/devices",
        otherwise="made for the device",
    ),
    Variable(names.JAX_PLATFORMS_VARIABLE, "jax's", anything, "harness/devices", otherwise="cpu"),
    Variable(
        names.XLA_LOG_LEVEL_VARIABLE,
        "what XLA prints",
        anything,
        "harness/devices",
        otherwise="2, errors only",
    ),
    Variable(
        names.THREADS_VARIABLE,
        "threads of a process",
        anything,
        "others",
        otherwise="its share of the cores",
    ),
    Variable(names.PYTHONPATH_VARIABLE, "Python's", anything, "harness/device_host"),
    Variable(names.XDIST_WORKER_VARIABLE, "pytest-xdist's", anything, "harness/pytest_plugin.py"),
    Variable(
        names.XDIST_WORKERS_VARIABLE,
        "pytest-xdist's",
        whole("a number of workers", 1),
        "harness/op_by_op",
        default="1",
    ),
    Variable(names.DOCKER_FOLDER_VARIABLE, "files, as CI mounts them", anything, "harness/files"),
    Variable(names.DOCKER_ROOT_VARIABLE, "likewise", anything, "harness/files"),
    Variable(
        names.LOCAL_FILES_VARIABLE,
        "where files are kept",
        anything,
        "harness/files",
        otherwise="~/.cache/lfcache",
    ),
    Variable(
        names.MIRROR_VARIABLE,
        "where files are downloaded from",
        anything,
        "harness/files",
        otherwise="nowhere",
    ),
    Variable(names.S3_ADDRESS_VARIABLE, "the S3 service of a mirror at s3://", anything, "others"),
    Variable(names.S3_KEY_VARIABLE, "who we are there", anything, "others", secret=True),
    Variable(names.S3_SECRET_VARIABLE, "likewise", anything, "others", secret=True),
    Variable(names.S3_TOKEN_VARIABLE, "likewise", anything, "others", secret=True),
    Variable(
        names.GITHUB_OUTPUT_VARIABLE,
        "where a job of GitHub Actions leaves its outputs",
        path,
        "pipeline/planning",
        otherwise="nobody is told",
    ),
    Variable(
        names.GITHUB_RUN_VARIABLE,
        "names a run of several jobs",
        name,
        "pipeline/run_names.py",
    ),
    Variable(
        names.CARDS_VARIABLE,
        "the Tenstorrent cards that are ours, with commas",
        anything,
        "harness/devices/backends/tenstorrent_install.py",
        otherwise="all that the driver has",
    ),
    Variable(
        names.METAL_CARDS_VARIABLE,
        "the same, where TT_VISIBLE_DEVICES is not set",
        anything,
        "harness/devices/backends/tenstorrent_install.py",
    ),
    Variable(
        names.GPUS_VARIABLE,
        "the GPUs that are ours, with commas",
        anything,
        "harness/devices/kinds/cuda.py",
        otherwise="all that the driver has",
    ),
    Variable(
        names.GITHUB_EVENT_VARIABLE,
        "the event that started a job, for PyTorch's HUD to get back",
        path,
        "reports/messages",
        otherwise="the run is a nightly of our own",
    ),
    Variable(
        names.CRCR_VARIABLE,
        "the PyTorch commit that a nightly of our own tested, for PyTorch's HUD",
        name,
        "reports/messages",
        otherwise="whoever sends the callback says it",
    ),
    Variable(
        names.GITHUB_API_VARIABLE,
        "where artifacts of a run are asked for",
        anything,
        "pipeline/history/imports",
        otherwise="GitHub's own",
    ),
    Variable(
        names.GITHUB_TOKEN_VARIABLE,
        "who asks for them",
        anything,
        "pipeline/history/imports",
        secret=True,
    ),
    Variable(
        names.GH_TOKEN_VARIABLE,
        "the same, where GITHUB_TOKEN is not set",
        anything,
        "pipeline/history/imports",
        secret=True,
    ),
)
PREFIXED = (
    Variable(
        names.PLUGIN_PREFIX,
        "with a plugin's name behind it: the library of a PJRT plugin",
        path,
        "harness/devices",
        is_path=True,
    ),
    Variable(
        names.S3_PREFIX,
        "with an option's name behind it: what s3fs takes for a mirror at s3://",
        anything,
        "others",
        secret=True,
    ),
)
"""Variables whose names are made up by whoever sets them, by what they begin with."""
