"""Headings of the files, and how text and amounts stand in them."""

from kaquan.kernel.money import Money

VOUCHER_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("day", "日期", "date"),
    ("number", "凭证号", "voucher"),
    ("line", "分录号", "line"),
    ("summary", "摘要", "summary"),
    ("code", "科目编码", "title_code"),
    ("title", "科目名称", "title"),
    ("owner", "辅助核算", "owner"),
    ("sheet", "表内/表外", "sheet"),
    ("source", "资金来源", "source"),
    ("debit", "借方金额", "debit"),
    ("credit", "贷方金额", "credit"),
    ("account", "系统科目", "account"),
    ("program", "活动", "program"),
    ("transfers", "业务笔数", "commands"),
    ("first", "首笔编号", "first_command"),
    ("last", "末笔编号", "last_command"),
    ("digest", "编号摘要SHA-256", "sha256_of_commands"),
)
TRIAL_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("code", "科目编码", "title_code"),
    ("title", "科目名称", "title"),
    ("owner", "辅助核算", "owner"),
    ("sheet", "表内/表外", "sheet"),
    ("account", "系统科目", "account"),
    ("opening_debit", "期初借方", "opening_debit"),
    ("opening_credit", "期初贷方", "opening_credit"),
    ("debit", "本期借方", "debit"),
    ("credit", "本期贷方", "credit"),
    ("closing_debit", "期末借方", "closing_debit"),
    ("closing_credit", "期末贷方", "closing_credit"),
)
INVOICE_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("day", "日期", "date"),
    ("item", "事项", "item"),
    ("seller", "开票方", "issued_by"),
    ("buyer", "受票方", "issued_to"),
    ("form", "票种", "form"),
    ("tax_code", "税收分类编码", "tax_code"),
    ("name", "项目名称", "item_name"),
    ("rate", "税率", "rate"),
    ("amount", "金额", "amount"),
    ("tax", "已记税额", "tax_posted"),
    ("remark", "备注栏", "remark"),
    ("source", "资金来源", "source"),
    ("program", "活动", "program"),
    ("transfer", "业务编号", "command"),
    ("why", "依据与限制", "why"),
    ("cites", "条款", "cites"),
)
TITLE_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("account", "系统科目", "account"),
    ("fund", "资金方式", "fund"),
    ("side", "方向", "side"),
    ("code", "科目编码", "title_code"),
    ("title_zh", "科目名称", "title_zh"),
    ("title_en", "英文名称", "title_en"),
    ("root", "类别", "root"),
    ("cites", "依据", "cites"),
)
AMOUNTS = frozenset(
    {"debit", "credit", "opening_debit", "opening_credit", "closing_debit", "closing_credit", "amount", "tax"}
)
"""Columns that hold fen, and are written as yuan."""

ON_SHEET = {"zh": "表内", "en": "on"}
MEMO = {"zh": "表外备查", "en": "memo"}
TOTAL = {"zh": "合计", "en": "TOTAL"}

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def defused(text: str) -> str:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def plain(amount: Money | int) -> str:
    """Yuan without separators, for machines."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02d}"
