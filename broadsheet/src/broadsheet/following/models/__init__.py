"""The tables of following. Private: other apps ask `queries` and change through `actions`."""

from broadsheet.following.models.deliveries import Delivery, Post
from broadsheet.following.models.follows import Follow, Hidden
from broadsheet.following.models.hooks import Hook, HookMessage
from broadsheet.following.models.profiles import Background, PaperTerms, Profile
from broadsheet.following.models.subscriptions import Asked, Subscriber, Subscription

__all__ = [
    "Asked",
    "Background",
    "Delivery",
    "Follow",
    "Hidden",
    "Hook",
    "HookMessage",
    "PaperTerms",
    "Post",
    "Profile",
    "Subscriber",
    "Subscription",
]
