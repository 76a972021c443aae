"""`normserve-client`, or `python -m normserve`: what the client can do from a shell."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__, checkpoint
from ._settings import DEFAULT_URL
from .client import Client
from .errors import NormserveError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a subcommand and returns its exit code: 0, or 1 with a line on standard error."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (NormserveError, ImportError, OSError, ValueError) as error:
        print(f"normserve-client: {error}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="normserve-client", description="Client of normserve.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    convert = commands.add_parser("import", help="convert a checkpoint of PyTorch for `serve --checkpoint`")
    convert.add_argument("checkpoint", type=Path, help="a file of torch.save; it is read as weights only")
    convert.add_argument("-o", "--output", type=Path, help="by default the same name with .safetensors")
    convert.set_defaults(run=_import)

    health = commands.add_parser("health", help="exit with 0 when a server is ready, with 1 otherwise")
    health.add_argument("url", nargs="?", default=DEFAULT_URL)
    health.set_defaults(run=_health)
    return parser


def _import(options: argparse.Namespace) -> int:
    output: Path = options.output or options.checkpoint.with_suffix(".safetensors")
    converted = checkpoint.convert(options.checkpoint, output)
    print(f"{output}: {converted.tensors} tensors, {converted.byte_count} bytes")
    for name in converted.left_out:
        print(f"left out, as it is no tensor: {name}", file=sys.stderr)
    return 0


def _health(options: argparse.Namespace) -> int:
    with Client(options.url, timeout=5) as client:
        return 0 if client.is_ready() else 1


if __name__ == "__main__":
    sys.exit(main())
