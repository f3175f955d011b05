"""`kaquan webhooks`: add, list, show, change, rotate, remove, deliveries, replay, run."""

import signal
from collections.abc import Mapping
from datetime import datetime
from threading import Event
from typing import Annotated, Any

import typer

from kaquan.cli.endings import Misuse
from kaquan.cli.opening import reads, works, writes
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Effect, Kind
from kaquan.db.pool import connect
from kaquan.documents.answers import instant, shown
from kaquan.documents.webhooks import answer_text, delivery_document, endpoint_document, listed_endpoint
from kaquan.kernel import clock
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import SHANGHAI
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.main import reach_of
from kaquan.webhooks import service
from kaquan.webhooks.errors import DELIVERY_UNKNOWN, ENDPOINT_ORGANISATION_UNKNOWN, ENDPOINT_UNKNOWN
from kaquan.webhooks.model import ChangeEndpoint, Counts, DeliveryState, Endpoint, RemoveEndpoint
from kaquan.webhooks.sending import Sender

app = typer.Typer(
    no_args_is_help=True,
    help="事件回调：添加、查看、更换密钥、投递记录、重发 / Webhooks: endpoints, secrets, deliveries, replay",
)

EndpointArgument = Annotated[
    str, typer.Argument(help="回调地址编号 whe_… / Endpoint: whe_…", metavar="ENDPOINT", show_default=False)
]
Organisation = Annotated[
    str | None,
    typer.Option(
        "--organisation",
        help="所属机构的代码；不填为运营方，可收到全部事件 / "
        "Whose it is, by code; the operator by default, who hears everything",
        metavar="CODE",
    ),
]
Events = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        help="事件名称，或 payment.* 这样的写法，可写多次；不填为全部 / "
        "Name of an event, or a pattern such as payment.*; may be repeated; all by default",
        metavar="EVENT",
    ),
]
Most = Annotated[int, typer.Option("--most", min=1, max=service.SHOWN_MAX, help="最多列出几条 / At most this many")]

_ENDPOINTS = ("endpoint", "organisation", "state", "url", "undelivered", "given_up")
_DELIVERIES = (
    "delivery",
    "event",
    "happened_at",
    "state",
    "attempts",
    "status",
    "milliseconds",
    "failure",
    "next_at",
)
_ATTEMPTS = ("number", "at", "status", "milliseconds", "failure", "answer")


@app.command("add")
@writes
def add_command(
    session: Session,
    url: Annotated[str, typer.Argument(help="https 地址 / An https address", metavar="URL", show_default=False)],
    events: Events = None,
    organisation: Organisation = None,
) -> None:
    """添加回调地址；密钥只显示这一次 / Add an endpoint; its secret is shown this once

    地址必须在公网上。 / The address must be a public one.
    """
    _check_reachable(session, url)
    asked = {"organisation": organisation or "", "url": url, "events": tuple(events or ("*",))}
    command, secret = service.adding(session.app.master, OPERATOR, session.key(), **asked)
    done = session.act(Kind.ADD_ENDPOINT, lambda _: command)
    told = ("回调地址已添加，请妥善保存密钥。", "The endpoint was added. Keep its secret: it is not shown again.")
    session.tell(told, done, _with_secret(session, done, secret), ("endpoint", "secret"))


@app.command("list")
@reads
def list_command(session: Session, organisation: Organisation = None) -> None:
    """列出回调地址 / List the endpoints"""
    owner = None
    if organisation is not None:
        owner = service.organisation(session.app.connection, organisation)
        if owner is None:
            session.refuse(Refusal(ENDPOINT_ORGANISATION_UNKNOWN, {"organisation": organisation[:40]}))
    found = service.listed(session.app.connection, owner, service.SHOWN_MAX)
    rows = [listed_endpoint(one) for one in found]
    session.screen.rows("endpoints", _ENDPOINTS, rows, ("没有回调地址。", "No endpoints."))


@app.command("show")
@reads
def show_command(session: Session, endpoint: EndpointArgument) -> None:
    """查看回调地址；密钥不再显示 / Show an endpoint; its secret is never shown again"""
    one = _endpoint(session, endpoint)
    document = endpoint_document(one)
    told = {"events": " ".join(one.events), "previous_until_at": document["previous_until_at"] or ""}
    session.screen.one(document | told)


@app.command("change")
@writes
def change_command(
    session: Session,
    endpoint: EndpointArgument,
    url: Annotated[str | None, typer.Option("--url", help="新的地址 / Another address", metavar="URL")] = None,
    events: Events = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="停用后重新启用 / Let a stopped endpoint run again")
    ] = False,
) -> None:
    """修改地址或订阅的事件，或重新启用 / Change the address or the events, or let it run again"""
    target = identity("whe", endpoint)
    if url is not None:
        _check_reachable(session, url)
    wanted = tuple(events) if events else None
    done = session.act(
        Kind.CHANGE_ENDPOINT,
        lambda key: ChangeEndpoint(key=key, caller=OPERATOR, endpoint=target, url=url, events=wanted, resume=resume),
    )
    session.tell(("回调地址已修改。", "The endpoint was changed."), done, _facts(done))


@app.command("rotate")
@writes
def rotate_command(session: Session, endpoint: EndpointArgument) -> None:
    """更换密钥；旧密钥 24 小时内仍同时签名 / Rotate the secret; the old one signs too for 24 hours

    新密钥只显示这一次。 / The new secret is shown this once.
    """
    target = identity("whe", endpoint)
    command, secret = service.rotating(session.app.master, OPERATOR, session.key(), target)
    done = session.act(Kind.ROTATE_ENDPOINT_SECRET, lambda _: command)
    told = ("密钥已更换，请妥善保存。", "The secret was rotated. Keep the new one: it is not shown again.")
    session.tell(told, done, _with_secret(session, done, secret), ("secret", "previous_until_at"))


@app.command("remove")
@writes
def remove_command(session: Session, endpoint: EndpointArgument) -> None:
    """移除回调地址，不再通知 / Remove an endpoint: it is told nothing more"""
    target = identity("whe", endpoint)
    done = session.act(Kind.REMOVE_ENDPOINT, lambda key: RemoveEndpoint(key=key, caller=OPERATOR, endpoint=target))
    session.tell(("回调地址已移除。", "The endpoint was removed."), done, _facts(done))


@app.command("deliveries")
@reads
def deliveries_command(
    session: Session,
    endpoint: Annotated[
        str,
        typer.Argument(
            help="回调地址 whe_…，或一次投递 whd_… / Endpoint: whe_…, or one delivery: whd_…",
            metavar="ENDPOINT",
            show_default=False,
        ),
    ],
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            help="只列 waiting、delivered 或 given_up / Only those that are in this state",
            metavar="waiting|delivered|given_up",
        ),
    ] = None,
    most: Most = 50,
) -> None:
    """投递记录，保存 30 天 / The log of deliveries, kept for 30 days"""
    connection = session.app.connection
    if endpoint.strip().lower().startswith("whd_"):
        target = _delivery(session, endpoint)
        rows = [
            {**one._asdict(), "at": instant(one.at), "answer": answer_text(one.answer)}
            for one in _attempts(session, target)
        ]
        return session.screen.rows("attempts", _ATTEMPTS, rows, ("还没有尝试。", "No attempts yet."))
    one = _endpoint(session, endpoint)
    found = service.deliveries(connection, one.id, _state(state), most)
    rows = [delivery_document(each) for each in found]
    session.screen.rows("deliveries", _DELIVERIES, rows, ("没有投递。", "No deliveries."))


@app.command("replay")
@works
def replay_command(
    session: Session,
    meant: Annotated[
        str,
        typer.Argument(
            help="一次投递 whd_…，或回调地址 whe_… / A delivery: whd_…, or an endpoint: whe_…",
            metavar="DELIVERY",
            show_default=False,
        ),
    ],
    start: Annotated[
        str | None,
        typer.Option(
            "--from", help="从何时发生的事件起（北京时间） / What happened from then on", metavar="'YYYY-MM-DD HH:MM'"
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until", help="到何时为止，默认现在 / Until then, now by default", metavar="'YYYY-MM-DD HH:MM'"
        ),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="只重发没有送达的 / Only what did not arrive")] = False,
) -> None:
    """重发：一次投递，或一段时间内的全部；编号不变，接收方可去重 / Send again, under the same webhook-id

    一次投递写 whd_…；一段时间写 whe_… 和 --from。 / Name a delivery, or an endpoint with --from.
    """
    now, connection = clock.system_now(), session.app.connection
    if meant.strip().lower().startswith("whd_"):
        target = _delivery(session, meant)
        count = 1 if session.dry_run else service.replay(connection, target, now)
    else:
        one = _endpoint(session, meant)
        if start is None:
            raise Misuse("重发一段时间的投递要写 --from。", "To replay what an endpoint was told, say --from.")
        span = (_instant(start), session.app.door.at() if until is None else _instant(until))
        if session.dry_run:
            raise Misuse("一段时间的重发不能试算。", "A replay of a span can't be tried dry.")
        count = service.replay_range(connection, one.id, span, now, failed=failed)
    _said(session, ("已排入重发。", "They are due again."), {"replayed_count": count})


@app.command("run")
@reads
def run_command(
    session: Session,
    once: Annotated[
        bool, typer.Option("--once", help="处理完当前到期的就退出 / Stop when nothing is due any more")
    ] = False,
) -> None:
    """发送回调，直到被中断；kaquan serve 自己会做 / Send webhooks until interrupted"""
    app_, settings = session.app, session.settings
    sender = Sender(reach_of(settings))
    dispatcher = service.Dispatcher(app_.master, sender, app_.one)
    if once:
        total = Counts()
        while not (done := dispatcher.run_once(app_.connection, clock.system_now())).idle:
            total = Counts(*map(sum, zip(total, done, strict=True)))
        return _said(session, ("已处理。", "Done."), total._asdict())
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    session.screen.note("正在发送回调，按 Ctrl-C 结束。", "Sending webhooks; Ctrl-C ends it.")
    url = app_.connection.info.dsn
    dispatcher.run(lambda: connect(url, application_name="kaquan webhooks"), stop)
    _said(session, ("已结束。", "Ended."), {})


def _check_reachable(session: Session, url: str) -> None:
    """Refuse a URL that could never be sent to, before anything is recorded."""
    if refusal := Sender(reach_of(session.settings)).reachable(url):
        session.refuse(refusal)


def _endpoint(session: Session, text: str) -> Endpoint:
    one = service.found(session.app.connection, OPERATOR, identity("whe", text))
    return session.refuse(Refusal(ENDPOINT_UNKNOWN)) if one is None else one


def _delivery(session: Session, text: str) -> Id:
    target = identity("whd", text)
    if service.endpoint_of(session.app.connection, target) is None:
        session.refuse(Refusal(DELIVERY_UNKNOWN))
    return target


def _attempts(session: Session, delivery: Id) -> list[Any]:
    return service.attempts(session.app.connection, delivery)


def _state(text: str | None) -> DeliveryState | None:
    try:
        return None if text is None else DeliveryState[text.strip().upper()]
    except KeyError:
        raise Misuse(
            "状态是 waiting、delivered 或 given_up。", "A state is one of waiting, delivered, given_up."
        ) from None


def _facts(done: Effect) -> dict[str, Any]:
    facts = shown(done.facts)
    return {**facts, "events": " ".join(facts["events"])}


def _with_secret(session: Session, done: Effect, secret: str) -> dict[str, Any]:
    """An answer given before has lost its secret: nobody keeps it, not even for a retry."""
    if not done.replayed:
        return {**_facts(done), "secret": secret}
    session.screen.note(
        "密钥已显示过；没有收到就用 kaquan webhooks rotate 更换。",
        "The secret was shown then; if it got lost, make a new one with kaquan webhooks rotate.",
    )
    return _facts(done)


def _instant(text: str) -> datetime:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
    except ValueError:
        raise Misuse(
            f"“{text}”不是时间，请写成 2025-05-20 12:00。", f"{text} is not a time such as 2025-05-20 12:00."
        ) from None


def _said(session: Session, headline: tuple[str, str], facts: Mapping[str, Any]) -> None:
    session.screen.effect(headline, facts, {"dry_run": session.dry_run})
