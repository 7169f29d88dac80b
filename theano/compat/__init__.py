"""Python's own, by the names under which Theano had them for Python 2 as well."""

from collections import OrderedDict

PY3 = True
imap, izip, ifilter = map, zip, filter
