"""`kaquan init`: make the installation, once."""

from pathlib import Path

from kaquan.cli.endings import guarded, read_settings
from kaquan.cli.opening import installed, screen_for
from kaquan.cli.options import AsJson, Lang
from kaquan.cli.printing import Screen
from kaquan.db import embedded, migrate
from kaquan.settings import Settings

_NEXT = (
    ("kaquan organisation register ISSUER --name … --book", "登记发行方并建账", "register the issuer, with a book"),
    ("kaquan organisation register GROUP --name …", "登记商户组", "register the merchant group"),
    ("kaquan merchant register MERCHANT --group GROUP …", "登记商户", "register a merchant"),
    ("kaquan program open FILE --approved-by …", "开办活动", "open a program"),
    ("kaquan holder register", "登记持卡人", "register a holder"),
    ("kaquan card sell --program CODE --face 500 --phone …", "售卡", "sell a card"),
)


def init(lang: Lang = None, as_json: AsJson = False) -> None:
    """建立安装：目录、密钥、数据库与结构 / Make the installation: home, keys, database and schema

    可以重复执行，只补上缺少的部分。 / Safe to repeat: it only adds what is missing.
    """
    settings = read_settings()
    screen = screen_for(settings, lang, as_json)
    with guarded(screen, settings):
        fresh = not installed(settings)
        with embedded.open_database(settings) as server:
            applied = migrate.migrate(server.owner_url)
            data = server.data
        facts = {"home": str(settings.home)} | ({"data_dir": str(data)} if data is not None else {})
        document = {"created": fresh, "migrations": [one.number for one in applied]}
        screen.effect(_headline(fresh, bool(applied)), facts, document)
        if fresh and not as_json:
            _guide(screen, settings)


def _headline(fresh: bool, migrated: bool) -> tuple[str, str]:
    if fresh:
        return "安装完成。", "The installation is made."
    if migrated:
        return "数据库结构已更新到最新。", "The schema was brought up to date."
    return "已经安装好，无需改动。", "It is installed; there was nothing to do."


def _guide(screen: Screen, settings: Settings) -> None:
    screen.line("")
    if settings.master_key is None:
        kept = settings.home / "secrets"
        screen.line(
            screen.words(
                f"请妥善备份 {kept}：丢失后个人信息再也无法读取。",
                f"Back up {kept}: without it personal data can never be read again.",
            )
        )
    if settings.home != Path.cwd() / ".kaquan":
        screen.line(screen.words("以后请保留环境变量：", "Keep this in the environment:"))
        screen.line(f"  export KAQUAN_HOME={settings.home}")
    screen.line(screen.words("接下来：", "Next:"))
    for command, zh, en in _NEXT:
        screen.line(f"  {command:<54} {screen.words(zh, en)}")
