"""Slack's limits of interactive elements and their parts, field by field.

Numbers are from docs.slack.dev/reference/block-kit (block-elements, composition-objects).
"""

from collections.abc import Mapping
from typing import Final

from bot.views.limit_checks import Check, Fields, fields, flag, items, number, one_of, plain, string, text

_ID: Final = string(255, 1)
_STYLE: Final = one_of("primary", "danger")

_CONFIRM: Final = fields(
    {"title*": plain(100), "text*": text(300), "confirm*": plain(30), "deny*": plain(30), "style": _STYLE}
)
_OPTION: Final = fields({"text*": text(75), "value*": string(150, 1), "description": text(75), "url": string(3000)})
_GROUP: Final = fields({"label*": plain(75), "options*": items(1, 100, _OPTION)})
_ACTING: Final[Fields] = {"type*": None, "action_id": _ID, "confirm": _CONFIRM, "focus_on_load": flag}
_PICK: Final[Fields] = {**_ACTING, "placeholder": plain(150)}
_LABELLED: Final[Fields] = {**_ACTING, "accessibility_label": string(75)}
_TYPED: Final[Fields] = {**_PICK, "dispatch_action_config": None}
_MANY: Final[Fields] = {**_PICK, "max_selected_items": number(1, 100)}
_LISTED: Final[Fields] = {"options": items(1, 100, _OPTION), "option_groups": items(1, 100, _GROUP)}
_FETCHED: Final[Fields] = {"min_query_length": number(0, 100)}
_CONVERSATIONS: Final[Fields] = {"default_to_current_conversation": flag, "filter": None}
_TEN: Final = items(1, 10, _OPTION)
_LENGTHS: Final[Fields] = {"min_length": number(0, 3000), "max_length": number(1, 3000)}
_BOUNDS: Final[Fields] = {"min_value": None, "max_value": None, "is_decimal_allowed*": flag}
_RESPOND: Final[Fields] = {"response_url_enabled": flag}

_ELEMENT_FIELDS: Final[Mapping[str, Fields]] = {
    "button": {
        **_LABELLED,
        "text*": plain(75),
        "value": string(2000),
        "url": string(3000, 1),
        "style": _STYLE,
        "agent_prompt": string(4000),
        "agent_prompt_display": None,
        "visible_to_user_ids": None,
    },
    "workflow_button": {**_LABELLED, "text*": plain(75), "workflow*": None, "style": _STYLE},
    "checkboxes": {**_ACTING, "options*": _TEN, "initial_options": _TEN},
    "radio_buttons": {**_ACTING, "options*": _TEN, "initial_option": _OPTION},
    "overflow": {**_ACTING, "options*": items(1, 5, _OPTION)},
    "datepicker": {**_PICK, "initial_date": string(10, 10)},
    "timepicker": {**_PICK, "initial_time": string(5, 5), "timezone": string(100)},
    "datetimepicker": {**_ACTING, "initial_date_time": number(10**9, 10**10 - 1)},
    "plain_text_input": {**_TYPED, **_LENGTHS, "initial_value": string(3000), "multiline": flag},
    "number_input": {**_TYPED, **_BOUNDS, "initial_value": string(3000)},
    "email_text_input": {**_TYPED, "initial_value": string(3000)},
    "url_text_input": {**_TYPED, "initial_value": string(3000)},
    "rich_text_input": {**_TYPED, "initial_value": None},
    "file_input": {**_ACTING, "filetypes": None, "max_files": number(1, 10)},
    "static_select": {**_PICK, **_LISTED, "initial_option": _OPTION},
    "external_select": {**_PICK, **_FETCHED, "initial_option": _OPTION},
    "users_select": {**_PICK, "initial_user": None},
    "conversations_select": {**_PICK, **_CONVERSATIONS, **_RESPOND, "initial_conversation": None},
    "channels_select": {**_PICK, **_RESPOND, "initial_channel": None},
    "multi_static_select": {**_MANY, **_LISTED, "initial_options": items(0, 100, _OPTION)},
    "multi_external_select": {**_MANY, **_FETCHED, "initial_options": items(0, 100, _OPTION)},
    "multi_users_select": {**_MANY, "initial_users": items(0, 100)},
    "multi_conversations_select": {**_MANY, **_CONVERSATIONS, "initial_conversations": items(0, 100)},
    "multi_channels_select": {**_MANY, "initial_channels": items(0, 100)},
    "feedback_buttons": {**_ACTING, "positive_button*": None, "negative_button*": None},
    "icon_button": {**_LABELLED, "icon*": None, "text*": plain(75), "value": string(2000)},
}
ELEMENTS: Final[Mapping[str, Check]] = {kind: fields(table) for kind, table in _ELEMENT_FIELDS.items()}
