"""Reads a ComfyUI graph: from the sampler that began a picture, by the inputs that it names.

What a node that nobody knows makes of its inputs is not guessed: such a text stays away, and its
name is told as `untold`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from app.storage.metadata.foreign.graph import Graph, UntoldError, is_sampler
from app.storage.metadata.foreign.nodes import Node, Nodes, nodes_of_api, nodes_of_editor

Pair = tuple[str, object]

MOST_NODES = 2_000
PROMPT, UNTOLD = 'prompt', 'untold'
ROLES = {PROMPT: 'positive', 'negative_prompt': 'negative'}
TEXTS = ('text', 't5xxl', 'prompt')
MODELS = ('ckpt_name', 'unet_name', 'model_name', 'base_ckpt_name', 'gguf_name', 'model_path')
PICTURES = ('images', 'image')
ENDS = ('save', 'preview')  # in the names of nodes
ALONE = {'noise_seed': 'seed', 'seed': 'seed', 'steps': 'steps', 'sampler_name': 'sampler'}
ALONE |= {'guidance': 'guidance', 'cfg': 'guidance', **dict.fromkeys((*MODELS, 'model'), 'model')}


def from_graph(prompt: str, workflow: str = '') -> Iterator[Pair]:
    """Yield what a graph tells: of the API's form, or where that is missing of the editor's.

    Raise ValueError, TypeError, LookupError, AttributeError or RecursionError at what is none, or
    is too large to walk.
    """
    nodes = _api_nodes(json.loads(prompt)) if prompt else nodes_of_editor(json.loads(workflow))
    if len(nodes) > MOST_NODES:
        raise ValueError('too many nodes')
    graph = Graph(nodes)
    samplers = _kept(graph, nodes, [name for name, node in nodes.items() if is_sampler(node)])
    # later ones only work on what the first made
    first = [name for name in samplers if graph.ahead_of(name).isdisjoint(samplers)]
    if not samplers:
        yield from _alone(graph, nodes)
    else:
        yield from _agreed([_first_known(_told_by(graph, nodes[name])) for name in first])


def _api_nodes(tree: Mapping[str, object]) -> Nodes:
    inner = tree.get('prompt')  # some programs write both forms into one text
    return nodes_of_api(inner if isinstance(inner, dict) and 'class_type' not in inner else tree)


def _kept(graph: Graph, nodes: Nodes, samplers: list[str]) -> list[str]:
    """Return the samplers whose picture is saved, or else shown; all where none is."""
    for end in ENDS:
        behind = graph.ahead_of(*(name for name, node in nodes.items() if end in node.kind.lower()))
        kept = [name for name in samplers if name in behind]
        if kept:
            return kept
    return samplers


def _first_known(pairs: Iterable[Pair]) -> dict[str, object]:
    known: dict[str, object] = {}
    for name, value in pairs:
        if value not in (None, ''):
            known.setdefault(name, value)
    return known


def _told_by(graph: Graph, sampler: Node) -> Iterator[Pair]:
    guided = graph.node_at(sampler, 'guider') or sampler
    untold = []
    for name, role in ROLES.items():
        try:
            yield name, ', '.join(dict.fromkeys(filter(None, graph.texts(guided, role))))
        except UntoldError:
            untold.append(name)
    yield UNTOLD, ', '.join(untold)
    noise = graph.node_at(sampler, 'noise') or sampler
    yield 'seed', graph.number(noise.inputs.get('noise_seed', noise.inputs.get('seed')))
    yield 'steps', graph.nearest(sampler, 'sigmas', 'steps')
    yield 'guidance', graph.nearest(guided, 'positive', 'guidance')
    yield 'guidance', graph.nearest(guided, 'conditioning', 'guidance')
    yield 'guidance', graph.number(guided.inputs.get('cfg'))
    yield 'sampler', graph.nearest(sampler, 'sampler', 'sampler_name')
    for start in (sampler, guided):
        for name in MODELS:
            yield 'model', graph.nearest(start, 'model', name)


def _agreed(told: list[dict[str, object]]) -> Iterator[Pair]:
    """Yield what all samplers tell alike: which of them made the picture is not known."""
    untold = dict.fromkeys(
        name for one in told for name in str(one.pop(UNTOLD, '')).split(', ') if name
    )
    for name in dict.fromkeys(name for one in told for name in one):
        values = [one.get(name) for one in told]
        if all(value == values[0] for value in values):
            yield name, values[0]
        elif name in ROLES:
            untold[name] = None
    yield UNTOLD, ', '.join(untold) or None


def _alone(graph: Graph, nodes: Nodes) -> Iterator[Pair]:
    """Yield of a graph without a sampler what it names only once: in texts, or to a service."""
    drawing = {link[0] for one in nodes.values() for key, link in one.links() if key in PICTURES}
    found: dict[str, dict[object, None]] = {}
    for name, node in nodes.items():
        for key, value in node.inputs.items():
            is_text = 'TextEncode' in node.kind and key in TEXTS
            ours = PROMPT if is_text else ALONE.get(key)
            if is_text or (key in ROLES and name in drawing):
                ours, value = ours or key, _told(graph, value)
            if ours and isinstance(value, str | int | float) and value != '':
                found.setdefault(ours, {})[value] = None
    for ours, values in found.items():
        if len(values) == 1:
            yield ours, next(iter(values))
    if found and len(found.get(PROMPT, ())) != 1:
        yield UNTOLD, PROMPT


def _told(graph: Graph, value: object) -> str:
    try:
        return graph.text(value)
    except UntoldError:
        return ''
