"""Graphs as text and pictures, and values printed while a function runs."""

from pytensor.printing import Print, debugprint, min_informative_str, pp, pprint, pydotprint
