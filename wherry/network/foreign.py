"""Other tools' firewalls: an accept of ours does not override their `policy drop`.

dockerd sets FORWARD to drop and offers DOCKER-USER for exceptions: marked accept rules go there.
For the others there is one warning with the remedy.
"""

import logging
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from wherry.linux.nftables import NftablesError
from wherry.network.firewall import Firewall

_log = logging.getLogger(__name__)

LEGACY_TABLES = Path("/proc/thread-self/net/ip_tables_names")
"""Tables of the old iptables in the kernel, which nftables does not show."""

USER_CHAIN = "DOCKER-USER"

_REMEDIES = {
    "ufw": "ufw route allow in on {bridge} && ufw route allow out on {bridge}",
    "firewalld": "firewall-cmd --permanent --zone=trusted --add-interface={bridge} && "
    "firewall-cmd --reload",
}


class ForeignFirewalls:
    """Finds tables that drop what bridges forward; opens them where their owners allow it."""

    def __init__(self, firewall: Firewall, instance: str) -> None:
        """`instance` marks the rules that are ours in other tools' chains."""
        self._firewall = firewall
        self._mark = f"{instance}:forward"
        self._opened: set[tuple[str, str]] = set()
        self._warned: set[str] = set()

    def open_for(self, bridge: str, *, ipv6: bool = False) -> list[str]:
        """Lets a bridge's traffic pass; the lines say what only the user can do.

        Chains that see IPv6 alone do not matter to a bridge without it.
        """
        if not self._firewall.enabled:
            return []
        chains = self._firewall.chains()
        dropping = [
            chain
            for chain in chains
            if _drops_forwarded(chain) and (ipv6 or chain.get("family") != "ip6")
        ]
        warnings = []
        for chain in dropping:
            family, table = str(chain["family"]), str(chain["table"])
            if any(_is_user_chain(other, family, table) for other in chains):
                self._accept(family, table, bridge)
            else:
                warnings.append(_warning(chain, chains, bridge))
        if _legacy_drops():
            warnings.append(
                f"iptables-legacy drops forwarded packets, so containers on {bridge} reach nothing "
                f"outside; allow them: iptables-legacy -I FORWARD -i {bridge} -j ACCEPT && "
                f"iptables-legacy -I FORWARD -o {bridge} -j ACCEPT"
            )
        if not dropping and any(chain.get("table") == "firewalld" for chain in chains):
            warnings.append(
                f"firewalld is active and may reject what {bridge} forwards; if it does: "
                + _REMEDIES["firewalld"].format(bridge=bridge)
            )
        fresh = [line for line in warnings if line not in self._warned]
        self._warned.update(fresh)
        return fresh

    def close_for(self, bridge: str) -> None:
        """Removes our rules for a bridge from other tools' chains."""
        for chain in self._firewall.chains() if self._firewall.enabled else ():
            if chain.get("name") == USER_CHAIN:
                self._remove(str(chain["family"]), str(chain["table"]), bridge)

    def _accept(self, family: str, table: str, bridge: str) -> None:
        self._remove(family, table, bridge)
        comment = f'comment "{self._mark}:{bridge}"'
        commands = "".join(
            f'insert rule {family} {table} {USER_CHAIN} {end} "{bridge}" counter accept {comment}\n'
            for end in ("iifname", "oifname")
        )
        try:
            self._firewall.run_foreign(commands)
        except NftablesError as error:
            _log.warning("cannot add accept rules to chain %s: %s", USER_CHAIN, error.text)

    def _remove(self, family: str, table: str, bridge: str) -> None:
        try:
            handles = [
                rule["handle"]
                for rule in self._firewall.rules_of(family, table, USER_CHAIN)
                if rule.get("comment") == f"{self._mark}:{bridge}"
            ]
            if handles:
                self._firewall.run_foreign(
                    "".join(
                        f"delete rule {family} {table} {USER_CHAIN} handle {handle}\n"
                        for handle in handles
                    )
                )
        except NftablesError as error:
            _log.debug("cannot clean chain %s: %s", USER_CHAIN, error.text)


def _legacy_drops() -> bool:
    """Whether the old iptables is in use and its FORWARD chain drops by default."""
    program = shutil.which("iptables-legacy")
    try:
        if program is None or "filter" not in LEGACY_TABLES.read_text().split():
            return False
        listed = subprocess.run(
            [program, "-S", "FORWARD"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.debug("cannot ask iptables-legacy for its policy: %s", error)
        return False
    return "-P FORWARD DROP" in listed.stdout


def _drops_forwarded(chain: dict[str, object]) -> bool:
    return chain.get("hook") == "forward" and chain.get("policy") == "drop"


def _is_user_chain(chain: dict[str, object], family: str, table: str) -> bool:
    return (chain.get("family"), chain.get("table"), chain.get("name")) == (
        family,
        table,
        USER_CHAIN,
    )


def _warning(chain: dict[str, object], chains: Sequence[dict[str, object]], bridge: str) -> str:
    where = f"{chain['family']} {chain['table']} {chain['name']}"
    names = {str(other.get("name")) for other in chains}
    if chain["table"] == "firewalld":
        remedy = _REMEDIES["firewalld"]
    elif any(name.startswith("ufw") for name in names):
        remedy = _REMEDIES["ufw"]
    else:
        remedy = (
            f"nft insert rule {where} iifname {{bridge}} accept && "
            f"nft insert rule {where} oifname {{bridge}} accept"
        )
    return (
        f"chain {where} drops forwarded packets, so containers on {bridge} reach nothing outside; "
        f"allow them: {remedy.format(bridge=bridge)}"
    )
