//! Slack's error codes: what they mean for the caller.

use incident_core::port::ErrorKind;

/// What a code means.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    pub(super) kind: ErrorKind,
    /// Whether Slack may have done a part of it all the same.
    pub(super) maybe: bool,
    /// What to do, if that isn't plain from the code.
    pub(super) then: &'static str,
}

/// The meaning of `code`; one that isn't known is a refusal for good.
pub(super) fn meaning(code: &str) -> Meaning {
    let found = CODES.iter().find(|(codes, _, _)| codes.contains(&code));
    let (kind, then) = found.map_or((ErrorKind::Refused, ""), |(_, kind, then)| (*kind, *then));
    Meaning { kind, maybe: MAYBE.contains(&code), then }
}

/// Of these Slack's documentation says that parts may have been done.
const MAYBE: [&str; 3] = ["fatal_error", "internal_error", "request_timeout"];

type Row = (&'static [&'static str], ErrorKind, &'static str);

const CODES: &[Row] = &[
    (
        &["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"],
        ErrorKind::Auth,
        "renew the bot token",
    ),
    (&["missing_scope"], ErrorKind::Permission, "add the scope and install the app again"),
    (&["not_in_channel"], ErrorKind::Permission, "invite the app into the channel"),
    (
        &[
            "not_allowed_token_type",
            "access_denied",
            "no_permission",
            "ekm_access_denied",
            "team_access_not_granted",
            "org_login_required",
            "two_factor_setup_required",
            "user_is_restricted",
            "user_is_ultra_restricted",
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "restricted_action_non_threadable_channel",
            "restricted_action_thread_locked",
        ],
        ErrorKind::Permission,
        "an administrator of the workspace has to allow it",
    ),
    (
        &["channel_not_found"],
        ErrorKind::NotFound,
        "there is no such channel, or it is private and the app isn't in it",
    ),
    (&["team_not_found"], ErrorKind::Config, "a token of an organisation needs a channel's id"),
    (
        &["user_not_found", "users_not_found", "message_not_found", "thread_not_found", "file_not_found"],
        ErrorKind::NotFound,
        "",
    ),
    (&["is_archived"], ErrorKind::Refused, "the channel is archived"),
    (&["name_taken"], ErrorKind::Conflict, ""),
    (
        &[
            "invalid_arguments",
            "invalid_arg_name",
            "invalid_array_arg",
            "invalid_blocks",
            "invalid_blocks_format",
            "invalid_charset",
            "invalid_form_data",
            "invalid_json",
            "invalid_metadata_format",
            "invalid_metadata_schema",
            "invalid_name",
            "invalid_name_maxlength",
            "invalid_name_punctuation",
            "invalid_name_required",
            "invalid_name_specials",
            "invalid_post_type",
            "json_not_object",
            "markdown_text_conflict",
            "missing_argument",
            "missing_post_type",
            "no_text",
        ],
        ErrorKind::Invalid,
        "",
    ),
    (
        &[
            "msg_too_long",
            "msg_blocks_too_long",
            "metadata_too_large",
            "too_many_attachments",
            "too_many_bookmarks",
            "too_many_pins",
            "too_long",
        ],
        ErrorKind::TooLarge,
        "",
    ),
    (&["ratelimited", "rate_limited"], ErrorKind::RateLimited, ""),
    (
        &["fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"],
        ErrorKind::Unavailable,
        "",
    ),
];
