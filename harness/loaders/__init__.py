# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Repositories of model loaders in the shape of tt-forge-models: every loader is tests.

A repository is found (:mod:`repository`) and its loaders' variants read (:mod:`declared`) without
importing anything of it; pytest is given a module of tests for each (:mod:`collecting`), and only a
test that runs imports its loader (:mod:`importing`, :mod:`tester`).
"""
