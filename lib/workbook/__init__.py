"""Numbered notebooks turn a shop's raw records into a monthly judgement of its customers."""

__version__ = "0.1.0"
