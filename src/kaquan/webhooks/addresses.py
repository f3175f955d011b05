"""Which URLs and addresses a webhook may go to. Pure.

Whoever names a URL must not make us speak to machines that only we can reach. A name is therefore looked up first,
every address of it is judged, and the connection goes to an address that was judged, never to the name.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from kaquan.kernel.refusal import Refusal
from kaquan.webhooks import errors
from kaquan.webhooks.model import Reach

URL_LENGTH_MAX = 500
PORTS = {"https": (443, 8443), "http": (80,)}
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?")
_TARGET = re.compile(r"[!$-;=?-Z_a-z~@\[\]%]*")  # printable ASCII that needs no escaping in a request line

_METADATA = frozenset(map(ip_address, ("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254")))
"""Where clouds tell a machine its own secrets; one of them looks like a public address."""

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""What a network without IPv4 makes of public IPv4 addresses (RFC 6052)."""


class Target(NamedTuple):
    """A URL in its parts. `host` is in lower case and without brackets; `path` begins with / and has the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


def target(url: str, reach: Reach) -> Target | Refusal:
    """Where a URL leads, as far as its text tells, or why webhooks don't go there."""
    invalid = Refusal(errors.ENDPOINT_URL_INVALID, {"length_max": URL_LENGTH_MAX})
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return invalid
    host = (parts.hostname or "").lower()
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and "#" not in url
    if not plain or len(url) > URL_LENGTH_MAX or "@" in parts.netloc or not (_HOST.fullmatch(host) or _literal(host)):
        return invalid
    if parts.scheme not in (("https", "http") if reach.http else ("https",)):
        return invalid
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _TARGET.fullmatch(path):
        return invalid
    port = PORTS[parts.scheme][0] if port is None else port
    if port < 1 or (port not in PORTS[parts.scheme] and not reach.private):
        return Refusal(errors.ENDPOINT_PORT_REFUSED, {"port": port})
    literal = _literal(host)
    if literal is not None and not permitted(literal, reach):
        return Refusal(errors.ENDPOINT_ADDRESS_REFUSED, {"host": host})
    return Target(parts.scheme, host, port, path)


def judged(host: str, addresses: Sequence[str], reach: Reach) -> tuple[str, ...] | Refusal:
    """The addresses of a host if every one is permitted: one that is not makes the name suspect."""
    if not addresses:
        return Refusal(errors.ENDPOINT_HOST_UNKNOWN, {"host": host})
    read = [_literal(address) for address in addresses]
    if any(one is None or not permitted(one, reach) for one in read):
        return Refusal(errors.ENDPOINT_ADDRESS_REFUSED, {"host": host})
    return tuple(dict.fromkeys(str(one) for one in read))


def permitted(address: IPv4Address | IPv6Address, reach: Reach) -> bool:
    """Whether a webhook may be sent to an address: a public one, or any of a machine where that is allowed.

    An IPv6 address that stands for an IPv4 address is refused, but for the form that a network without IPv4 needs.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return reach.private and permitted(address.ipv4_mapped, reach)
    if address.is_multicast or reach.private:
        return not address.is_multicast
    if isinstance(address, IPv6Address):
        if address in _TRANSLATED:
            return permitted(IPv4Address(int(address) & 0xFFFFFFFF), reach)
        if address.sixtofour is not None or address.teredo is not None or address.is_site_local:
            return False
    return address not in _METADATA and address.is_global and not address.is_reserved


def _literal(text: str) -> IPv4Address | IPv6Address | None:
    """An address in its usual form, without a zone."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None
