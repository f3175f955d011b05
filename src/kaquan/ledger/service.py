"""The ledger for everybody else: balances, journal, roll-up, proofs, totals, export."""

from kaquan.ledger import store
from kaquan.ledger.balances import Balance, OwnerBalance, balances, owner_balances
from kaquan.ledger.clearing import Position, positions
from kaquan.ledger.discounts import Discount, discounts
from kaquan.ledger.export import export
from kaquan.ledger.proofs import PROOFS, Proof, proofs, prove
from kaquan.ledger.rollup import Rolled, roll_up
from kaquan.ledger.summary import Totals, totals

latest = store.latest
page = store.page
rollup_state = store.rollup_state
transfer = store.transfer

__all__ = [
    "PROOFS",
    "Balance",
    "Discount",
    "OwnerBalance",
    "Position",
    "Proof",
    "Rolled",
    "Totals",
    "balances",
    "discounts",
    "export",
    "latest",
    "owner_balances",
    "page",
    "positions",
    "proofs",
    "prove",
    "roll_up",
    "rollup_state",
    "totals",
    "transfer",
]
