"""Fills data folders, and asks the gallery of 1,000, 100,000 and a million pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench import gallery_rows


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m bench.gallery', description=__doc__)
    commands = parser.add_subparsers(dest='command')
    filling = commands.add_parser('fill', help='fill a data folder that has no pictures yet')
    filling.add_argument('data', type=Path)
    filling.add_argument('rows', type=int)
    chosen = parser.parse_args()
    if chosen.command == 'fill':
        gallery_rows.main(chosen.data, chosen.rows)
    return 0


if __name__ == '__main__':
    sys.exit(main())
