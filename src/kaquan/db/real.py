"""A PostgreSQL server that is not ours to start: what its application role must be."""

import psycopg

from kaquan.db.binaries import OLDEST_MAJOR
from kaquan.db.cluster import SCHEMA
from kaquan.db.errors import DatabaseFault


def check_app_role(url: str) -> None:
    """Raise `DatabaseFault` if the server is too old, or the role could rewrite history or lacks its guards."""
    try:
        with psycopg.connect(url) as conn:
            super_user, is_app, path = conn.execute(
                "SELECT r.rolsuper, EXISTS (SELECT FROM pg_roles m WHERE m.rolname = 'kaquan_app'"
                " AND pg_has_role(r.oid, m.oid, 'member')), current_setting('search_path')"
                " FROM pg_roles r WHERE r.rolname = current_user"
            ).fetchone() or (False, False, "")
            release = conn.info.server_version // 10_000
    except psycopg.Error as error:
        raise DatabaseFault(f"KAQUAN_DATABASE_URL cannot be reached: {error}") from error
    if release < OLDEST_MAJOR:
        raise DatabaseFault(f"The server is PostgreSQL {release}; {OLDEST_MAJOR} or newer is needed.")
    if super_user or not is_app or path != SCHEMA:
        raise DatabaseFault(
            "The role of KAQUAN_DATABASE_URL must be kaquan_app or a member of it, no superuser, with search_path = "
            f"kaquan (superuser: {super_user}, member: {is_app}, search_path: {path}). "
            "The statements for a real server stand in docs/decisions/0002."
        )
