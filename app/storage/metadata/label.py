"""What is true of one picture, and the two texts that say so inside its file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from app import __version__
from app.models import DEMO

NAMESPACE = 'urn:easel:label/1.0/'
SOURCE_TYPES = 'http://cv.iptc.org/newscodes/digitalsourcetype/'
NAMESPACES = {
    'dc': 'http://purl.org/dc/elements/1.1/',
    'xmp': 'http://ns.adobe.com/xap/1.0/',
    'xmpNote': 'http://ns.adobe.com/xmp/note/',
    'Iptc4xmpExt': 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/',
    'easel': NAMESPACE,
}
RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'
NOT_IN_XML = re.compile('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
NOT_IN_TEXT = re.compile('[\0\ud800-\udfff]')
STANDS_IN = '\ufffd'
ESCAPES = str.maketrans({'&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;'})
NEEDS_QUOTES = re.compile('[,:\n"]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is true of one picture; None is not known, or never said.

    Attributes:
        position: Of the picture within its generation, from 0.
        created_at: Seconds since 1970, UTC.
        asked_size: As it was asked for, `1536x1024` or a provider's own word.
        width: Of the picture that came, in pixels.
        version: Of the Easel that wrote the label.
    """

    prompt: str
    provider: str
    created_at: float
    generation_id: int
    position: int
    image_id: int | None = None
    negative_prompt: str | None = None
    revised_prompt: str | None = None
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None
    sampler: str | None = None
    quality: str | None = None
    width: int | None = None
    height: int | None = None
    asked_size: str | None = None
    model: str | None = None
    source_url: str | None = None
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Packets:
    """XMP in two parts, for a container whose parts are small.

    Attributes:
        extended: Empty where the standard part holds everything.
        extended_name: What the standard part calls it by: its MD5.
    """

    standard: bytes
    extended: bytes = b''
    extended_name: str = ''


def parameters_text(label: Label) -> str:
    """Write what AUTOMATIC1111 calls `parameters`, with only what is known.

    NUL and halves of surrogate pairs, which no container can hold, become U+FFFD.

    Source: modules/processing.py, create_infotext, of stable-diffusion-webui 1.10.
    """
    lines = [label.prompt]
    if label.negative_prompt:
        lines.append(f'Negative prompt: {label.negative_prompt}')
    known = ((name, value) for name, value in _settings(label) if value is not None)
    lines.append(', '.join(f'{name}: {_quoted(value)}' for name, value in known))
    return NOT_IN_TEXT.sub(STANDS_IN, '\n'.join(lines))


def xmp_packet(label: Label) -> bytes:
    """Write everything as one XMP packet, in UTF-8."""
    return _wrapped(_rdf(_properties(label)))


def xmp_packets(label: Label, most_bytes: int) -> Packets:
    """Write everything as XMP whose standard part has no more than so many bytes.

    The longest properties move to the extended part.

    Source: XMP specification part 3 (2020), 1.1.3.1.
    """
    whole = xmp_packet(label)
    if len(whole) <= most_bytes:
        return Packets(whole)
    stay, move = _properties(label), list[str]()
    while True:
        longest = max(stay, key=len)
        stay.remove(longest)
        move.append(longest)
        extended = _rdf(move).encode()
        name = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()
        note = f'<xmpNote:HasExtendedXMP>{name}</xmpNote:HasExtendedXMP>'
        standard = _wrapped(_rdf([*stay, note]))
        if len(standard) <= most_bytes:
            return Packets(standard, extended, name)


def _settings(label: Label) -> Iterable[tuple[str, object]]:
    """Name the settings in AUTOMATIC1111's words and order.

    It takes a last line with fewer than three of them for a part of the prompt, so the provider
    stands in for a model that is not known.
    """
    yield 'Steps', label.steps
    yield 'Sampler', label.sampler
    yield 'CFG scale', None if label.guidance is None else f'{label.guidance:.15g}'
    yield 'Seed', label.seed
    if label.width and label.height:
        yield 'Size', f'{label.width}x{label.height}'
    if label.model:
        yield 'Model', label.model
    else:
        yield 'Provider', label.provider
    yield 'Version', f'Easel {label.version}'


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if NEEDS_QUOTES.search(text) else text


def _properties(label: Label) -> list[str]:
    """Write each property as an element of `rdf:Description`."""
    prompt = _xml(label.prompt)
    made = datetime.fromtimestamp(label.created_at, UTC).isoformat(timespec='milliseconds')
    is_demo = label.provider == DEMO
    kind = 'algorithmicMedia' if is_demo else 'trainedAlgorithmicMedia'
    found = [
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{prompt}</rdf:li></rdf:Alt>'
        '</dc:description>',
        '<dc:creator><rdf:Seq><rdf:li>Easel</rdf:li></rdf:Seq></dc:creator>',
        '<xmp:CreatorTool>Easel</xmp:CreatorTool>',
        f'<xmp:CreateDate>{made.replace("+00:00", "Z")}</xmp:CreateDate>',
        f'<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPES}{kind}</Iptc4xmpExt:DigitalSourceType>',
    ]
    if label.model and not is_demo:
        used = _xml(label.model)
        found.append(f'<Iptc4xmpExt:AISystemUsed>{used}</Iptc4xmpExt:AISystemUsed>')
    return [*found, *_own_properties(label)]


def _own_properties(label: Label) -> Iterable[str]:
    """Write every field; those with characters that XML has no way to hold, again as JSON."""
    exact: dict[str, str] = {}
    for field in fields(label):
        value: object = getattr(label, field.name)
        if value is None:
            continue
        yield f'<easel:{field.name}>{_xml(str(value))}</easel:{field.name}>'
        if isinstance(value, str) and NOT_IN_XML.search(value):
            exact[field.name] = value
    if exact:
        yield f'<easel:exact>{_xml(json.dumps(exact))}</easel:exact>'


def _xml(text: str) -> str:
    """Escape for an element's text; a bare carriage return would be read as a line feed."""
    return NOT_IN_XML.sub(STANDS_IN, text).translate(ESCAPES)


def _rdf(properties: Iterable[str]) -> str:
    names = ' '.join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    body = '\n'.join(properties)
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" {names}>\n{body}\n</rdf:Description>'
        '</rdf:RDF></x:xmpmeta>'
    )


def _wrapped(rdf: str) -> bytes:
    begin = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    return f'{begin}\n{rdf}\n<?xpacket end="r"?>'.encode()
