//! Slack's error codes, and what the caller can do about each.

use incident_core::port::ErrorKind;

/// What a code means.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    pub(super) kind: ErrorKind,
    /// Whether Slack may have carried out a part of the request.
    pub(super) maybe: bool,
    /// Whether the same request can never succeed, whatever people change in the workspace.
    pub(super) is_final: bool,
    /// The remedy, if the code alone doesn't name it.
    pub(super) then: &'static str,
}

/// The meaning of `code`. Only codes that are known to be final are final: a page that Slack refuses for a reason that
/// nobody foresaw is retried until it expires.
pub(super) fn meaning(code: &str) -> Meaning {
    let found = CODES.iter().find(|(codes, _, _)| codes.contains(&code));
    let (kind, then) = found.map_or((ErrorKind::Refused, ""), |(_, kind, then)| (*kind, *then));
    let is_final = matches!(kind, ErrorKind::Invalid | ErrorKind::TooLarge | ErrorKind::Conflict)
        || FINAL.contains(&code);
    Meaning { kind, maybe: MAYBE.contains(&code), is_final, then }
}

/// Slack's documentation says that it may have carried out a part of these requests.
const MAYBE: [&str; 3] = ["fatal_error", "internal_error", "request_timeout"];

/// The message or the file that the request names will never be there again, or can't be changed any more.
const FINAL: [&str; 6] = [
    "message_not_found",
    "thread_not_found",
    "file_not_found",
    "cant_update_message",
    "edit_window_closed",
    "unknown_method",
];

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
            "accesslimited",
            "not_allowed_token_type",
            "access_denied",
            "no_permission",
            "ekm_access_denied",
            "enterprise_is_restricted",
            "team_access_not_granted",
            "org_login_required",
            "two_factor_setup_required",
            "user_is_bot",
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
    (&["is_archived"], ErrorKind::Refused, "the channel is archived: unarchive it, or configure another one"),
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
        &["message_limit_exceeded"],
        ErrorKind::RateLimited,
        "the workspace has reached its limit of messages: an administrator has to raise it",
    ),
    (
        &[
            "external_channel_migrating",
            "fatal_error",
            "internal_error",
            "request_timeout",
            "service_unavailable",
            "team_added_to_org",
        ],
        ErrorKind::Unavailable,
        "",
    ),
];
