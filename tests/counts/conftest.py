"""The experiments that counts are compared in."""

from models.conftest import experiments, responses, silicon

__all__ = ["experiments", "responses", "silicon"]
