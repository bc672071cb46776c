# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""What an error of SQLite, or of the file system below it, says of the database."""

import errno
import sqlite3

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_SQLITE_FORBIDDEN = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def is_forbidden(error: Exception) -> bool:
    """Does the file system let nobody, or not us, write here?"""
    if isinstance(error, OSError):
        return error.errno in _FORBIDDEN
    return _code(error) in _SQLITE_FORBIDDEN


def is_busy(error: sqlite3.Error) -> bool:
    """Did another process hold the database all the while?"""
    return _code(error) in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


def is_corrupt(error: sqlite3.Error) -> bool:
    """Is the file damaged, or no database, or without our table?"""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 where the error has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
