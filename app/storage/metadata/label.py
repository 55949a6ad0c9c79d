"""The label of one picture: the two texts that carry it inside the file, and its checks."""

from __future__ import annotations

import contextlib
import json
import mmap
import re
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from app import __version__
from app.models import DEMO, TracedPicture
from app.models.request import (
    DIGEST,
    LONGEST_PROMPT,
    MOST_SIDE,
    REQUEST_FIELDS,
    FieldKind,
    FieldRule,
    Size,
)
from app.storage.metadata.container import sidecar_of

NAMESPACE = 'urn:easel:label/1.0/'
SOURCE_TYPES = 'http://cv.iptc.org/newscodes/digitalsourcetype/'
NAMESPACES = {
    'dc': 'http://purl.org/dc/elements/1.1/',
    'xmp': 'http://ns.adobe.com/xap/1.0/',
    'Iptc4xmpExt': 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/',
    'easel': NAMESPACE,
}
RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'
NOT_IN_XML = re.compile('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
NOT_IN_TEXT = re.compile('[\0\ud800-\udfff]')
LONG_TEXTS = ('prompt', 'negative_prompt', 'revised_prompt')
STANDS_IN = '\ufffd'
MADE_AT = 'made_at'  # among the settings of a picture: ISO 8601, in local time where it has no zone
ESCAPES = str.maketrans({'&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;'})
NEEDS_QUOTES = re.compile('[,:\n"]')

MOST_ID = 1 << 48  # above it there would be too few for the ids to come
DAY_S = 24 * 3600.0
LATEST_S = 253_370_764_800  # the year 9999, the last that a date can be of
RULES = {name: rule for name, rule in REQUEST_FIELDS.items() if rule.in_pictures} | {
    'provider': FieldRule(FieldKind.LINE),
    'created_at': FieldRule(FieldKind.DECIMAL, most=LATEST_S),
    'generation_id': FieldRule(FieldKind.WHOLE, most=MOST_ID),
    'position': FieldRule(FieldKind.WHOLE, most=1_000),
    'image_id': FieldRule(FieldKind.WHOLE, least=1, most=MOST_ID),
    'revised_prompt': FieldRule(FieldKind.TEXT, most=LONGEST_PROMPT),
    'asked_size': FieldRule(FieldKind.SIZE),
    'source_url': FieldRule(FieldKind.LINE, most=2_000),
    'cost': FieldRule(FieldKind.LINE, most=80),
    'sources': REQUEST_FIELDS['sources'],
    'mask': REQUEST_FIELDS['mask'],
    'strength': REQUEST_FIELDS['strength'],
    'paste_back': REQUEST_FIELDS['paste_back'],
    'changed_outside_mask': FieldRule(FieldKind.DECIMAL, 0, 1),
    'laid_back_from': FieldRule(FieldKind.PICTURES, 1, 1),
}
TRACED = re.compile(r'([1-9]\d{0,14}):((?:[0-9a-f]{64})?)', re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The settings of one picture; None is not known, or never stated."""

    prompt: str
    provider: str
    created_at: float  # seconds since 1970, UTC
    generation_id: int
    position: int  # within the generation, from 0
    image_id: int | None = None
    negative_prompt: str | None = None
    revised_prompt: str | None = None
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None
    sampler: str | None = None
    quality: str | None = None
    width: int | None = None  # of the picture that came
    height: int | None = None
    asked_size: str | None = None  # `1536x1024` or a provider's own word
    model: str | None = None
    source_url: str | None = None
    cost: str | None = None  # as the server said it: `0.04 USD 4160 tokens`
    sources: str | None = None  # what it started from, as `traced_text` writes it
    mask: str | None = None  # the sha256 in hex of what may change of the first of them
    strength: float | None = None
    paste_back: int | None = None
    changed_outside_mask: float | None = None  # as in `StoredImage`
    laid_back_from: str | None = None  # as `sources`
    version: str = __version__  # of the Easel that wrote the label

    @property
    def traced_sources(self) -> tuple[TracedPicture, ...]:
        return traced_pictures(self.sources)

    @property
    def traced_answer(self) -> TracedPicture | None:
        """Return the picture over which the original was laid back."""
        return next(iter(traced_pictures(self.laid_back_from)), None)


def traced_text(pictures: Iterable[TracedPicture]) -> str | None:
    """Write pictures with their digests, `12:DIGEST 15:DIGEST`; None where there are none."""
    return ' '.join(map(str, pictures)) or None


def traced_pictures(text: str | None) -> tuple[TracedPicture, ...]:
    """Read what `traced_text` writes; raises `ValueError` at anything else."""
    found = [TRACED.fullmatch(one) for one in (text or '').split(' ') if one]
    if not all(found):
        raise ValueError(text)
    return tuple(TracedPicture(int(one[1]), one[2]) for one in found if one)


def parameters_text(label: Label) -> str:
    """Write what AUTOMATIC1111 calls `parameters`; NUL and half surrogates become U+FFFD.

    A last line with fewer than three settings is read there as part of the prompt, so the provider
    stands in for a model that is not known.
    Source: modules/processing.py, create_infotext, of stable-diffusion-webui 1.10.
    """
    settings: dict[str, object] = {
        'Steps': label.steps,
        'Sampler': label.sampler,
        'CFG scale': None if label.guidance is None else f'{label.guidance:.15g}',
        'Seed': label.seed,
        'Size': f'{label.width}x{label.height}' if label.width and label.height else None,
        'Model': label.model or None,
        'Provider': None if label.model else label.provider,
        'Denoising strength': None if label.strength is None else f'{label.strength:.15g}',
        'Version': f'Easel {label.version}',
    }
    lines = [label.prompt]
    if label.negative_prompt:
        lines.append(f'Negative prompt: {label.negative_prompt}')
    known = {name: str(value) for name, value in settings.items() if value is not None}
    for name, text in known.items():
        if NEEDS_QUOTES.search(text):
            known[name] = json.dumps(text, ensure_ascii=False)
    lines.append(', '.join(f'{name}: {text}' for name, text in known.items()))
    return NOT_IN_TEXT.sub(STANDS_IN, '\n'.join(lines))


def xmp_packet(label: Label, without: Collection[str] = ()) -> bytes:
    """Write the label as one XMP packet; texts that XML cannot hold are there again, as JSON."""
    names = ' '.join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    prompt = '' if 'prompt' in without else _xml(label.prompt)
    made = datetime.fromtimestamp(label.created_at, UTC).isoformat(timespec='milliseconds')
    is_demo = label.provider == DEMO
    kind = 'algorithmicMedia' if is_demo else 'trainedAlgorithmicMedia'
    elements = [
        '<dc:description><rdf:Alt>'
        f'<rdf:li xml:lang="x-default">{prompt}</rdf:li></rdf:Alt></dc:description>',
        '<dc:creator><rdf:Seq><rdf:li>Easel</rdf:li></rdf:Seq></dc:creator>',
        '<xmp:CreatorTool>Easel</xmp:CreatorTool>',
        f'<xmp:CreateDate>{made.replace("+00:00", "Z")}</xmp:CreateDate>',
        f'<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPES}{kind}</Iptc4xmpExt:DigitalSourceType>',
    ]
    if label.model and not is_demo:
        model = _xml(label.model)
        elements.append(f'<Iptc4xmpExt:AISystemUsed>{model}</Iptc4xmpExt:AISystemUsed>')
    kept = {one.name: getattr(label, one.name) for one in fields(label) if one.name not in without}
    own = {name: str(value) for name, value in kept.items() if value is not None}
    exact = {name: text for name, text in own.items() if NOT_IN_XML.search(text)}
    if exact:
        own['exact'] = json.dumps(exact)
    elements += [f'<easel:{name}>{_xml(text)}</easel:{name}>' for name, text in own.items()]
    body = '\n'.join(elements)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" {names}>\n{body}\n</rdf:Description>'
        '</rdf:RDF></x:xmpmeta>\n<?xpacket end="r"?>'
    ).encode()


def _xml(text: str) -> str:
    """Escape for an element's text; a bare carriage return would be read as a line feed."""
    return NOT_IN_XML.sub(STANDS_IN, text).translate(ESCAPES)


def checked_label(settings: Mapping[str, str | int | float], otherwise_at: float) -> Label:
    """Return a label of those settings of a file, which anybody may have written, within limits.

    An unknown id is 0 or None, an unknown time is `otherwise_at`, in seconds since 1970.
    """
    created_at = min(max(otherwise_at, 0.0), float(LATEST_S))
    known: dict[str, str | int | float] = {'prompt': '', 'provider': '', 'created_at': created_at}
    known |= {'generation_id': 0, 'position': 0}
    for name, rule in RULES.items():
        value = _checked(settings.get(name), rule)
        if value is not None:
            known[name] = value
    return Label(**known)  # type: ignore[arg-type]


def made_at_of(settings: Mapping[str, str | int | float], modified_at: float) -> float:
    """Return when a picture was made: as its file says, else when the file was changed."""
    latest = time.time() + DAY_S
    with contextlib.suppress(ValueError, OverflowError, OSError):
        told = datetime.fromisoformat(str(settings.get(MADE_AT, ''))).timestamp()
        if 0 < told < latest:
            return told
    return min(max(modified_at, 0.0), latest)


def carries_label(picture: Path) -> bool:
    """Check whether Easel wrote a label into a picture or beside it, readable or not."""
    if sidecar_of(picture).exists():
        return NAMESPACE.encode() in sidecar_of(picture).read_bytes()
    with picture.open('rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        return whole.find(NAMESPACE.encode()) >= 0


def _checked(value: str | int | float | None, rule: FieldRule) -> str | int | float | None:
    if value is None:
        return None
    if rule.kind is FieldKind.WHOLE:
        return value if isinstance(value, int) and rule.least <= value <= rule.most else None
    if rule.kind is FieldKind.DECIMAL:
        within = not isinstance(value, str) and rule.least <= value <= rule.most
        return float(value) if within else None
    if rule.kind is FieldKind.SIZE:
        with contextlib.suppress(ValueError):
            size = Size.parse(str(value))
            if min(size.width, size.height) > 0 and max(size.width, size.height) <= MOST_SIDE:
                return str(size)
        return None
    if rule.kind is FieldKind.PICTURES:
        return _checked_pictures(str(value), rule.most)
    if rule.kind is FieldKind.MASK:
        return str(value) if DIGEST.fullmatch(str(value)) else None
    return NOT_IN_TEXT.sub(STANDS_IN, str(value))[: rule.most]


def _checked_pictures(text: str, most: int) -> str | None:
    with contextlib.suppress(ValueError):
        pictures = traced_pictures(text)
        if len(pictures) <= most and all(one.id <= MOST_ID for one in pictures):
            return traced_text(pictures)
    return None
