"""`kaquan serve`: the door outside, as it is asked for."""

from pathlib import Path
from typing import Annotated

import typer

from kaquan.cli.opening import opened_server
from kaquan.cli.options import AsJson, Lang

LANES_MAX = 16

Proxy = Annotated[
    str | None,
    typer.Option(
        "--behind-proxy",
        help="前置代理的地址：由它终止 TLS，并以它的 X-Forwarded-For 为准 / Address of the proxy in front, which "
        "ends TLS and whose X-Forwarded-For is believed",
        metavar="ADDRESS",
    ),
]
Certificate = Annotated[
    Path | None, typer.Option("--tls-cert", help="TLS 证书（PEM，含证书链） / TLS certificate chain (PEM)")
]
PrivateKey = Annotated[Path | None, typer.Option("--tls-key", help="TLS 私钥（PEM） / TLS private key (PEM)")]


def serve_command(
    host: Annotated[
        str,
        typer.Option(
            "--host", help="监听地址；默认只有本机能访问 / Address; by default only this machine reaches it"
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="端口；0 表示任选空闲端口 / Port; 0 takes a free one")
    ] = 8080,
    lanes: Annotated[
        int, typer.Option("--lanes", min=1, max=LANES_MAX, help="写入通道数 / Lanes that write", metavar="N")
    ] = 2,
    behind_proxy: Proxy = None,
    tls_cert: Certificate = None,
    tls_key: PrivateKey = None,
    no_jobs: Annotated[
        bool,
        typer.Option(
            "--no-jobs",
            help="不执行定时任务，不发送回调 / "
            "Leave scheduled work to kaquan jobs run, and webhooks to kaquan webhooks run",
        ),
    ] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """对外提供 HTTP 接口 /v1，直到收到停止信号 / Serve the HTTP interface /v1 until told to stop

    停止（SIGTERM 或 Ctrl-C）前会答完已收下的请求；每分钟执行一次到期事项。接口说明：/v1/openapi.json。 / A stop
    (SIGTERM, Ctrl-C) first answers what was taken in; what is due is carried out every minute. The interface is
    described at /v1/openapi.json.
    """
    from kaquan.cli import serving  # the web framework takes half a second, which no other command should wait for

    wishes = serving.Wishes(
        host=host,
        port=port,
        lanes=lanes,
        proxy=behind_proxy,
        certificate=tls_cert,
        private_key=tls_key,
        jobs=not no_jobs,
    )
    with opened_server(lang, as_json) as (server, settings, screen):
        serving.run(wishes, server, settings, screen)
