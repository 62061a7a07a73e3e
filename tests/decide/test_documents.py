"""
What the store remembers of documents that it has read.
"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from fournines.model.desired import Probe
from fournines.model.inventory import Quota
from fournines.store.documents import parsed


def test_a_document_is_parsed_once():
    """
    The same text gives the same value; another text another one; and the kind counts.
    """
    text = Probe(port=80, path="/").model_dump_json()

    assert parsed(Probe, text) is parsed(Probe, text)
    assert parsed(Probe, Probe(port=81, path="/").model_dump_json()).port == 81
    with pytest.raises(ValidationError):
        parsed(Quota, text)
