"""Posting editions for groups: where to, and each message once for an edition, tried again until it is taken."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, QuerySet

from broadsheet.accounts import queries as accounts
from broadsheet.accounts.rules import Ground, GroupRole, Person, Refused
from broadsheet.community.actions.notices import tell_once
from broadsheet.community.rules.notices import Kind
from broadsheet.fetching.posts import Posted, address_problem
from broadsheet.following.models import Hook, HookMessage
from broadsheet.following.queries.digests import Nothing
from broadsheet.following.queries.newest import newest
from broadsheet.following.rules import hooks as rules
from broadsheet.following.rules.hooks import Form, Next, Typed, Way
from broadsheet.following.rules.subscribing import Cadence
from broadsheet.storage import take_turns

_LOG = logging.getLogger(__name__)

# For so long messages are kept that ended. An edition is no news long before, so none is posted twice.
_KEPT_FOR = timedelta(days=90)
# So many messages are posted at a time.
_AT_ONCE = 4

MADE_WRONG = "It could not be made: something went wrong here. The operator's log has more."
POSTED_WRONG = "It could not be posted: something went wrong here. The operator's log has more."
SWITCHED_OFF = "{count} editions in a row could not be posted there, so nothing is posted any more."
GONE = "It answered that nobody wants this any more (status 410), so nothing is posted any more."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made for one message: the edition's label, empty for a test, in a form, of some sections or all."""

    form: Form
    cadence: Cadence
    edition: str
    sections: tuple[str, ...]


Compose = Callable[[Wanted], bytes | Nothing]
Post = Callable[[str, bytes, dict[str, str]], Posted]


def add_hook(*, by: Person, group: int, typed: Typed, now: datetime) -> int:
    """Have editions posted to an address; the id of the new hook. Editors and owners may. Raises Refused."""
    _edits(by, group)
    values = _read(typed)
    with transaction.atomic():
        take_turns("the hooks of a group", group)
        if Hook.objects.filter(group=group).count() >= rules.MOST_HOOKS:
            raise Refused(
                f"A group has {rules.MOST_HOOKS} such addresses at most. Nothing was added.", ground=Ground.TOO_MUCH
            )
        try:
            with transaction.atomic():
                return Hook.objects.create(group_id=group, salt=rules.new_salt(), made_at=now, **values).id
        except IntegrityError:
            raise Refused(
                "Editions are posted to this address already. Nothing was added.", ground=Ground.TAKEN, field="address"
            ) from None


def _read(typed: Typed) -> dict[str, Any]:
    """The values of a row. Raises Refused for the first that is wrong."""
    address = typed.address.strip()
    many = len(typed.sections) > rules.MOST_SECTIONS
    for field, wrong in (
        ("address", address_problem(address)),
        ("form", "" if typed.form in set(Form) else "Choose in which form editions are posted."),
        ("cadence", "" if typed.cadence in set(Cadence) else "Choose how often editions are posted."),
        ("sections", f"Choose {rules.MOST_SECTIONS} sections at most." if many else ""),
    ):
        if wrong:
            raise Refused(f"{wrong} Nothing was added.", ground=Ground.NOT_UNDERSTOOD, field=field)
    sections = list(dict.fromkeys(typed.sections))
    return {"address": address, "form": typed.form, "cadence": typed.cadence, "sections": sections}


def remove_hook(*, by: Person, group: int, hook_id: int) -> None:
    """Post nothing to an address any more, and forget it with its log. Raises Refused."""
    _edits(by, group)
    _one(group, hook_id).delete()


def switch_on(*, by: Person, group: int, hook_id: int) -> None:
    """Post again to an address that was switched off. Raises Refused."""
    _edits(by, group)
    row = _one(group, hook_id)
    Hook.objects.filter(id=row.id).update(off_at=None, off_because="", failures=0)


def send_test(*, by: Person, group: int, hook_id: int, now: datetime) -> None:
    """Have a test posted within seconds. Raises Refused, also for one test too many."""
    _edits(by, group)
    row = _one(group, hook_id)
    with transaction.atomic():
        take_turns("the tests of a hook", row.id)
        if HookMessage.objects.filter(hook=row.id, edition="", made_at__gt=now - rules.TEST_AGAIN_AFTER).exists():
            raise Refused("A test was sent just now. Wait a minute for the next one.", ground=Ground.TOO_MUCH)
        HookMessage.objects.create(hook_id=row.id, state=Way.WAITING, made_at=now, due_at=now)


def _edits(by: Person, group: int) -> None:
    seen = accounts.groups_seen([group], by).get(group)
    if seen is None:
        raise Refused("There is no such group. Nothing was changed.", ground=Ground.NOT_THERE)
    if not seen.is_edited_by_viewer:
        raise Refused(
            "Only owners and editors of the group may do this. Nothing was changed.", ground=Ground.NOT_ALLOWED
        )


def _one(group: int, hook_id: int) -> Hook:
    row = Hook.objects.filter(group=group, id=hook_id).first()
    if row is None:
        raise Refused("The group has no such address. Nothing was changed.", ground=Ground.NOT_THERE)
    return row


def queue_editions(*, now: datetime) -> int:
    """Make a message for each hook that has not had the newest closed edition of its cadence; how many were made.

    A hook has no editions from before its own day.
    """
    made = 0
    for cadence in Hook.objects.filter(off_at=None).order_by().values_list("cadence", flat=True).distinct():
        edition = newest(Cadence(cadence), now)
        if edition is None:
            continue
        wanting = Hook.objects.filter(off_at=None, cadence=cadence, made_at__date__lte=edition.end)
        for hook_id in list(wanting.exclude(messages__edition=edition.label).values_list("id", flat=True)):
            row = HookMessage(hook_id=hook_id, edition=edition.label, state=Way.WAITING, made_at=now, due_at=now)
            HookMessage.objects.bulk_create([row], ignore_conflicts=True)
            made += 1
    return made


def post_waiting(*, compose: Compose, post: Post, now: datetime, seconds: float = 4.0) -> int:
    """Post what is due, for so many seconds at most; how many messages were tried.

    Several are posted at a time, each to another hook with the whole time that `post` gives it, so that one that does
    not answer keeps nobody waiting; what was never tried goes first. Each is claimed by an UPDATE, so that no two
    workers post the same. One that was claimed by a worker that died is tried again: then an edition can come twice,
    and its number in X-Broadsheet-Delivery tells. Raises what went wrong with one, once all others are written down;
    database errors at once, and what was claimed is tried again as after a death.
    """
    end, tried = time.monotonic() + seconds, 0
    died = HookMessage.objects.filter(state=Way.CLAIMED, claimed_at__lt=now - rules.CLAIM_LASTS)
    died.update(state=Way.WAITING, claimed_at=None)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="hook") as lines:
        while time.monotonic() < end:
            messages = _claimed(now)
            if not messages:
                break
            made = [(message, _made(message, compose, now)) for message in messages]
            sent = [(message, lines.submit(_send, message, body, post, now)) for message, body in made if body]
            _take_all(sent, now)
            tried += len(messages)
    return tried


def _claimed(now: datetime) -> list[HookMessage]:
    """The next messages that are due, each of another hook, which are ours alone now."""
    due = HookMessage.objects.filter(state=Way.WAITING, due_at__lte=now, finished_at=None)
    ids: dict[int, int] = {}
    for number, hook in due.order_by("attempts", "due_at", "id").values_list("id", "hook_id")[: 20 * _AT_ONCE]:
        if hook in ids or len(ids) == _AT_ONCE:
            continue
        mine = HookMessage.objects.filter(id=number, state=Way.WAITING)
        if mine.update(state=Way.CLAIMED, claimed_at=now, attempts=F("attempts") + 1):
            ids[hook] = number
    return list(HookMessage.objects.select_related("hook").filter(id__in=ids.values()).order_by("id"))


def _made(message: HookMessage, compose: Compose, now: datetime) -> bytes | None:
    """What is to be posted; None where there is nothing, which is written down. Raises database errors."""
    hook = message.hook
    if hook.off_at is not None and message.edition:
        _end(message, Way.FAILED, hook.off_because, now)
        return None
    try:
        body = compose(_wanted(message))
    except DatabaseError:
        # Nothing is wrong with the message: it is made once the database answers again.
        raise
    except Exception:
        _LOG.exception("The message %d of hook %d could not be made.", message.id, hook.id)
        _end(message, Way.FAILED, MADE_WRONG, now)
        return None
    if isinstance(body, Nothing):
        _end(message, Way.NOTHING, body.because, now)
        return None
    return body


def _send(message: HookMessage, body: bytes, post: Post, now: datetime) -> Posted:
    """Post a message. Runs beside others and asks the database nothing."""
    hook = message.hook
    secret = rules.secret_of(hook.salt, settings.SECRET_KEY)
    headers = {
        "X-Broadsheet-Delivery": str(message.id),
        "X-Broadsheet-Signature": rules.signature(secret, int(now.timestamp()), body),
    }
    return post(hook.address, body, headers)


def _wanted(message: HookMessage) -> Wanted:
    hook = message.hook
    return Wanted(Form(hook.form), Cadence(hook.cadence), message.edition, tuple(hook.sections))


def _take_all(sent: list[tuple[HookMessage, Future[Posted]]], now: datetime) -> None:
    """Write down what came of each, so that no other is posted again for the one that fails. Raises what went wrong."""
    wrong: list[Exception] = []
    for message, posted in sent:
        try:
            answer = posted.result()
        except Exception as error:
            wrong.append(error)
            answer = Posted(0, POSTED_WRONG)
        try:
            _take(message, answer, now)
        except Exception as error:
            wrong.append(error)
    for further in wrong[1:]:
        _LOG.error("A further message could not be posted.", exc_info=further)
    if wrong:
        raise wrong[0]


def _take(message: HookMessage, posted: Posted, now: datetime) -> None:
    """Write down what came of a message, and what it means for its hook."""
    said = rules.answer_said(posted.status, posted.said)
    following = rules.next_of(posted.status, refused=posted.refused, attempts=message.attempts)
    if following is Next.AGAIN and message.edition:
        due = rules.due_again(message.attempts, now)
        again = HookMessage.objects.filter(id=message.id)
        again.update(state=Way.WAITING, claimed_at=None, due_at=due, said=said)
        return
    with transaction.atomic():
        _end(message, Way.SENT if following is Next.SENT else Way.FAILED, said, now)
        hook = Hook.objects.filter(id=message.hook_id)
        if following is Next.SENT:
            hook.update(failures=0)
        elif following is Next.OFF:
            _switch_off(hook, GONE, now)
        elif message.edition:
            hook.update(failures=F("failures") + 1)
            failed = hook.filter(failures__gte=rules.MOST_FAILURES)
            _switch_off(failed, SWITCHED_OFF.format(count=rules.MOST_FAILURES), now)


def _switch_off(hooks: QuerySet[Hook], because: str, now: datetime) -> None:
    """Post nothing more to these, and tell the owners of their groups, once each time."""
    for hook in hooks.filter(off_at=None):
        Hook.objects.filter(id=hook.id).update(off_at=now, off_because=because)
        owners = [each.person for each in accounts.members(hook.group_id) if each.role is GroupRole.OWNER]
        seen = accounts.groups_seen([hook.group_id], owners[0]).get(hook.group_id) if owners else None
        if seen is not None:
            said = f"{seen.name}, {rules.shown_address(hook.address)}: {because} The page of the group leads there."
            matter = f"hook {hook.id} {now.isoformat()}"
            tell_once([each.id for each in owners], Kind.HOOK, said, matter=matter, now=now)


def _end(message: HookMessage, state: Way, said: str, now: datetime) -> None:
    row = HookMessage.objects.filter(id=message.id)
    row.update(state=state, said=said, finished_at=now, claimed_at=None)


def forget_messages(*, now: datetime) -> int:
    """Delete messages that ended long ago; how many rows."""
    old = HookMessage.objects.filter(finished_at__lt=now - _KEPT_FOR)
    return old.delete()[0]
