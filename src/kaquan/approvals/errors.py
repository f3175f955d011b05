"""Refusals about what takes two persons."""

from kaquan.kernel.refusal import RefusalCode

APPROVAL_NOT_NEEDED = RefusalCode(
    "approval_not_needed",
    status=422,
    zh="“{wanted}”不需要另一人批准",
    en="{wanted} needs no second person",
    remedy_zh="请直接办理",
    remedy_en="Ask for it directly",
    burns=False,
)
APPROVAL_BODY_INVALID = RefusalCode(
    "approval_body_invalid",
    status=400,
    zh="申请内容须是一个 JSON 对象，最多 {bytes_max} 字节",
    en="What is wanted is one JSON object of at most {bytes_max} bytes",
    remedy_zh="请更正内容",
    remedy_en="Correct it",
    burns=False,
)
APPROVAL_REASON_INVALID = RefusalCode(
    "approval_reason_invalid",
    status=400,
    zh="原因不能为空，且最多 {length_max} 个可见字符",
    en="The reason is not empty and has at most {length_max} printable characters",
    remedy_zh="请写明原因",
    remedy_en="Say why",
    burns=False,
)
APPROVAL_PERSON_MISSING = RefusalCode(
    "approval_person_missing",
    status=400,
    zh="没有说明由谁办理",
    en="It is not said who acts",
    remedy_zh="请写明办理人（命令行：--as）；每个人用自己的密钥",
    remedy_en="Name the person (command line: --as); everybody uses a key of their own",
    burns=False,
)
APPROVAL_UNKNOWN = RefusalCode(
    "approval_unknown",
    status=404,
    zh="没有这份申请",
    en="There is no such request",
    remedy_zh="用 kaquan approvals list 查看",
    remedy_en="kaquan approvals list shows them",
    burns=False,
)
APPROVAL_OWN = RefusalCode(
    "approval_own",
    status=403,
    zh="申请人“{person}”不能批准或退回自己的申请",
    en="{person} made the request and can't decide it",
    remedy_zh="请同一机构的另一人或运营方办理",
    remedy_en="Have it decided by somebody else of the organisation, or by the operator",
)
APPROVAL_ROLE = RefusalCode(
    "approval_role",
    status=403,
    zh="角色“{own}”不能决定角色“{role}”的申请",
    en="The role {own} does not decide requests of the role {role}",
    remedy_zh="请同一机构同一角色的另一人或运营方办理",
    remedy_en="Have it decided by somebody else of the same role and organisation, or by the operator",
)
APPROVAL_STATE = RefusalCode(
    "approval_state",
    status=409,
    zh="这份申请的状态是“{state_zh}”，不能做这个操作",
    en="The request is {state}: this can't be done with it",
    remedy_zh="已批准的会执行一次；被退回或过期的，请重新申请",
    remedy_en="What was approved is executed once; request anew what was rejected or has expired",
)
APPROVAL_NOT_GIVEN = RefusalCode(
    "approval_not_given",
    status=409,
    zh="这份申请的状态是“{state_zh}”，不是已批准，不能执行",
    en="The request is {state}, not approved: it can't be executed",
    remedy_zh="请先由另一人批准",
    remedy_en="Have it approved by a second person first",
    burns=False,
)
