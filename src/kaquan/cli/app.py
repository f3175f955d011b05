"""The command `kaquan`: every group of commands, mounted."""

import sys

import typer

from kaquan.cli import (
    accounting,
    approvals,
    audit,
    bulk,
    cards,
    closings,
    custody_statements,
    db,
    demo,
    disputes,
    draws,
    forecast,
    funders,
    holders,
    installation,
    jobs,
    keys,
    leaving,
    ledger,
    merchants,
    packets,
    payment_codes,
    payments,
    payouts,
    plans,
    programs,
    referrals,
    refund_outcomes,
    serve,
    settlement_lines,
    spending,
    statements,
    stocks,
    voucher_codes,
    vouchers,
    webhooks,
)

SETTING_UP = "准备 / Setting up"
EVERY_DAY = "日常 / Every day"
MONEY = "资金 / Money and merchants"
ACCESS = "权限 / Who may"
UPKEEP = "维护 / Upkeep"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    context_settings={"max_content_width": 120},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
    help="Kaquan 卡券：预付卡与消费券的运营命令行 / Kaquan: prepaid cards and consumption vouchers\n\n"
    "金额以元书写（如 12.30）。退出码：0 成功，1 被拒绝，2 用法有误，3 故障或不可用。 / "
    "Amounts are written in yuan, such as 12.30. Exit status: 0 done, 1 refused, 2 bad usage, 3 unavailable.",
)
app.command("init", rich_help_panel=SETTING_UP)(installation.init)
app.command("demo", rich_help_panel=SETTING_UP)(demo.demo)
app.add_typer(merchants.organisations, name="organisation", rich_help_panel=SETTING_UP)
app.add_typer(merchants.merchants, name="merchant", rich_help_panel=SETTING_UP)
app.add_typer(merchants.stores, name="store", rich_help_panel=SETTING_UP)
app.add_typer(programs.app, name="program", rich_help_panel=SETTING_UP)
app.add_typer(stocks.app, name="stock", rich_help_panel=SETTING_UP)
app.command("forecast", rich_help_panel=SETTING_UP)(forecast.forecast_command)
app.add_typer(holders.app, name="holder", rich_help_panel=EVERY_DAY)
cards.app.command("transfer")(leaving.transfer_command)
cards.app.command("reactivate")(leaving.reactivate_command)
cards.app.command("breakage")(leaving.breakage_command)
cards.app.command("idle")(leaving.idle_command)
app.add_typer(cards.app, name="card", rich_help_panel=EVERY_DAY)
app.add_typer(closings.app, name="closing", rich_help_panel=EVERY_DAY)
app.add_typer(payment_codes.app, name="code", rich_help_panel=EVERY_DAY)
app.add_typer(bulk.app, name="bulk", rich_help_panel=EVERY_DAY)
app.command("quote", rich_help_panel=EVERY_DAY)(spending.quote_command)
app.command("pay", rich_help_panel=EVERY_DAY)(spending.pay_command)
app.command("authorize", rich_help_panel=EVERY_DAY)(spending.authorize_command)
app.command("capture", rich_help_panel=EVERY_DAY)(payments.capture_command)
app.command("void", rich_help_panel=EVERY_DAY)(payments.void_command)
app.command("refund", rich_help_panel=EVERY_DAY)(payments.refund_command)
app.command("reverse", rich_help_panel=EVERY_DAY)(payments.reverse_command)
payments.app.command("outcomes")(refund_outcomes.outcomes_command)
app.add_typer(payments.app, name="payment", rich_help_panel=EVERY_DAY)
vouchers.app.add_typer(voucher_codes.app, name="codes")
vouchers.app.add_typer(draws.app, name="draw")
app.add_typer(vouchers.app, name="voucher", rich_help_panel=EVERY_DAY)
app.add_typer(plans.app, name="plan", rich_help_panel=EVERY_DAY)
app.add_typer(referrals.app, name="referral", rich_help_panel=EVERY_DAY)
app.add_typer(packets.app, name="packets", rich_help_panel=EVERY_DAY)
app.add_typer(settlement_lines.app, name="settle", rich_help_panel=MONEY)
app.add_typer(statements.app, name="statements", rich_help_panel=MONEY)
app.add_typer(disputes.app, name="disputes", rich_help_panel=MONEY)
app.add_typer(payouts.app, name="payouts", rich_help_panel=MONEY)
app.add_typer(funders.app, name="funder", rich_help_panel=MONEY)
app.add_typer(custody_statements.app, name="custody", rich_help_panel=MONEY)
app.add_typer(ledger.app, name="ledger", rich_help_panel=MONEY)
app.add_typer(accounting.app, name="accounting", rich_help_panel=MONEY)
app.add_typer(keys.app, name="keys", rich_help_panel=ACCESS)
app.add_typer(approvals.app, name="approvals", rich_help_panel=ACCESS)
app.add_typer(audit.app, name="audit", rich_help_panel=ACCESS)
app.command("serve", rich_help_panel=UPKEEP)(serve.serve_command)
app.add_typer(webhooks.app, name="webhooks", rich_help_panel=UPKEEP)
app.add_typer(jobs.app, name="jobs", rich_help_panel=UPKEEP)
app.add_typer(db.app, name="db", rich_help_panel=UPKEEP)


def main() -> None:
    """The console script `kaquan`."""
    app(prog_name="kaquan")
