"""The steps that look at one file at a time, in the order in which they run: cheap ones first."""

from __future__ import annotations

from codewright.corpus.filters_data import data_like
from codewright.corpus.filters_generated import generated
from codewright.corpus.filters_licence import Licences
from codewright.corpus.filters_shape import shape
from codewright.corpus.quality import Quality, QualityStep
from codewright.corpus.recipe import CorpusConfig
from codewright.corpus.redact import Redact
from codewright.corpus.secrets import Secrets
from codewright.corpus.steps import Step
from codewright.corpus.syntax import Syntax, Trees


def document_steps(config: CorpusConfig) -> list[Step]:
    """Returns the steps that a recipe asks for; they share the work of parsing."""
    trees = Trees()
    steps: list[Step] = [
        shape(config.filters),
        Licences(config.filters),
        generated(),
        Secrets(),
        Redact(),
        Syntax(trees),
        data_like(config.filters, trees),
    ]
    if config.quality > 0:
        steps.append(QualityStep(Quality.shipped(), config.quality, trees))
    return steps
