"""One edit at a real server, with and without a mask: what was asked, and what changed outside it.

`python -m bench.edits http://localhost:1234/v1`; the server may charge for the pictures.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL import Image, ImageChops

from app.config import child_environment
from app.errors import ProviderError
from app.models import Call, Received
from app.models.request import GenerationRequest
from app.net.client import HttpClient
from app.providers.core.base import Dialect, ProviderSettings, Run
from app.providers.provider import ApiProvider
from app.storage.decoding.decoder import Decoder
from app.storage.decoding.edit_orders import WORK_TIMEOUT_S, Protected, measure_change
from app.storage.edit_input import EditInput, SentMask, SentPicture
from app.storage.files import TempFile
from app.storage.metadata.mime import PNG, mime_of


def edit_of(folder: Path, side: int, *, masked: bool) -> EditInput:
    """Make a picture with a gradient, and a mask of its middle."""
    gradient = Image.linear_gradient('L').resize((side, side))
    source = Image.merge('RGB', (gradient, gradient.rotate(90), ImageChops.invert(gradient)))
    grey = Image.new('L', source.size, 0)
    grey.paste(255, (side // 4, side // 4, side * 3 // 4, side * 3 // 4))
    dual = Image.merge('RGBA', (grey, grey, grey, ImageChops.invert(grey)))
    mask = SentMask(grey=_sent(grey, folder / 'grey.png'), dual=_sent(dual, folder / 'dual.png'))
    return EditInput(sources=(_sent(source, folder / 'source.png'),), mask=mask if masked else None)


def _sent(picture: Image.Image, path: Path) -> SentPicture:
    picture.save(path)
    width, height = picture.size
    size_bytes = path.stat().st_size
    return SentPicture(path=path, mime=PNG, width=width, height=height, size_bytes=size_bytes)


async def outside_of(edit: EditInput, got: Received) -> str:
    """Say which share of what the mask protects was changed."""
    mime = mime_of(got.head)
    if not edit.mask or mime is None:
        return ''
    source, decoder = edit.sources[0], Decoder(child_environment(), WORK_TIMEOUT_S)
    of = Protected(source=source.path, mime=source.mime, mask=edit.mask.grey.path)
    try:
        share = await measure_change(decoder, of, got.path, mime)
    finally:
        await decoder.close()
    return f', changed outside the mask: {share:.1%}'


async def run(
    settings: ProviderSettings, request: GenerationRequest, side: int, origins: list[str]
) -> None:
    http_client, calls = HttpClient(origins), list[Call]()
    provider = ApiProvider(settings, http_client)
    for masked in (False, True):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            edit = edit_of(folder, side, masked=masked)
            asked = replace(request, mask='0' * 64 if masked else None)
            calls.clear()
            what = 'with a mask' if masked else 'without a mask'
            try:
                result = await provider.generate(
                    asked, Run(partial(TempFile, folder / 'in'), calls.append, edit=edit)
                )
            except ProviderError as error:
                print(
                    f'{what}: {error.failure.kind}, {error.failure.words or error.failure.reason}'
                )
            else:
                outside = await outside_of(edit, result.received[0])
                print(f'{what}: {len(result.received)} came, dropped {result.dropped}{outside}')
            for call in calls:
                print(
                    f'  {call.method} {call.url} {call.status} in {call.took_s:.1f} s {call.body}'
                )
    await http_client.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('base_url')
    parser.add_argument('--model', default='')
    parser.add_argument('--dialect', default='auto', choices=list(Dialect))
    parser.add_argument('--key')
    parser.add_argument('--side', type=int, default=64)
    parser.add_argument('--strength')
    parser.add_argument('--image-origin', action='append', default=[])
    given = parser.parse_args()
    settings = ProviderSettings(
        name='server',
        base_url=given.base_url,
        model=given.model,
        timeout_s=1_800,
        dialect=Dialect(given.dialect),
        key=given.key,
    )
    request = GenerationRequest(prompt='a red ball', strength=given.strength)
    asyncio.run(run(settings, request, given.side, given.image_origin))


if __name__ == '__main__':
    main()
