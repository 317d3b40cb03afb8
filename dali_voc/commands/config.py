"""`dali-voc config`: the configuration that is in effect, and what configurations may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dali_voc._config_reference import reference_text
from dali_voc._config_schema import schema_text
from dali_voc._config_yaml import config_to_tree, config_to_yaml
from dali_voc._files import write_text
from dali_voc.commands._options import JsonFile, Quiet, Settings, expand_path
from dali_voc.commands._output import STANDARD_OUTPUT, open_output
from dali_voc.config import Config, DatasetConfig, load_config, parse_config
from dali_voc.datasets import dataset_names

__all__ = ["config"]

_NO_ROOT = "# dataset.root has no default; this one is an example.\n"


def config(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="CONFIG", help="A YAML configuration. Without it: the defaults."),
    ] = None,
    settings: Settings = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Leave out what is as the defaults have it.")
    ] = False,
    schema: Annotated[
        bool,
        typer.Option("--schema", help="Instead: a JSON Schema of configurations, for editors."),
    ] = False,
    reference: Annotated[
        bool, typer.Option("--reference", help="Instead: a page that explains every key, Markdown.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            callback=expand_path,
            help="Write to this file instead of printing.",
        ),
    ] = None,
    json: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Print the configuration that is in effect, as YAML that can be read again.

    Example: dali-voc config configs/voc2012.yaml --set loader.batch_size=8
    """
    if (schema or reference) and (config or settings or changed or json or (schema and reference)):
        raise typer.BadParameter("--schema and --reference go with -o and --quiet alone")
    output = open_output(json=json, quiet=quiet, output=out)
    if schema:
        text = schema_text(dataset_names())
    elif reference:
        text = reference_text()
    else:
        checked, text = _effective(config, settings or [], changed=changed)
        output.write(config_to_tree(checked, changed=changed))
    if out:
        write_text(out, text)
    elif not quiet and json != STANDARD_OUTPUT:
        typer.echo(text, nl=False)


def _effective(path: Path | None, overrides: list[str], *, changed: bool) -> tuple[Config, str]:
    """Return a configuration and its text; without a file the defaults and an example root."""
    if path:
        checked, note = load_config(path, overrides=overrides), ""
    else:
        root = (DatasetConfig.model_fields["root"].examples or [""])[0]
        checked = parse_config({"dataset": {"root": root}}, overrides=overrides)
        note = _NO_ROOT if checked.dataset.root == root else ""
    return checked, note + config_to_yaml(checked, changed=changed)
