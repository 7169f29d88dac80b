"""OrderedDict, in the place from which scripts import it."""

from theano.compat import OrderedDict
