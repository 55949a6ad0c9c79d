"""Servers that are known by their models' names where by nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from PIL import Image

from app.providers.response.json_text import Json
from tests.support.edit_servers import DATA_URL, Refused, from_base64, unprocessable, where_white
from tests.support.json_edit_servers import JsonServer
from tests.support.own_edit_servers import LocalFal, Seedream
from tests.support.provider_calls import B64


@dataclass
class Bfl(JsonServer):
    """Promises a picture and gives it at another address; draws from words where it knows none."""

    takes_mask: ClassVar[bool] = False
    base_url: ClassVar[str] = 'https://api.bfl.ai/v1'
    model: ClassVar[str] = 'flux-kontext-pro'
    path: ClassVar[str] = '/v1/flux-kontext-pro'
    known: ClassVar[tuple[str, ...]] = ('prompt', 'seed', 'steps', 'guidance', 'aspect_ratio')
    lists: ClassVar[Mapping[str, Json]] = {
        '/v1/get_result': {'id': '7', 'status': 'Ready', 'result': {'sample': f'{DATA_URL}{B64}'}}
    }

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        self.check_key()
        names = ('input_image', 'input_image_2', 'input_image_3', 'input_image_4')
        return [from_base64(body[name]) for name in names if name in body]

    def check_key(self) -> None:
        if 'x-key' not in self.headers:
            raise Refused(403, {'detail': 'Not authenticated - Invalid Authentication'})

    def answer(self) -> Json:
        origin = self.base_url.removesuffix('/v1')
        return {'id': '7', 'polling_url': f'{origin}/v1/get_result?id=7'}


@dataclass
class LocalBfl(Bfl):
    """The same behind another name, told by the model."""

    base_url: ClassVar[str] = 'http://images.test/v1'


@dataclass
class BflFill(Bfl):
    """Its model for masks has a field of another name."""

    takes_mask: ClassVar[bool] = True
    model: ClassVar[str] = 'flux-pro-1.0-fill'
    path: ClassVar[str] = '/v1/flux-pro-1.0-fill'

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        self.check_key()
        self.refuse_unknown(body, 'image', 'mask')
        if 'image' not in body:
            raise unprocessable('image')
        return [from_base64(body['image'])]

    def mask(self, body: Mapping[str, Json]) -> Image.Image | None:
        return where_white(from_base64(body['mask'])) if 'mask' in body else None


@dataclass
class RenamedBflFill(BflFill):
    """A gateway that has the name of the others for it."""

    base_url: ClassVar[str] = 'http://images.test/v1'

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        self.check_key()
        if 'input_image' not in body:
            raise unprocessable('input_image')
        self.refuse_unknown(body, 'input_image', 'mask')
        return [from_base64(body['input_image'])]


@dataclass
class NamedSeedream(Seedream):
    """A gateway that nothing tells but the name of the model."""

    base_url: ClassVar[str] = 'http://images.test/v1'
    path: ClassVar[str] = '/v1/images/generations'
    model: ClassVar[str] = 'doubao-seedream-4-0-250828'


@dataclass
class SingleFal(LocalFal):
    """One of its models, which takes one picture."""

    def pictures(self, body: Mapping[str, Json]) -> list[Image.Image]:
        if 'image_url' not in body:
            raise unprocessable('image_url')
        self.refuse_unknown(body, 'image_url', 'mask_url')
        return [from_base64(body['image_url'], DATA_URL)]


NAMED_SERVERS = (Bfl, LocalBfl, NamedSeedream)
SINGLE_SERVERS = (BflFill, RenamedBflFill, SingleFal)  # which start from one picture
