"""What can go wrong below the capabilities. All are faults: nobody's request is to blame."""

from kaquan.kernel.refusal import Fault


class DatabaseFault(Fault):
    """The database cannot be found, started or reached; the message says what was seen and what to do."""


class BinariesMissing(DatabaseFault):
    """No PostgreSQL that fits is installed; the message says what was looked at."""


class MigrationFault(Fault):
    """The schema is not what the numbered files say; the message names the file and the facts."""


class QueryFileFault(Fault):
    """A `queries.sql` is malformed; the message names the file and the line."""
