"""Refusals about webhooks."""

from kaquan.kernel.refusal import RefusalCode

ENDPOINT_UNKNOWN = RefusalCode(
    "endpoint_unknown",
    status=404,
    zh="没有这个回调地址",
    en="There is no such endpoint",
    remedy_zh="请核对 whe_… 编号",
    remedy_en="Check the id, whe_…",
    burns=False,
)
ENDPOINT_ORGANISATION_UNKNOWN = RefusalCode(
    "endpoint_organisation_unknown",
    status=404,
    zh="没有机构“{organisation}”",
    en="There is no organisation {organisation}",
    remedy_zh="请核对机构代码；运营方自己的回调地址不填机构",
    remedy_en="Check the code; leave it out for an endpoint of the operator",
    burns=False,
)
ENDPOINT_URL_INVALID = RefusalCode(
    "endpoint_url_invalid",
    status=400,
    zh="回调地址必须是 https://主机/路径 的形式，不带用户名、密码和 # 部分，最长 {length_max} 个字符",
    en="An endpoint is https://host/path without user, password and fragment, of at most {length_max} characters",
    remedy_zh="请更正；只有设置 KAQUAN_WEBHOOKS_ALLOW_HTTP 时才能用 http",
    remedy_en="Correct it; http is possible only with the setting KAQUAN_WEBHOOKS_ALLOW_HTTP",
    burns=False,
)
ENDPOINT_PORT_REFUSED = RefusalCode(
    "endpoint_port_refused",
    status=400,
    zh="回调地址不能用端口 {port}",
    en="Webhooks are not sent to port {port}",
    remedy_zh="请用 443 或 8443",
    remedy_en="Use 443 or 8443",
    burns=False,
)
ENDPOINT_HOST_UNKNOWN = RefusalCode(
    "endpoint_host_unknown",
    status=400,
    zh="查不到主机“{host}”的地址",
    en="The host {host} has no address that we can find",
    remedy_zh="请核对主机名和解析记录后重试",
    remedy_en="Check the name and its records, then try again",
    burns=False,
)
ENDPOINT_ADDRESS_REFUSED = RefusalCode(
    "endpoint_address_refused",
    status=400,
    zh="主机“{host}”在内网、本机或保留地址上，不能作为回调地址",
    en="The host {host} lies at a private, local or reserved address, which webhooks do not reach",
    remedy_zh="请用公网地址；内网部署由运营方设置 KAQUAN_WEBHOOKS_ALLOW_PRIVATE",
    remedy_en="Use a public address; on a private network the operator sets KAQUAN_WEBHOOKS_ALLOW_PRIVATE",
    burns=False,
)
ENDPOINT_EVENT_UNKNOWN = RefusalCode(
    "endpoint_event_unknown",
    status=400,
    zh="没有事件“{event}”；每个回调地址订阅 1 到 {most} 个名称或 payment.* 这样的写法",
    en="There is no event {event}; an endpoint names 1 to {most} events, or patterns such as payment.*",
    remedy_zh="事件名称见 docs/reference/events.md",
    remedy_en="The names stand in docs/reference/events.md",
    burns=False,
)
ENDPOINT_LIMIT_REACHED = RefusalCode(
    "endpoint_limit_reached",
    status=409,
    zh="一家机构最多 {most} 个回调地址",
    en="An organisation has at most {most} endpoints",
    remedy_zh="请先移除不用的回调地址",
    remedy_en="Remove one that is not used",
    retryable=True,
)
ENDPOINT_REMOVED = RefusalCode(
    "endpoint_removed",
    status=409,
    zh="这个回调地址已移除",
    en="The endpoint was removed",
    remedy_zh="请重新添加一个",
    remedy_en="Add a new one",
)
DELIVERY_UNKNOWN = RefusalCode(
    "delivery_unknown",
    status=404,
    zh="没有这次投递，或它的记录已过保存期",
    en="There is no such delivery, or its record was kept long enough",
    remedy_zh="请核对 whd_… 编号",
    remedy_en="Check the id, whd_…",
    burns=False,
)
