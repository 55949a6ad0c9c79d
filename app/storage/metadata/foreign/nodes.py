"""The nodes of a ComfyUI graph, in the form of its API and in that of its editor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Link: TypeAlias = tuple[str, int]  # the id of a node, and the number of its output


@dataclass(frozen=True, slots=True)
class Node:
    """One node: what it is, and its inputs: values, and links as lists of two."""

    kind: str
    inputs: Mapping[str, object]

    def links(self) -> Iterator[tuple[str, Link]]:
        for name, value in self.inputs.items():
            if link := link_of(value):
                yield name, link


Nodes: TypeAlias = dict[str, Node]
# The values of nodes whose editor did not write their names, in their order.
WIDGETS: dict[str, tuple[str, ...]] = {
    'KSampler': ('seed', '', 'steps', 'cfg', 'sampler_name', 'scheduler', 'denoise'),
    'KSamplerAdvanced': ('add_noise', 'noise_seed', '', 'steps', 'cfg', 'sampler_name'),
    'SamplerCustom': ('add_noise', 'noise_seed', '', 'cfg'),
    'RandomNoise': ('noise_seed',),
    'KSamplerSelect': ('sampler_name',),
    'BasicScheduler': ('scheduler', 'steps', 'denoise'),
    'CFGGuider': ('cfg',),
    'FluxGuidance': ('guidance',),
    'CheckpointLoaderSimple': ('ckpt_name',),
    'UNETLoader': ('unet_name',),
    'UnetLoaderGGUF': ('unet_name',),
    'CLIPTextEncode': ('text',),
    'CLIPTextEncodeFlux': ('clip_l', 't5xxl', 'guidance'),
    'TextEncodeQwenImageEdit': ('prompt',),
    'PrimitiveNode': ('value',),
}
SEEDS = ('seed', 'noise_seed')
CONTROLS = ('fixed', 'increment', 'decrement', 'randomize')  # of a seed, behind it
MUTED, BYPASSED = 2, 4


def link_of(value: object) -> Link | None:
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], int):
        return None
    return (str(value[0]), value[1]) if isinstance(value[0], str | int) else None


def nodes_of_api(tree: Mapping[str, object]) -> Nodes:
    """Read the form of the API; raise KeyError at what is none."""
    nodes: Nodes = {}
    for name, node in tree.items():
        if isinstance(node, dict) and isinstance(node.get('inputs'), dict):
            nodes[str(name)] = Node(str(node['class_type']), node['inputs'])
    return nodes


def nodes_of_editor(tree: Mapping[str, list[Mapping[str, object]]]) -> Nodes:
    """Read the form of the editor, whose subgraphs stay closed.

    Raise KeyError, TypeError, ValueError or AttributeError at what is none.
    """
    links: dict[object, list[object]] = {}
    for link in tree['links']:
        number, origin, output = (link[part] for part in (0, 1, 2))  # type: ignore[index]
        links[number] = [str(origin), output]
    written = tree['nodes']
    setters = {_first_value(one): one for one in written if one.get('type') == 'SetNode'}
    return {
        str(node['id']): _node_of(node, links, setters)
        for node in written
        if node.get('mode') != MUTED
    }


def _node_of(
    node: Mapping[str, object],
    links: Mapping[object, list[object]],
    setters: Mapping[object, Mapping[str, object]],
) -> Node:
    kind, sockets = str(node['type']), _dicts(node.get('inputs'))
    linked = {
        str(socket.get('name')): links[socket.get('link')]
        for socket in sockets
        if socket.get('link') in links
    }
    if kind == 'GetNode' and _first_value(node) in setters:
        return Node('Reroute', {'': [str(setters[_first_value(node)]['id']), 0]})
    if node.get('mode') == BYPASSED:
        made = [output.get('type') for output in _dicts(node.get('outputs'))]
        same = (str(one.get('name')) for one in sockets if one.get('type') in made[:1])
        passed = next((linked[name] for name in same if name in linked), None)
        return Node('Reroute', {'': passed} if passed else {})
    return Node('Reroute' if kind == 'SetNode' else kind, dict(_values_of(node, sockets)) | linked)


def _values_of(
    node: Mapping[str, object], sockets: list[Mapping[str, object]]
) -> Iterator[tuple[str, object]]:
    values = node.get('widgets_values')
    if isinstance(values, dict):
        yield from values.items()
    if not isinstance(values, list):
        return
    names = [str(one.get('name')) for one in sockets if isinstance(one.get('widget'), dict)]
    known = WIDGETS.get(str(node['type']))
    if known:
        yield from ((name, value) for name, value in zip(known, values, strict=False) if name)
        return
    left = list(values)
    for name in names:
        if left:
            yield name, left.pop(0)
        if name in SEEDS and left and left[0] in CONTROLS:
            left.pop(0)
    if not names and len(values) == 1:
        yield 'value', values[0]


def _dicts(given: object) -> list[Mapping[str, object]]:
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _first_value(node: Mapping[str, object]) -> object:
    values = node.get('widgets_values')
    return values[0] if isinstance(values, list) and values else None
