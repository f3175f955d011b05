"""Organisations, merchants, stores: who takes part, where they are paid, in which programs."""

from typing import Annotated, Any

from pydantic import Field

from kaquan.api.authorization import ISSUERS, MERCHANTS, OPERATOR, READERS
from kaquan.api.calls import Call
from kaquan.api.errors import NOT_FOUND
from kaquan.api.fields import PAGE_MAX, After, Body, Code, Limit, PathText, Reasoned
from kaquan.api.pages import page
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.model import Effect, Kind
from kaquan.documents.merchants import bank_document, merchant_row, registered_id
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import Id, public
from kaquan.merchants.model import (
    BindBankAccount,
    RegisterMerchant,
    RegisterOrganisation,
    RegisterStore,
    VerifyBankAccount,
)
from kaquan.merchants.service import directory
from kaquan.programs.enrolment import EnrolMerchant, SuspendMerchant

routes = Routes("merchants", "商户 Merchants")
Name = Annotated[str, Field(min_length=1, max_length=200)]
AccountText = Annotated[str, Field(max_length=100)]
_BANK_SEEN = OPERATOR | {Role.REGULATOR}


class Organisation(Body):
    """A legal entity that takes part. `book`: it keeps accounts here, as an issuer does."""

    code: Code
    name: Name
    book: bool = False


class Trader(Body):
    """A merchant of a group; the bank account may be bound later."""

    code: Code
    name: Name
    group: Code
    bank: AccountText = ""
    account_no: AccountText = ""


class Place(Body):
    """A store of a merchant."""

    code: Code
    name: Name
    scene: Annotated[str, Field(min_length=1, max_length=64, description="Kind of trade.")] = "retail"


class Account(Body):
    """Where a merchant is paid from now on."""

    bank: Annotated[str, Field(min_length=1, max_length=100)]
    account_no: Annotated[str, Field(min_length=1, max_length=100)]


class Proof(Body):
    """What proves that the account is the merchant's: a document, a trial transfer."""

    account_no: Annotated[str, Field(min_length=1, max_length=100)]
    proof: Annotated[str, Field(min_length=1, max_length=100)]


_ACCOUNT = {"bank": "工商银行", "account_no": "$new_account"}


@routes.writes("/organisations", OPERATOR, example={"code": "$new_code", "name": "Hall", "book": True}, owned=False)
def register_organisation(call: Call, body: Organisation) -> dict[str, Any]:
    """登记机构 Register an organisation: an issuer or funder, or a group of merchants"""
    content = {"code": body.code, "name": body.name, "keeps_book": body.book}
    return call.act_told(Kind.REGISTER_ORGANISATION, RegisterOrganisation, _registered, **content)


@routes.reads("/organisations", OPERATOR | {Role.REGULATOR}, owned=False)
def list_organisations(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出机构 List the organisations, by code"""
    known = call.objects.catalogue.organisations
    return page(known, lambda code: (code,), (limit, after), lambda code: _organisation(code, *known[code]))


@routes.reads("/organisations/{organisation}", ISSUERS | {Role.FUNDER, Role.REGULATOR})
def show_organisation(call: Call, organisation: PathText) -> dict[str, Any]:
    """查看机构 An organisation: whether it keeps a book"""
    call.objects.organisation(organisation)
    return _organisation(organisation, *call.objects.catalogue.organisations[organisation])


@routes.writes(
    "/merchants",
    OPERATOR,
    example={"code": "$new_code", "name": "Corner", "group": "$group", **_ACCOUNT},
    owned=False,
)
def register_merchant(call: Call, body: Trader) -> dict[str, Any]:
    """登记商户 Register a merchant of a group"""
    return call.act_told(
        Kind.REGISTER_MERCHANT,
        RegisterMerchant,
        _registered,
        code=body.code,
        name=body.name,
        organisation=body.group,
        account_bank=body.bank,
        account_no=body.account_no,
    )


@routes.reads("/merchants", READERS, owned=False)
def list_merchants(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出商户 List the merchants, by code; 10,000 at most"""
    found = directory(call.app.connection)
    return page(found, lambda one: (one.code,), (limit, after), lambda one: _merchant(call, one))


@routes.reads("/merchants/{merchant}", READERS, owned=False)
def show_merchant(call: Call, merchant: PathText) -> dict[str, Any]:
    """查看商户 A merchant, by code or id. Its bank account's state is for itself, the operator and the regulator"""
    target = call.objects.any_merchant(merchant)
    found = next((one for one in directory(call.app.connection) if Id(one.id.bytes) == target), None)
    if found is None:
        raise Problem(NOT_FOUND)
    return _merchant(call, found)


@routes.writes(
    "/merchants/{merchant}/stores", OPERATOR, example={"code": "$new_code", "name": "Gate", "scene": "retail"}
)
def register_store(call: Call, merchant: PathText, body: Place) -> dict[str, Any]:
    """登记门店 Register a store of a merchant"""
    owner = _code(call, call.objects.merchant(merchant))
    content = {"code": body.code, "name": body.name, "scene": body.scene}
    return call.act_told(Kind.REGISTER_STORE, RegisterStore, _registered, merchant=owner, **content)


@routes.reads("/merchants/{merchant}/stores", READERS, owned=False)
def list_stores(call: Call, merchant: PathText, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出门店 List the stores of a merchant, by code"""
    owner, catalogue = call.objects.any_merchant(merchant), call.objects.catalogue
    codes = [code for code, (_, one) in catalogue.stores.items() if one == owner]
    return page(codes, lambda code: (code,), (limit, after), lambda code: _store(call, code))


@routes.reads("/stores/{store}", READERS, owned=False)
def show_store(call: Call, store: PathText) -> dict[str, Any]:
    """查看门店 A store, by code: whose it is"""
    if store not in call.objects.catalogue.stores:
        raise Problem(NOT_FOUND)
    return _store(call, store)


@routes.writes("/merchants/{merchant}/bank-account", MERCHANTS, example=_ACCOUNT)
def bind_bank_account(call: Call, merchant: PathText, body: Account) -> dict[str, Any]:
    """绑定收款账户 Bind the account a merchant is paid to; nothing is paid there before the operator verified it"""
    code = _code(call, call.objects.merchant(merchant))
    content = {"account_bank": body.bank, "account_no": body.account_no}
    told = _bank(code)
    return call.act_told(Kind.BIND_BANK_ACCOUNT, BindBankAccount, told, merchant=code, **content)


@routes.writes(
    "/merchants/{merchant}/bank-account/verify",
    OPERATOR,
    example={"account_no": "$new_account", "proof": "trial transfer 1"},
    prepare="bind_bank_account",
)
def verify_bank_account(call: Call, merchant: PathText, body: Proof) -> dict[str, Any]:
    """核验收款账户 Record the proof that the bound account is the merchant's"""
    code = _code(call, call.objects.merchant(merchant))
    content = {"account_no": body.account_no, "proof": body.proof}
    return call.act_told(Kind.VERIFY_BANK_ACCOUNT, VerifyBankAccount, _bank(code), merchant=code, **content)


@routes.writes(
    "/programs/{program}/merchants/{merchant}/suspend",
    ISSUERS,
    example={"reason": "under review"},
    made="started_program",
)
def suspend_merchant(call: Call, program: PathText, merchant: PathText, body: Reasoned) -> dict[str, Any]:
    """暂停商户 Suspend a merchant from a program; what it earned is settled as before"""
    return _enrolment(call, Kind.SUSPEND_MERCHANT, (program, merchant), reason=body.reason)


@routes.writes("/programs/{program}/merchants/{merchant}/enrol", ISSUERS, made="suspended_merchant")
def enrol_merchant(call: Call, program: PathText, merchant: PathText) -> dict[str, Any]:
    """商户入驻 Enrol a merchant in a program: it accepts from now on"""
    return _enrolment(call, Kind.ENROL_MERCHANT, (program, merchant))


def _enrolment(call: Call, kind: Kind, named: tuple[str, str], **content: str) -> dict[str, Any]:
    program, merchant = named
    call.objects.program(program)
    code = _code(call, call.objects.any_merchant(merchant))
    make = EnrolMerchant if kind is Kind.ENROL_MERCHANT else SuspendMerchant
    return call.act_told(kind, make, lambda _: {"program": program}, program=program, merchant=code, **content)


def _registered(done: Effect) -> dict[str, str]:
    return {"id": registered_id(done.facts)}


def _bank(merchant: str) -> Any:
    return lambda done: bank_document(merchant, done.facts)


def _organisation(code: str, number: int, book: int | None) -> dict[str, Any]:
    return {"code": code, "id": f"org_{number}", "book": book is not None}


def _merchant(call: Call, found: Any) -> dict[str, Any]:
    """A merchant, without the state of its account for whom that does not concern."""
    told = merchant_row(found)
    if call.caller.role not in _BANK_SEEN and call.caller.merchant != Id(found.id.bytes):
        told.pop("bank_state")
    return told


def _store(call: Call, code: str) -> dict[str, Any]:
    identity, merchant = call.objects.catalogue.stores[code]
    return {"code": code, "id": public("sto", identity), "merchant": _code(call, merchant)}


def _code(call: Call, merchant: Id) -> str:
    return call.objects.catalogue.merchants[merchant].code
