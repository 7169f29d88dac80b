"""Filters over time, each followed by its maximum: the paper's first layer as one operation."""

from filterbank.layer import TemporalFilterBankLayer

__all__ = ["TemporalFilterBankLayer"]
