"""The label of one picture, and the two texts that carry it inside the file."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from app import __version__
from app.models import DEMO

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
ESCAPES = str.maketrans({'&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;'})
NEEDS_QUOTES = re.compile('[,:\n"]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The settings of one picture; None is not known, or never stated.

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


def parameters_text(label: Label) -> str:
    """Write what AUTOMATIC1111 calls `parameters`; settings that are not known are left out.

    NUL and halves of surrogate pairs, which no container can hold, become U+FFFD.

    Source: modules/processing.py, create_infotext, of stable-diffusion-webui 1.10.
    """
    lines = [label.prompt]
    if label.negative_prompt:
        lines.append(f'Negative prompt: {label.negative_prompt}')
    known = ((name, value) for name, value in _settings(label) if value is not None)
    lines.append(', '.join(f'{name}: {_quoted(value)}' for name, value in known))
    return NOT_IN_TEXT.sub(STANDS_IN, '\n'.join(lines))


def xmp_packet(label: Label, without: Collection[str] = ()) -> bytes:
    """Write the label as one XMP packet, in UTF-8, without the fields of these names."""
    names = ' '.join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    body = '\n'.join(_properties(label, without))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" {names}>\n{body}\n</rdf:Description>'
        '</rdf:RDF></x:xmpmeta>\n<?xpacket end="r"?>'
    ).encode()


def _settings(label: Label) -> Iterable[tuple[str, object]]:
    """Yield the settings in AUTOMATIC1111's words and order.

    A last line with fewer than three of them is read there as part of the prompt, so the provider
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


def _properties(label: Label, without: Collection[str]) -> Iterable[str]:
    """Yield each property as an element of `rdf:Description`."""
    prompt = '' if 'prompt' in without else _xml(label.prompt)
    made = datetime.fromtimestamp(label.created_at, UTC).isoformat(timespec='milliseconds')
    is_demo = label.provider == DEMO
    kind = 'algorithmicMedia' if is_demo else 'trainedAlgorithmicMedia'
    yield (
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{prompt}</rdf:li></rdf:Alt>'
        '</dc:description>'
    )
    yield '<dc:creator><rdf:Seq><rdf:li>Easel</rdf:li></rdf:Seq></dc:creator>'
    yield '<xmp:CreatorTool>Easel</xmp:CreatorTool>'
    yield f'<xmp:CreateDate>{made.replace("+00:00", "Z")}</xmp:CreateDate>'
    yield f'<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPES}{kind}</Iptc4xmpExt:DigitalSourceType>'
    if label.model and not is_demo:
        yield f'<Iptc4xmpExt:AISystemUsed>{_xml(label.model)}</Iptc4xmpExt:AISystemUsed>'
    yield from _own_properties(label, without)


def _own_properties(label: Label, without: Collection[str]) -> Iterable[str]:
    """Yield every field; texts with characters that XML cannot hold, again as JSON."""
    exact: dict[str, str] = {}
    for field in fields(label):
        value: object = getattr(label, field.name)
        if value is None or field.name in without:
            continue
        yield f'<easel:{field.name}>{_xml(str(value))}</easel:{field.name}>'
        if isinstance(value, str) and NOT_IN_XML.search(value):
            exact[field.name] = value
    if exact:
        yield f'<easel:exact>{_xml(json.dumps(exact))}</easel:exact>'


def _xml(text: str) -> str:
    """Escape for an element's text; a bare carriage return would be read as a line feed."""
    return NOT_IN_XML.sub(STANDS_IN, text).translate(ESCAPES)
