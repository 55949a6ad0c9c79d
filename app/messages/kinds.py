"""What to say of each kind of failure, and of one with a reason: what happened, what to do next."""

from __future__ import annotations

from app.errors import N_, ErrorKind, Reason
from app.messages.reasons import OF_CONNECTIONS

# what is seen of a connection that a server closed with the request in its hands
AFTER_SENDING = (Reason.CONNECTION_RESET, Reason.CLOSED_WITHOUT_AN_ANSWER, Reason.BROKE_OFF)
# what is seen of an answer that came, in which nothing can be told from the rest
UNREADABLE = (
    *(Reason.ONLY_INTERIM_ANSWERS, Reason.HEADERS_OVER_32_KIB, Reason.NOT_BY_THE_RULES_OF_HTTP),
    Reason.COMPRESSED_ANSWER,
)

SENTENCES: dict[ErrorKind, tuple[str, str]] = {
    ErrorKind.AUTH: (
        N_('{where} needs a key, or rejected the one it got ({status}).'),
        N_("Enter this server's key in Settings or in EASEL_API_KEY."),
    ),
    ErrorKind.BAD_IMAGE: (
        N_('The picture arrived damaged: {reason}.'),
        N_("It wasn't saved. Retry generates a new one."),
    ),
    ErrorKind.BLOCKED_URL: (
        N_('The picture was made, but Easel may not download it from {url}'),
        N_(
            'If you trust this address, add its origin to EASEL_IMAGE_ORIGINS, or choose the '
            'b64_json response format.'
        ),
    ),
    ErrorKind.CANCELLED: (N_('{where} cancelled the generation.'), N_('Try again.')),
    ErrorKind.EMPTY: (
        N_('{where} answered without a picture.'),
        N_('Try again, or choose another model. You may have been charged.'),
    ),
    ErrorKind.ENDPOINT_NOT_FOUND: (
        N_('{where} has no images API at this address ({status}).'),
        N_('Test the address in Settings: most end in /v1.'),
    ),
    ErrorKind.FORBIDDEN: (
        N_("{where} doesn't allow this ({status})."),
        N_("Allow this model in the server's account or settings first."),
    ),
    ErrorKind.GATEWAY_TIMEOUT: (
        N_('A gateway in front of {where} timed out ({status}).'),
        N_('The picture may have been made and charged for. Set a longer timeout on the gateway.'),
    ),
    ErrorKind.IMAGE_FETCH_FAILED: (
        N_("The picture was made, but couldn't be downloaded from {url} ({reason})."),
        N_('Retry generates a new one. The b64_json response format avoids the download.'),
    ),
    ErrorKind.INTERNAL: (
        N_('Internal error in Easel ({reason}).'),
        N_("Look for this generation's number in the log. Nothing else was lost."),
    ),
    ErrorKind.INVALID_REQUEST: (
        N_('{where} rejected the request ({status}).'),
        N_('Change the prompt or a setting, then try again.'),
    ),
    ErrorKind.MODEL_NOT_FOUND: (
        N_("{where} doesn't have this model ({status})."),
        N_('Choose another model: the Model field lists what the server has.'),
    ),
    ErrorKind.MODERATION: (
        N_('{where} refused the prompt.'),
        N_('Rephrase it, or choose another model.'),
    ),
    ErrorKind.NOT_AN_IMAGE: (
        N_("The server sent a file that Easel doesn't keep ({reason})."),
        N_('Easel keeps PNG, JPEG, WebP, GIF and AVIF. Choose another model.'),
    ),
    ErrorKind.NOT_JSON: (
        N_("{where} didn't answer like an images API."),
        N_('It may be a web page. Test the address in Settings: most end in /v1.'),
    ),
    ErrorKind.NOT_LAID_BACK: (
        N_("The original couldn't be laid back over a picture, which is saved as it came."),
        N_('Open the picture, then choose “Lay the original back”.'),
    ),
    ErrorKind.NOT_READY: (
        N_("{where} isn't ready yet ({status})."),
        N_("Load a model there or wait until it's loaded, then try again."),
    ),
    ErrorKind.PENDING: (
        N_('{where} accepted the job, but sent no picture (job {job}).'),
        N_("Easel can't wait for such jobs on this server. Choose another server."),
    ),
    ErrorKind.QUOTA: (
        N_('The account at {where} is out of credit ({status}).'),
        N_('Top up the account, then try again.'),
    ),
    ErrorKind.RATE_LIMITED: (
        N_('{where} answered {status}: too many requests.'),
        N_('Wait a little, then try again.'),
    ),
    ErrorKind.REDIRECT: (
        N_('{where} redirected the request ({status}).'),
        N_('Check the address: http or https, and no extra slash.'),
    ),
    ErrorKind.SET_ASIDE: (
        N_("The picture arrived, but Easel couldn't check it ({reason}). It's saved in {file}"),
        N_(
            'The file is in the data folder, with its prompt next to it. Retry generates a '
            'new picture.'
        ),
    ),
    ErrorKind.STORAGE: (
        N_("The picture couldn't be saved ({reason})."),
        N_("Check that the data folder is writable and its disk isn't full."),
    ),
    ErrorKind.SURPLUS: (
        N_('The answer had more pictures than Easel keeps: {reason} not saved.'),
        N_('Ask for fewer pictures.'),
    ),
    ErrorKind.TIMEOUT: (
        N_("{where} didn't finish within {reason} s."),
        N_(
            "It may still be generating, and may charge you. The timeout is in the server's "
            'settings.'
        ),
    ),
    ErrorKind.TOO_LARGE: (
        N_('The answer is too large ({reason}).'),
        N_('Choose a smaller size or fewer pictures.'),
    ),
    ErrorKind.TRUNCATED: (
        N_('The answer from {where} was cut off ({reason}).'),
        N_('You may have been charged for the picture. Try again.'),
    ),
    ErrorKind.UNREACHABLE: (
        N_("{where} can't be reached ({reason})."),
        N_('Start the server, or choose another one in Settings. Nothing was charged.'),
    ),
    ErrorKind.UNSUPPORTED_PARAM: (
        N_("{where} doesn't support the setting “{param}” ({status})."),
        N_('Change or clear that setting, then try again.'),
    ),
    ErrorKind.UPSTREAM_ERROR: (
        N_('{where} failed ({status}).'),
        N_("Try again. If it keeps failing, check the server's log."),
    ),
}
_CHARGED = N_(
    'It received the request, so it may have generated and charged for the picture. '
    "Check the server's log."
)
OF_A_REASON: dict[tuple[ErrorKind, str], tuple[str, str]] = {
    **{
        (ErrorKind.UNREACHABLE, reason): (
            N_('{where} received the request and closed the connection ({reason}).'),
            _CHARGED,
        )
        for reason in AFTER_SENDING
    },
    **{
        (kind, reason): (N_("{where}'s answer can't be read ({reason})."), _CHARGED)
        for reason in UNREADABLE
        for kind in (ErrorKind.UNREACHABLE, ErrorKind.TRUNCATED, ErrorKind.NOT_JSON)
    },
    **{(ErrorKind.UNREACHABLE, reason): sentences for reason, sentences in OF_CONNECTIONS.items()},
    (ErrorKind.INVALID_REQUEST, Reason.SOURCE_WAS_DELETED): (
        N_('Picture {value}, which this starts from, was deleted.'),
        N_('Choose another picture to start from. Nothing was charged.'),
    ),
    (ErrorKind.STORAGE, Reason.SOURCE_IS_NOT_WHOLE): (
        N_("The file of picture {value}, which this starts from, is missing or can't be read."),
        N_('Check the data folder, or choose another picture to start from. Nothing was charged.'),
    ),
    (ErrorKind.STORAGE, Reason.MASK_IS_NOT_WHOLE): (
        N_("The mask of this edit is missing from the data folder or can't be read."),
        N_('Paint it again. Nothing was charged.'),
    ),
}
