"""The teller's words about API keys and what takes two persons: `签发 issue-key app role issuer of jingxi`."""

from typing import Any

from kaquan.approvals import service as approvals
from kaquan.approvals.model import ApproveRequest, FinishRequest, RejectRequest, RequestApproval
from kaquan.commands.model import Effect, Kind
from kaquan.identity.keys import new_token
from kaquan.identity.model import IssueKey, RevokeKey, RotateKey
from kaquan.kernel.caller import Role
from support.words import Words, nothing


class IdentityWords(Words):
    """What the teller says of keys and requests. Every key has a fresh secret, on every retry."""

    def _issue_key(self, told: dict[str, str], name: str = "") -> Any:
        token = new_token()
        outcome = self._do(
            Kind.ISSUE_KEY,
            IssueKey,
            told,
            name=told.get("named", name),
            organisation=told.get("of", ""),
            role=Role(told.get("role", "operator")),
            merchant=told.get("for", ""),
            wallet=self.wallets.get(told["wallet"], nothing(told["wallet"])) if "wallet" in told else None,
            scopes=_scopes(told.get("scopes", "*")),
            days=int(told.get("days", "90")),
            within=_scopes(told.get("within", "*")),
            prefix=token.prefix,
            digest=token.digest,
        )
        if isinstance(outcome, Effect):
            self.api_keys.setdefault(name, outcome.id)
        return outcome

    def _rotate_key(self, told: dict[str, str], name: str) -> Any:
        fields: dict[str, Any] = {"days": int(told.get("days", "90")), "grace_hours": int(told.get("grace", "0"))}
        fields["within"] = _scopes(told.get("within", "*"))
        digest = new_token().digest
        return self._do(Kind.ROTATE_KEY, RotateKey, told, api_key=self._api_key(name), digest=digest, **fields)

    def _revoke_key(self, told: dict[str, str], name: str) -> Any:
        return self._do(Kind.REVOKE_KEY, RevokeKey, told, api_key=self._api_key(name))

    def _ask(self, told: dict[str, str], name: str, kind: str, body: str = "{}") -> Any:
        """`申请 ask r-1 raise_stock `{"stock":"off-10"}` because season`."""
        fields = {"wanted": Kind[kind.upper()], "body": body.encode(), "reason": _unquoted(told, "season")}
        outcome = self._do(Kind.REQUEST_APPROVAL, RequestApproval, told, **fields)
        if isinstance(outcome, Effect):
            self.approvals[name] = outcome.id
        return outcome

    def _agree(self, told: dict[str, str], name: str) -> Any:
        return self._do(Kind.APPROVE_REQUEST, ApproveRequest, told, approval=self._approval(name))

    def _decline(self, told: dict[str, str], name: str) -> Any:
        reason = _unquoted(told, "price")
        return self._do(Kind.REJECT_REQUEST, RejectRequest, told, approval=self._approval(name), reason=reason)

    def _finish(self, told: dict[str, str], name: str, outcome: str = "ok") -> Any:
        """As whoever executes does it: under the request's own key."""
        found = approvals.find(self.town.app.connection, self._approval(name))
        if told["by"] == "timetable" and found is not None:
            return self.town.app.one(Kind.FINISH_REQUEST, approvals.finish(found, outcome))
        fields = {"approval": self._approval(name), "outcome": outcome}
        return self._do(Kind.FINISH_REQUEST, FinishRequest, told, **fields)

    def _api_key(self, name: str) -> Any:
        return self.api_keys.get(name, nothing(name))

    def _approval(self, name: str) -> Any:
        return self.approvals.get(name, nothing(name))


def _scopes(text: str) -> tuple[str, ...]:
    return tuple(one for one in text.strip('"').split(",") if one)


def _unquoted(told: dict[str, str], otherwise: str) -> str:
    return told.get("because", otherwise).strip('"')
