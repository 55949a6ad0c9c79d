"""Acts on many pictures, as programs are told of them."""

from __future__ import annotations

from app.database.gallery.act_pieces import Act


def act_json(act: Act) -> dict[str, object]:
    return {
        'id': act.id,
        'act': act.kind,
        'state': act.state,
        'total': act.total,
        'handled': act.handled,
        'changed': act.changed,
        'missing': act.missing,
        'undoable': act.undoable,
    }
